// Schedules, members and people in the steps of an escalation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/core/escalation.h"
#include "router/core/testing.h"

namespace tandem::core {
namespace {

using ::testing::ElementsAre;
using testing::kOnCallPlaybook;
using testing::Of;
using testing::World;

std::vector<std::string> Planned(const Facts& facts) {
  std::vector<std::string> texts;
  for (const DeliveryPlanned& fact : Of<DeliveryPlanned>(facts)) {
    texts.push_back(fact.contact + " team=" + fact.team + " person=" + fact.person +
                    " schedule=" + fact.schedule);
  }
  return texts;
}

TEST(OnCall, TheStepTellsWhoIsOnCallWhenItIsTaken) {
  World world(kOnCallPlaybook);
  world.Fire("Down");
  EXPECT_THAT(Planned(world.AdvanceFiring("Down", absl::Seconds(10))),
              ElementsAre("tom-hook team=noc person=tom schedule=rota"));
  // An hour later the rota has changed, and the second step goes to who is on call then.
  EXPECT_THAT(Planned(world.AdvanceFiring("Down", absl::Hours(1))),
              ElementsAre("ann-hook team=noc person=ann schedule=rota",
                          "eva-phone team= person=eva schedule="));
}

TEST(OnCall, AHandOverCountsToTheMicrosecond) {
  for (const bool late : {false, true}) {
    World world(kOnCallPlaybook);
    // The step is due ten seconds after the alert.
    world.now += absl::Minutes(60) - absl::Seconds(10) - absl::Microseconds(late ? 0 : 1);
    world.Fire("Down");
    EXPECT_THAT(Planned(world.Advance(absl::Seconds(10))),
                ElementsAre(late ? "ann-hook team=noc person=ann schedule=rota"
                                 : "tom-hook team=noc person=tom schedule=rota"));
  }
}

TEST(OnCall, MembersAreToldByTheirFirstContactAndAContactOnce) {
  World world(kOnCallPlaybook);
  world.Fire("Team");
  EXPECT_THAT(
      Planned(world.Advance(absl::Seconds(10))),
      ElementsAre("desk team=noc person= schedule=", "tom-hook team=noc person=tom schedule=",
                  "ann-hook team=noc person=ann schedule="));
}

TEST(OnCall, WithNobodyOnCallTheNextStepFollowsAtOnceAndTheFactSaysWhy) {
  World world(kOnCallPlaybook);
  world.Fire("Gap");
  const Facts facts = world.Advance(absl::Seconds(10));
  const auto steps = Of<StepTaken>(facts);
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_TRUE(steps[0].nobody);
  EXPECT_THAT(steps[0].unstaffed, ElementsAre("empty"));
  // The second step tells somebody, and yet the empty schedule is not passed over in silence.
  EXPECT_FALSE(steps[1].nobody);
  EXPECT_THAT(steps[1].unstaffed, ElementsAre("empty"));
  EXPECT_THAT(Planned(facts), ElementsAre("tom-hook team=noc person=tom schedule=rota"));
}

TEST(OnCall, APersonIsToldByTheNextContactWhenOneFailsForGood) {
  std::string source(kOnCallPlaybook);
  constexpr std::string_view kOne = "contacts: [tom-hook]";
  ASSERT_NE(source.find(kOne), std::string::npos);
  source.replace(source.find(kOne), kOne.size(), "contacts: [tom-hook, desk]");
  World world(source);
  world.Fire("Down");
  world.Advance(absl::Seconds(10));
  const Facts facts = world.ReportAll(DeliveryReport::Outcome::kGivenUp);
  EXPECT_THAT(Planned(facts), ElementsAre("desk team=noc person=tom schedule=rota"));
  EXPECT_THAT(Of<StepHastened>(facts), ::testing::IsEmpty()) << "the step is still at it";
  EXPECT_THAT(Of<StepHastened>(world.ReportAll(DeliveryReport::Outcome::kGivenUp)),
              ::testing::SizeIs(1));
}

TEST(OnCall, TheEndIsToldToWhoWasOnCallThenNotNow) {
  World world(kOnCallPlaybook);
  world.Fire("Down");
  world.Advance(absl::Seconds(10));
  world.Do(DeliveryReport{.delivery = DeliveryNumber(1), .attempt = 1});
  world.AdvanceFiring("Down", absl::Minutes(59) + absl::Seconds(55));
  const Outcome end = world.Do(Resolution{testing::kAnn, IncidentNumber(1), "", ""});
  EXPECT_THAT(Planned(end.facts), ElementsAre("tom-hook team=noc person=tom schedule=rota"));
}

}  // namespace
}  // namespace tandem::core
