#include "router/core/decide.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/base/status.h"
#include "router/core/testing.h"

namespace tandem::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Of;
using testing::World;

TEST(Decide, AnAlertOpensAnIncidentWithItsEvidence) {
  World world;
  world.Do(ContextChange{.version = 4,
                         .put = {{.kind = "site",
                                  .id = "plant-7",
                                  .display_name = "Plant 7",
                                  .attributes = {{"kind", "factory"}}}}});

  const Facts facts = world.Push({{.labels = {{"alertname", "Factory"}, {"site", "plant-7"}},
                                   .annotations = {{"summary", "The line\nstands"}}}});

  const auto opened = Of<IncidentOpened>(facts);
  ASSERT_EQ(opened.size(), 1U);
  EXPECT_EQ(opened[0].title, "The line stands");
  EXPECT_EQ(opened[0].handling, Handling::kNeedsDecision);
  EXPECT_FALSE(opened[0].context_gap);
  EXPECT_THAT(opened[0].group_labels, ElementsAre(std::pair("alertname", "Factory")));
  EXPECT_EQ(opened[0].evidence.playbook_digest, world.state.playbook->digest());
  EXPECT_EQ(opened[0].evidence.context_version, 4U);
  ASSERT_EQ(opened[0].evidence.entities.size(), 1U);
  EXPECT_EQ(opened[0].evidence.entities[0].id, "plant-7");
  EXPECT_EQ(opened[0].evidence.entities[0].how, "label");
  EXPECT_EQ(world.Get().firing, 1U);
}

TEST(Decide, AMissingFactOpensAnIncidentThatIsHandledNoLessCarefully) {
  World world;
  const auto opened = Of<IncidentOpened>(world.Fire("Factory"));
  ASSERT_EQ(opened.size(), 1U);
  EXPECT_TRUE(opened[0].context_gap);
  EXPECT_EQ(opened[0].handling, Handling::kNeedsDecision);
  EXPECT_THAT(opened[0].evidence.gaps, ElementsAre("site.kind"));
}

TEST(Decide, ASiblingJoinsTheGroup) {
  World world;
  world.Fire("Down", "a");
  const Facts facts = world.Fire("Down", "b");
  EXPECT_THAT(Of<IncidentOpened>(facts), IsEmpty());
  EXPECT_EQ(world.Get().firing, 2U);
  EXPECT_EQ(world.state.incidents.size(), 1U);
  EXPECT_EQ(Of<IncidentOpened>(world.Fire("Other")).size(), 1U);
}

TEST(Decide, ARepeatOnlyRefreshes) {
  World world;
  world.Fire("Down");
  world.now += absl::Minutes(1);
  const Facts facts = world.Fire("Down");
  ASSERT_EQ(facts.size(), 1U);
  const auto& refreshed = std::get<AlertRefreshed>(facts[0]);
  EXPECT_FALSE(refreshed.changed_index.has_value());
  EXPECT_EQ(refreshed.starts, absl::ToUnixMicros(testing::kNoon));
  EXPECT_EQ(refreshed.ends, absl::ToUnixMicros(world.now + absl::Minutes(5)));
  EXPECT_EQ(world.Get().total, 1U);
}

TEST(Decide, ChangedAnnotationsNameTheirReport) {
  World world;
  world.Fire("Down");
  const auto refreshed = Of<AlertRefreshed>(world.Push(
      {{.labels = {{"alertname", "Down"}, {"host", "a"}}, .annotations = {{"summary", "new"}}}}));
  ASSERT_EQ(refreshed.size(), 1U);
  EXPECT_EQ(refreshed[0].changed_index, 0U);
  EXPECT_EQ(world.state.alerts.Find(AlertNumber(1))->source, Sequence(2));
}

TEST(Decide, AnEndOfTheSourceBeatsAnEarlierAssumedOne) {
  World world;
  const testing::Pairs labels = {{"alertname", "Down"}};
  world.Push({{.labels = labels, .ends = world.now + absl::Hours(1)}});
  world.Push({{.labels = labels}});
  EXPECT_EQ(world.state.alerts.Find(AlertNumber(1))->ends,
            absl::ToUnixMicros(world.now + absl::Hours(1)));
  world.Push({{.labels = labels, .ends = world.now + absl::Minutes(1)}});
  EXPECT_EQ(world.state.alerts.Find(AlertNumber(1))->ends,
            absl::ToUnixMicros(world.now + absl::Minutes(1)));
}

TEST(Decide, TheEarliestStartWins) {
  World world;
  const testing::Pairs labels = {{"alertname", "Down"}};
  world.Push({{.labels = labels, .starts = world.now - absl::Minutes(1)}});
  world.Push({{.labels = labels, .starts = world.now - absl::Minutes(9)}});
  world.Push({{.labels = labels, .starts = world.now}});
  EXPECT_EQ(world.state.alerts.Find(AlertNumber(1))->starts,
            absl::ToUnixMicros(world.now - absl::Minutes(9)));
}

