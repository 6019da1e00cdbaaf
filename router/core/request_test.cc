// Questions to the other side, and the hand-over of the lead.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/base/status.h"
#include "router/core/testing.h"

namespace tandem::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Of;
using ::testing::SizeIs;
using testing::World;

constexpr std::string_view kPlaybook = R"(playbook: 1
tenant: t
defaults: {group_by: [alertname], group_wait: 10s, ack_expires: 1h}
contacts:
  ann: {side: provider, webhook: {url: "https://hooks.example/ann"}}
  cat: {side: customer, webhook: {url: "https://hooks.example/cat"}}
  dora: {side: customer, webhook: {url: "https://hooks.example/dora"}}
teams:
  noc: {side: provider, contacts: [ann]}
  plant: {side: customer, contacts: [cat]}
  board: {side: customer, contacts: [dora]}
escalations:
  usual: {steps: [{after: 0s, notify: [noc]}, {after: 1h, notify: [plant]}]}
rules:
  - name: change
    match: ['alertname=~"Hold|Proceed|Escalate"']
    owner: noc
    handling: needs_decision
    escalation: usual
    consult: {team: board, question: "Restart?", options: [restart, wait], due: 20m}
    reason: The board decides.
    rules:
      - {name: hold, match: ['alertname="Hold"'], consult: {team: board, unanswered: hold}}
      - {name: proceed, match: ['alertname="Proceed"'], consult: {due: 5m, unanswered: proceed}}
  - {name: rest, owner: noc, handling: autonomous, escalation: usual, reason: Other.}
)";

const Actor kNoc{"ann@provider.example", Side::kProvider};
const Actor kPlant{"cat@customer.example", Side::kCustomer};

std::vector<std::string> Told(const Facts& facts) {
  std::vector<std::string> told;
  for (const DeliveryPlanned& planned : Of<DeliveryPlanned>(facts)) {
    told.push_back(planned.event_type + " " + planned.contact);
  }
  return told;
}

RequestAnswer Answer(const Actor& actor, std::string answer, std::string request_id = "") {
  return {.actor = actor,
          .incident = IncidentNumber(1),
          .answer = std::move(answer),
          .request_id = std::move(request_id)};
}

HandoverOffer Offer(const Actor& actor, std::string team) {
  return {.actor = actor, .incident = IncidentNumber(1), .team = std::move(team)};
}
HandoverReply Reply(const Actor& actor, bool accept) {
  return {.actor = actor, .incident = IncidentNumber(1), .accept = accept};
}

TEST(Request, IsOpenedOnceTheSiblingsHadTimeToCome) {
  World world(kPlaybook);
  world.Fire("Escalate");
  EXPECT_THAT(world.Advance(absl::Seconds(9)), IsEmpty());
  const Facts facts = world.Advance(absl::Seconds(1));
  const auto opened = Of<RequestOpened>(facts);
  ASSERT_THAT(opened, SizeIs(1));
  EXPECT_EQ(opened[0].team, "board");
  EXPECT_EQ(opened[0].question, "Restart?");
  EXPECT_THAT(opened[0].options, ElementsAre("restart", "wait"));
  EXPECT_EQ(opened[0].due, absl::ToUnixMicros(world.now + absl::Minutes(20)));
  EXPECT_THAT(Told(facts), ElementsAre("request.opened dora", "incident.opened ann"));
  EXPECT_THAT(world.state.deliveries.begin()->second.as_planned->requests, SizeIs(1));
}

TEST(Request, IsNotOpenedByAnAlertThatClearsAtOnceNorByAnAutonomousRule) {
  World world(kPlaybook);
  world.Fire("Escalate");
  world.Clear("Escalate");
  world.Fire("Other");
  const Facts facts = world.Advance(absl::Minutes(4));
  EXPECT_THAT(Of<RequestOpened>(facts), SizeIs(1)) << "resolve_wait is longer than group_wait";
  EXPECT_EQ(Of<RequestOpened>(facts)[0].incident, IncidentNumber(1));
  EXPECT_EQ(world.Get(1).requests[0].state, TeamRequest::State::kClosed) << "with the incident";
  EXPECT_THAT(world.Get(2).requests, IsEmpty());
}