TEST(Decide, AResolveOfAnEarlierEpisodeSaysNothing) {
  World world;
  world.Fire("Down");
  EXPECT_THAT(world.Push({{.labels = {{"alertname", "Down"}, {"host", "a"}},
                           .starts = world.now - absl::Minutes(9),
                           .ends = world.now - absl::Minutes(1)}}),
              IsEmpty());
  EXPECT_THAT(world.Clear("Unknown"), IsEmpty());
  EXPECT_EQ(world.state.alerts.size(), 1U);
}

TEST(Decide, AnAlertWhoseEndCameNearerAndWentBackClearsOnce) {
  World world;
  const testing::Pairs labels = {{"alertname", "Down"}};
  const absl::Time end = world.now + absl::Minutes(10);
  world.Push({{.labels = labels, .ends = end}});
  world.Push({{.labels = labels, .ends = world.now + absl::Minutes(5)}});
  world.Push({{.labels = labels, .ends = end}});
  EXPECT_EQ(Of<AlertCleared>(world.Advance(absl::Minutes(20))).size(), 1U);
}

TEST(Decide, AClearedIncidentResolvesAfterResolveWait) {
  World world;
  world.Fire("Down");
  const auto scheduled = Of<ResolveScheduled>(world.Clear("Down"));
  ASSERT_EQ(scheduled.size(), 1U);
  EXPECT_EQ(scheduled[0].due, absl::ToUnixMicros(world.now + absl::Seconds(30)));
  world.Advance(absl::Seconds(29));
  EXPECT_NE(world.Get().state, IncidentState::kResolved);
  world.Advance(absl::Seconds(1));
  EXPECT_EQ(world.Get().state, IncidentState::kResolved);
  EXPECT_EQ(world.Get().resolved_by.principal, "tandem");
}

TEST(Decide, AnAlertThatIsNotReportedAgainTimesOut) {
  World world;
  world.Fire("Down");
  const Facts facts = world.Advance(absl::Minutes(5));
  ASSERT_EQ(Of<AlertCleared>(facts).size(), 1U);
  EXPECT_TRUE(Of<AlertCleared>(facts)[0].by_timeout);
  EXPECT_EQ(Of<ResolveScheduled>(facts).size(), 1U);
}

TEST(Decide, NothingTimesOutBeforeThoseWhoReportHadTimeToDoSoAfterAnOutage) {
  World world;
  world.Fire("Down", "a");
  world.Fire("Down", "b");
  world.Fire("Down", "c");
  world.now += absl::Hours(1);
  const Facts resumed = world.Do(Resumption{absl::Minutes(5)}).facts;
  ASSERT_EQ(Of<EndsDeferred>(resumed).size(), 1U);

  EXPECT_THAT(Of<AlertCleared>(world.Advance(absl::Minutes(2))), IsEmpty());
  world.Fire("Down", "a");
  EXPECT_EQ(Of<AlertCleared>(world.Clear("Down", "b")).size(), 1U) << "this its source has said";
  EXPECT_THAT(Of<AlertCleared>(world.Advance(absl::Seconds(179))), IsEmpty());
  const auto cleared = Of<AlertCleared>(world.Advance(absl::Seconds(1)));

  ASSERT_EQ(cleared.size(), 1U) << "the one of which nobody said anything";
  EXPECT_TRUE(cleared[0].by_timeout);
  EXPECT_EQ(Of<AlertCleared>(world.Advance(absl::Minutes(2))).size(), 1U);
}

TEST(Decide, AResumptionWithoutAlertsOrWithinAnEarlierOneDecidesNothing) {
  World world;
  EXPECT_THAT(world.Do(Resumption{absl::Minutes(5)}).facts, IsEmpty());
  world.Fire("Down");
  EXPECT_EQ(world.Do(Resumption{absl::Minutes(5)}).facts.size(), 1U);
  EXPECT_THAT(world.Do(Resumption{absl::Minutes(5)}).facts, IsEmpty());
}

TEST(Decide, AGroupThatFiresAgainWhileItWaitsStaysOpen) {
  World world;
  world.Fire("Down");
  world.Clear("Down");
  world.Advance(absl::Seconds(20));
  world.Fire("Down");
  EXPECT_EQ(world.Get().resolve_due, 0);
  world.Advance(absl::Minutes(1));
  EXPECT_EQ(world.Get().state, IncidentState::kOpen);
}