TEST(Request, TheAnswerIsToldToTheOwnerAndEndsTheWait) {
  World world(kPlaybook);
  world.Fire("Escalate");
  world.Advance(absl::Seconds(10));
  const Outcome answered = world.Do(Answer(kPlant, "restart"));
  ASSERT_TRUE(answered.refused.ok()) << answered.refused;
  EXPECT_THAT(Told(answered.facts), ElementsAre("request.answered ann"));
  EXPECT_EQ(world.Get().requests[0].state, TeamRequest::State::kAnswered);
  EXPECT_EQ(world.Get().requests[0].answer, "restart");
  EXPECT_THAT(Of<RequestLapsed>(world.AdvanceFiring("Escalate", absl::Minutes(30))), IsEmpty());
}

TEST(Request, IsAnsweredByTheSideThatWasAskedWithAnOptionThatItHas) {
  World world(kPlaybook);
  world.Fire("Escalate");
  EXPECT_EQ(ReasonOf(world.Do(Answer(kPlant, "restart")).refused), "REQUEST_NONE");
  world.Advance(absl::Seconds(10));
  EXPECT_EQ(ReasonOf(world.Do(Answer(kNoc, "restart")).refused), "REQUEST_OTHER_SIDE");
  const Outcome other = world.Do(Answer(kPlant, "reboot"));
  EXPECT_EQ(ReasonOf(other.refused), "REQUEST_OPTION");
  EXPECT_EQ(FieldsOf(other.refused)[0].description,
            "\"reboot\" is none of the options; expected one of \"restart\", \"wait\"");
  RequestAnswer missing = Answer(kPlant, "wait");
  missing.request = 7;
  EXPECT_EQ(ReasonOf(world.Do(missing).refused), "REQUEST_NOT_FOUND");
  EXPECT_TRUE(world.Do(Answer(kPlant, "wait", "id-1")).refused.ok());
  EXPECT_TRUE(world.Do(Answer(kPlant, "wait", "id-1")).repeated);
  EXPECT_EQ(ReasonOf(world.Do(Answer(kPlant, "restart", "id-1")).refused), "REQUEST_ID_REUSED");
  RequestAnswer again = Answer(kPlant, "restart");
  again.request = 1;
  EXPECT_EQ(ReasonOf(world.Do(again).refused), "REQUEST_ANSWERED");
}

TEST(Request, WithoutAnAnswerDoesWhatItsRuleSays) {
  World world(kPlaybook);
  world.Fire("Escalate");
  Facts facts = world.AdvanceFiring("Escalate", absl::Minutes(21));
  ASSERT_THAT(Of<RequestLapsed>(facts), SizeIs(1));
  EXPECT_THAT(Told(facts), ElementsAre("request.opened dora", "incident.opened ann",
                                       "request.lapsed ann", "incident.escalated cat"))
      << "the step of one hour came at once";
  EXPECT_TRUE(world.Do(Answer(kPlant, "wait")).refused.ok()) << "late, but taken";

  World patient(kPlaybook);
  patient.Fire("Hold");
  facts = patient.AdvanceFiring("Hold", absl::Minutes(21));
  EXPECT_THAT(Told(facts),
              ElementsAre("request.opened dora", "incident.opened ann", "request.lapsed ann"));
  EXPECT_EQ(patient.Get().requests[0].unanswered, playbook::Unanswered::kHold);

  World quick(kPlaybook);
  quick.Fire("Proceed");
  facts = quick.AdvanceFiring("Proceed", absl::Minutes(6));
  EXPECT_THAT(Of<RequestLapsed>(facts), SizeIs(1));
  EXPECT_EQ(quick.Get().requests[0].question, "Restart?") << "from the rule around it";
}

TEST(Request, GoesOnWhileSomebodyWorksOnTheIncident) {
  World world(kPlaybook);
  world.Fire("Escalate");
  world.Advance(absl::Seconds(10));
  const Outcome taken = world.Do(Acknowledgement{kNoc, IncidentNumber(1), "", "", std::nullopt});
  EXPECT_THAT(Of<DeliveryCancelled>(taken.facts), SizeIs(1)) << "ann's, not dora's";
  const Facts facts = world.AdvanceFiring("Escalate", absl::Minutes(21));
  EXPECT_THAT(Told(facts), ElementsAre("request.lapsed ann")) << "the escalation rests";
}

TEST(Request, IsAskedAnewWhenTheIncidentReopens) {
  World world(kPlaybook);
  world.Fire("Hold");
  world.Advance(absl::Seconds(10));
  world.Do(Answer(kPlant, "wait"));
  world.Do(Resolution{kNoc, IncidentNumber(1), "", ""});
  world.Do(Reopening{kNoc, IncidentNumber(1), "", ""});
  const Facts facts = world.AdvanceFiring("Hold", absl::Minutes(1));
  ASSERT_THAT(Of<RequestOpened>(facts), SizeIs(1));
  EXPECT_EQ(Of<RequestOpened>(facts)[0].request, 2U);
}

TEST(Handover, TheOwnerLeadsUntilTheOtherHasAccepted) {
  World world(kPlaybook);
  world.Fire("Other");
  world.Advance(absl::Seconds(10));
  const Outcome offered = world.Do(Offer(kNoc, "plant"));
  ASSERT_TRUE(offered.refused.ok()) << offered.refused;
  EXPECT_THAT(Told(offered.facts), ElementsAre("handover.offered cat"));
  EXPECT_EQ(world.Get().Owner().name, "noc");
  const Outcome accepted = world.Do(Reply(kPlant, true));
  ASSERT_TRUE(accepted.refused.ok()) << accepted.refused;
  EXPECT_EQ(world.Get().Owner().name, "plant");
  EXPECT_EQ(world.Get().state, IncidentState::kAcknowledged);
  EXPECT_EQ(world.Get().acknowledged_by, kPlant);
  EXPECT_THAT(Told(accepted.facts), ElementsAre("handover.accepted ann"));
  EXPECT_FALSE(world.Get().handover.has_value());
}

TEST(Request, ThatIsClosedIsNotAnswered) {
  World world(kPlaybook);
  world.Fire("Hold");
  world.Advance(absl::Seconds(10));
  world.Do(Resolution{kNoc, IncidentNumber(1), "", ""});
  world.Do(Reopening{kNoc, IncidentNumber(1), "", ""});
  RequestAnswer late = Answer(kPlant, "wait");
  late.request = 1;
  EXPECT_EQ(ReasonOf(world.Do(late).refused), "REQUEST_CLOSED");
}

TEST(Request, OfANumberIsNotARepeatOfAnotherWithTheSameId) {
  World world(kPlaybook);
  world.Fire("Hold");
  world.Advance(absl::Seconds(10));
  RequestAnswer first = Answer(kPlant, "wait", "id-1");
  first.request = 1;
  EXPECT_TRUE(world.Do(first).refused.ok());
  EXPECT_TRUE(world.Do(first).repeated);
  RequestAnswer second = first;
  second.request = 2;
  EXPECT_EQ(ReasonOf(world.Do(second).refused), "REQUEST_ID_REUSED");
}

TEST(Request, WithdrawsItsMessagesOnceItIsAnswered) {
  World world(kPlaybook);
  world.Fire("Escalate");
  world.Advance(absl::Seconds(10));
  const Outcome answered = world.Do(Answer(kPlant, "wait"));
  const auto cancelled = Of<DeliveryCancelled>(answered.facts);
  ASSERT_THAT(cancelled, SizeIs(1));
  EXPECT_EQ(cancelled[0].contact, "dora");
}

TEST(Request, ToATeamThatNobodyCanTellLapsesAtOnceAndSaysSo) {
  std::string source(kPlaybook);
  source.replace(source.find("contacts: [dora]"), 16, "contacts: []");
  World world(source);
  world.Fire("Escalate");
  const Facts facts = world.Advance(absl::Seconds(10));
  ASSERT_THAT(Of<RequestOpened>(facts), SizeIs(1));
  EXPECT_TRUE(Of<RequestOpened>(facts)[0].unreached);
  EXPECT_THAT(Of<RequestLapsed>(facts), SizeIs(1));
  EXPECT_EQ(ReasonOf(world.Do(Offer(kNoc, "board")).refused), "TEAM_UNREACHABLE");
  EXPECT_FALSE(world.Get().handover.has_value());
}