TEST(Decide, AGroupThatFiresAgainSoonReopensAndLaterOpensAnew) {
  World world;
  world.Fire("Down");
  world.Clear("Down");
  world.Advance(absl::Seconds(30));
  world.Advance(absl::Minutes(15));  // exactly reopen_within
  EXPECT_EQ(Of<IncidentReopened>(world.Fire("Down")).size(), 1U);
  EXPECT_EQ(world.Get().reopened, 1U);

  world.Clear("Down");
  world.Advance(absl::Seconds(30));
  world.Advance(absl::Minutes(15) + absl::Microseconds(1));
  EXPECT_EQ(Of<IncidentOpened>(world.Fire("Down")).size(), 1U);
  EXPECT_EQ(world.Get(1).state, IncidentState::kResolved);
  const Outcome superseded = world.Do(Reopening{testing::kAnn, IncidentNumber(1), "", "r"});
  EXPECT_EQ(superseded.refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(superseded.facts, IsEmpty());
}

TEST(Decide, ResolvedByAPersonItStaysSoUntilItClearedAndFiresAnew) {
  World world;
  world.Fire("Down");
  world.Do(Resolution{testing::kAnn, IncidentNumber(1), "known", "r-1"});
  world.AdvanceFiring("Down", absl::Minutes(10));
  EXPECT_EQ(world.Get().state, IncidentState::kResolved);
  EXPECT_EQ(world.Get().firing, 1U);

  world.Clear("Down");
  EXPECT_EQ(world.Get().resolve_due, 0);
  EXPECT_EQ(Of<IncidentReopened>(world.Fire("Down")).size(), 1U);
  EXPECT_EQ(world.Get().state, IncidentState::kOpen);
}

TEST(Decide, AResolvedIncidentIsForgottenOnlyAfterTheRecordOfItsLastAlert) {
  World world;
  const testing::Pairs labels = {{"alertname", "Down"}};
  const absl::Time end = world.now + absl::Hours(24 * 8);
  world.Push({{.labels = labels, .ends = end}});
  world.Do(Resolution{testing::kAnn, IncidentNumber(1), "", ""});
  world.now = end;
  while (world.state.alerts.size() > 0) {
    EXPECT_THAT(Of<IncidentForgotten>(world.Do(TimePassed{}).facts), IsEmpty());
  }
  world.Advance(absl::Seconds(1));
  EXPECT_THAT(world.state.incidents, IsEmpty());
  EXPECT_EQ(world.Do(Note{testing::kAnn, IncidentNumber(1), "late", ""}).refused.code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(world.Do(Note{testing::kAnn, IncidentNumber(2), "never", ""}).refused.code(),
            absl::StatusCode::kNotFound);
}

TEST(Decide, ARaisedSeverityIsToldToThoseWhoWereTold) {
  World world;
  world.Fire("Down");
  world.Advance(absl::Seconds(10));
  const Facts facts = world.Push({{.labels = {{"alertname", "Down"}, {"severity", "critical"}}}});
  ASSERT_EQ(Of<SeverityRaised>(facts).size(), 1U);
  const auto planned = Of<DeliveryPlanned>(facts);
  ASSERT_EQ(planned.size(), 2U);
  EXPECT_EQ(planned[0].contact, "ann");
  EXPECT_EQ(planned[0].event_type, "incident.severity_raised");
  EXPECT_EQ(planned[0].step, 0U);
  EXPECT_EQ(planned[1].contact, "ben");
  EXPECT_THAT(Of<SeverityRaised>(world.Fire("Down", "c")), IsEmpty());
}

TEST(Decide, ABatchThatWasTakenIsNotTakenAgain) {
  World world;
  const testing::Pairs labels = {{"alertname", "Down"}};
  EXPECT_EQ(Of<ClientAdvanced>(world.Push({{.labels = labels}}, "agent", 7)).size(), 1U);
  const testing::Batch batch(world.state.key, {{.labels = {{"alertname", "Other"}}}});
  AlertBatch again = batch.input();
  again.client_id = "agent";
  for (const std::uint64_t number : {6U, 7U}) {
    again.number = number;
    const Outcome outcome = world.Do(again);
    EXPECT_TRUE(outcome.repeated);
    EXPECT_THAT(outcome.facts, IsEmpty());
  }
  EXPECT_EQ(world.state.last_sequence, Sequence(1));
  again.number = 9;
  EXPECT_FALSE(world.Do(again).repeated);
}

TEST(Decide, ARequestThatIsSentAgainActsOnce) {
  World world;
  world.Fire("Down");
  const Acknowledgement ack{testing::kAnn, IncidentNumber(1), "", "req", std::nullopt};
  EXPECT_FALSE(world.Do(ack).repeated);
  const Outcome again = world.Do(ack);
  EXPECT_TRUE(again.repeated);
  EXPECT_THAT(again.facts, IsEmpty());
}

TEST(Decide, AnAcknowledgementUnderAnotherIdIsANewOneWithItsOwnTime) {
  World world;
  world.Fire("Down");
  const auto expires = [&world](const char* id, absl::Duration holds) {
    const Outcome outcome =
        world.Do(Acknowledgement{testing::kAnn, IncidentNumber(1), "", id, holds});
    EXPECT_EQ(outcome.repeated, outcome.facts.empty());
    return absl::FromUnixMicros(
               world.state.FindIncident(IncidentNumber(1))->acknowledgement_expires) -
           world.now;
  };
  EXPECT_EQ(expires("first", absl::Minutes(30)), absl::Minutes(30));
  EXPECT_EQ(expires("second", absl::Minutes(10)), absl::Minutes(10));
  EXPECT_EQ(expires("", absl::Minutes(40)), absl::Minutes(40));
  EXPECT_EQ(expires("", absl::Minutes(20)), absl::Minutes(20));
  // The first one, sent again because its answer was lost, takes nothing back.
  EXPECT_EQ(expires("first", absl::Minutes(30)), absl::Minutes(20));
}

TEST(Decide, ARequestIdThatComesAgainWithSomethingElseIsRefused) {
  World world;
  world.Fire("Down");
  world.Fire("Other");
  const Note note{testing::kAnn, IncidentNumber(1), "look at the fan", "req"};
  ASSERT_EQ(world.Do(note).facts.size(), 1U);
  const auto refused = [&world](const Input& input) {
    const Outcome outcome = world.Do(input);
    EXPECT_THAT(outcome.facts, IsEmpty());
    EXPECT_FALSE(outcome.repeated);
    return ReasonOf(outcome.refused);
  };

  EXPECT_EQ(refused(Note{testing::kAnn, IncidentNumber(1), "look at the pump", "req"}),
            "REQUEST_ID_REUSED");
  EXPECT_EQ(refused(Note{testing::kAnn, IncidentNumber(2), "look at the fan", "req"}),
            "REQUEST_ID_REUSED");
  EXPECT_EQ(refused(Resolution{testing::kAnn, IncidentNumber(1), "look at the fan", "req"}),
            "REQUEST_ID_REUSED");
  EXPECT_TRUE(world.Do(note).repeated);
  // Ids are their principal's own.
  EXPECT_EQ(world.Do(Note{{"ben", Side::kProvider}, IncidentNumber(2), "mine", "req"}).facts.size(),
            1U);
}

TEST(Decide, AnActivationIsRepeatedOnlyWithItsOwnPlaybookAndComment) {
  World world;
  const std::string other = std::string(testing::kPlaybook) + "# another\n";
  const PlaybookActivation first{testing::kAnn, "go", testing::Compile(testing::kPlaybook), "req"};
  ASSERT_EQ(world.Do(first).facts.size(), 1U);

  EXPECT_TRUE(world.Do(first).repeated);
  for (const auto& [source, comment] :
       {std::pair(other, std::string("go")),
        std::pair(std::string(testing::kPlaybook), std::string("for another reason"))}) {
    const Outcome outcome =
        world.Do(PlaybookActivation{testing::kAnn, comment, testing::Compile(source), "req"});
    EXPECT_EQ(ReasonOf(outcome.refused), "REQUEST_ID_REUSED");
    EXPECT_THAT(outcome.facts, IsEmpty());
  }
  EXPECT_EQ(world.state.playbook->source(), testing::kPlaybook);
}

TEST(Decide, ARequestIdIsFreeAgainAfterADayAlsoWhenNothingElseWasAskedSince) {
  World world;
  const PlaybookActivation first{testing::kAnn, "go", testing::Compile(testing::kPlaybook), "req"};
  const PlaybookActivation other{testing::kAnn, "on", testing::Compile(testing::kPlaybook), "req"};
  ASSERT_EQ(world.Do(first).facts.size(), 1U);
  world.now += absl::Hours(24);
  EXPECT_TRUE(world.Do(first).repeated);
  EXPECT_EQ(ReasonOf(world.Do(other).refused), "REQUEST_ID_REUSED");

  world.now += absl::Microseconds(1);

  const Outcome outcome = world.Do(other);
  EXPECT_TRUE(outcome.refused.ok());
  EXPECT_EQ(outcome.facts.size(), 1U);
  // For a day from its new use on.
  EXPECT_TRUE(world.Do(other).repeated);
  EXPECT_EQ(ReasonOf(world.Do(first).refused), "REQUEST_ID_REUSED");
  EXPECT_EQ(world.state.requests.size(), 1U);
  EXPECT_EQ(world.state.requests_by_age.size(), 1U);
}

}  // namespace
}  // namespace tandem::core