TEST(Handover, EndsTheQuestionsToWhoeverLeadsNow) {
  World world(kPlaybook);
  world.Fire("Hold");
  world.Advance(absl::Seconds(10));
  world.Do(Offer(kNoc, "plant"));
  EXPECT_TRUE(world.Do(Reply(kPlant, true)).refused.ok());
  EXPECT_EQ(world.Get().requests[0].state, TeamRequest::State::kClosed);
  EXPECT_THAT(Of<RequestLapsed>(world.AdvanceFiring("Hold", absl::Minutes(40))), IsEmpty());
  world.Do(Resolution{kPlant, IncidentNumber(1), "", ""});
  world.Do(Reopening{kPlant, IncidentNumber(1), "", ""});
  const Facts facts = world.Advance(absl::Minutes(1));
  EXPECT_THAT(Of<RequestOpened>(facts), IsEmpty());
  EXPECT_THAT(Told(facts), ElementsAre("incident.reopened ann", "incident.reopened cat"))
      << "the team that leads is told beside whom the step names";
}

TEST(Handover, IsRepliedToForTheTeamThatThePersonKnows) {
  World world(kPlaybook);
  world.Fire("Other");
  world.Do(Offer(kNoc, "plant"));
  EXPECT_THAT(Told(world.Do(Reply(kNoc, false)).facts), ElementsAre("handover.declined cat"))
      << "who was asked hears that it is taken back";
  world.Do(Offer(kNoc, "board"));
  HandoverReply late = Reply(kPlant, true);
  late.team = "plant";
  EXPECT_EQ(ReasonOf(world.Do(late).refused), "HANDOVER_OTHER_TEAM");
  late.team = "board";
  EXPECT_TRUE(world.Do(late).refused.ok());
}

TEST(Handover, DeclinedWithdrawnOrLapsedTheLeadStays) {
  World world(kPlaybook);
  world.Fire("Other");
  world.Do(Offer(kNoc, "plant"));
  EXPECT_THAT(Told(world.Do(Reply(kPlant, false)).facts), ElementsAre("handover.declined ann"));
  world.Do(Offer(kNoc, "plant"));
  EXPECT_TRUE(world.Do(Reply(kNoc, false)).refused.ok()) << "taken back";
  world.Do(Offer(kNoc, "plant"));
  const Facts facts = world.AdvanceFiring("Other", absl::Minutes(16));
  EXPECT_THAT(Of<HandoverLapsed>(facts), SizeIs(1));
  EXPECT_EQ(world.Get().Owner().name, "noc");
  EXPECT_EQ(ReasonOf(world.Do(Reply(kPlant, true)).refused), "HANDOVER_NONE");
}

TEST(Handover, IsOfferedByTheSideThatLeadsAndAcceptedByTheOneThatIsAsked) {
  World world(kPlaybook);
  world.Fire("Other");
  EXPECT_EQ(ReasonOf(world.Do(Offer(kPlant, "plant")).refused), "HANDOVER_OTHER_SIDE");
  EXPECT_EQ(ReasonOf(world.Do(Offer(kNoc, "noc")).refused), "TEAM_LEADS");
  EXPECT_EQ(ReasonOf(world.Do(Offer(kNoc, "plan")).refused), "TEAM_NOT_FOUND");
  EXPECT_TRUE(world.Do(Offer(kNoc, "plant")).refused.ok());
  EXPECT_EQ(ReasonOf(world.Do(Offer(kNoc, "board")).refused), "HANDOVER_OPEN");
  EXPECT_EQ(ReasonOf(world.Do(Reply(kNoc, true)).refused), "HANDOVER_OTHER_SIDE");
}

}  // namespace
}  // namespace tandem::core
