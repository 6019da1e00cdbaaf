#include "router/core/escalation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/core/testing.h"

namespace tandem::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Of;
using testing::World;

std::vector<std::string> Contacts(const Facts& facts) {
  std::vector<std::string> contacts;
  for (const DeliveryPlanned& planned : Of<DeliveryPlanned>(facts)) {
    contacts.push_back(planned.contact);
  }
  return contacts;
}

TEST(Escalation, TheFirstStepComesAfterGroupWait) {
  World world;
  world.Fire("Down");
  EXPECT_THAT(world.Advance(absl::Seconds(9)), IsEmpty());
  const Facts facts = world.Advance(absl::Seconds(1));
  EXPECT_THAT(Contacts(facts), ElementsAre("ann", "ben"));
  EXPECT_EQ(Of<DeliveryPlanned>(facts)[0].event_type, "incident.opened");
}

TEST(Escalation, StepsFollowInTimeAndTellAContactOnce) {
  World world;
  world.Fire("Down");
  world.AdvanceFiring("Down", absl::Minutes(15));
  EXPECT_EQ(world.Get().step, 1U);
  const Facts facts = world.AdvanceFiring("Down", absl::Seconds(10));
  EXPECT_THAT(Contacts(facts), ElementsAre("cat", "ann", "ben"));
  EXPECT_EQ(Of<DeliveryPlanned>(facts)[0].event_type, "incident.escalated");
}

TEST(Escalation, ALadderThatBeginsLateCountsFromTheOpening) {
  World world;
  world.Fire("Late");
  world.AdvanceFiring("Late", absl::Minutes(5));
  EXPECT_EQ(world.Get().step, 1U);
  EXPECT_EQ(world.Get().next_step, absl::ToUnixMicros(testing::kNoon + absl::Minutes(15)));
}

TEST(Escalation, AnAcknowledgementStopsItAndItsEndResumesIt) {
  World world;
  world.Fire("Down");
  world.Advance(absl::Seconds(10));
  const Outcome taken =
      world.Do(Acknowledgement{testing::kAnn, IncidentNumber(1), "mine", "", std::nullopt});
  EXPECT_EQ(Of<DeliveryCancelled>(taken.facts).size(), 2U);
  EXPECT_THAT(world.state.deliveries, IsEmpty());
  EXPECT_THAT(Of<StepTaken>(world.AdvanceFiring("Down", absl::Minutes(59))), IsEmpty());
  const Facts facts = world.AdvanceFiring("Down", absl::Minutes(1));
  EXPECT_EQ(Of<AcknowledgementExpired>(facts).size(), 1U);
  ASSERT_EQ(Of<StepTaken>(facts).size(), 1U);
  EXPECT_EQ(Of<StepTaken>(facts)[0].step, 2U);
}

TEST(Escalation, AnAcknowledgementLastsAtMostAsLongAsTheRuleSays) {
  World world;
  world.Fire("Down");
  const auto expires = [&](absl::Duration wanted) {
    const Outcome outcome =
        world.Do(Acknowledgement{testing::kAnn, IncidentNumber(1), "", "", wanted});
    return Of<IncidentAcknowledged>(outcome.facts).at(0).expires;
  };
  EXPECT_EQ(expires(absl::Minutes(5)), absl::ToUnixMicros(world.now + absl::Minutes(5)));
  EXPECT_EQ(expires(absl::Hours(5)), absl::ToUnixMicros(world.now + absl::Hours(1)));
}

TEST(Escalation, AStepWithNobodyIsPassedOverAtOnce) {
  World world;
  world.Fire("Gap");
  const Facts facts = world.Advance(absl::Seconds(10));
  const auto steps = Of<StepTaken>(facts);
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_TRUE(steps[0].nobody);
  EXPECT_FALSE(steps[1].nobody);
  EXPECT_THAT(Contacts(facts), ElementsAre("cat"));
}

TEST(Escalation, AfterItsRoundsTheLastResortIsToldEveryHalfHour) {
  World world;
  world.Fire("Down");
  std::vector<std::pair<std::uint32_t, std::uint32_t>> rungs;
  std::vector<Micros> resorts;
  for (int minute = 0; minute < 150; ++minute) {
    for (const StepTaken& step : Of<StepTaken>(world.AdvanceFiring("Down", absl::Minutes(1)))) {
      rungs.emplace_back(step.step, step.round);
      if (step.last_resort) resorts.push_back(step.next_step);
    }
  }
  EXPECT_TRUE(world.Get().exhausted);
  ASSERT_GE(rungs.size(), 6U);
  rungs.resize(4);
  EXPECT_THAT(rungs, ElementsAre(std::pair(1U, 1U), std::pair(2U, 1U), std::pair(1U, 2U),
                                 std::pair(2U, 2U)));
  ASSERT_GE(resorts.size(), 2U);
  EXPECT_EQ(resorts[1] - resorts[0], kLastResortEvery);
  EXPECT_EQ(world.state.deliveries.rbegin()->second.contact, "boss");
}

TEST(Escalation, AStepThatReachedNobodyHastensTheNext) {
  World world;
  world.Fire("Down");
  world.Advance(absl::Seconds(10));
  const Facts facts = world.ReportAll(DeliveryReport::Outcome::kGivenUp);
  EXPECT_EQ(Of<StepHastened>(facts).size(), 1U);
  EXPECT_EQ(Of<StepTaken>(world.Advance(absl::ZeroDuration())).size(), 1U);
}

TEST(Escalation, AStepThatReachedSomebodyIsNotHastened) {
  World world;
  world.Fire("Down");
  world.Advance(absl::Seconds(10));
  using Outcome = DeliveryReport::Outcome;
  world.Do(DeliveryReport{.delivery = DeliveryNumber(1), .outcome = Outcome::kSucceeded});
  EXPECT_THAT(Of<StepHastened>(world.ReportAll(Outcome::kGivenUp)), IsEmpty());
}

TEST(Escalation, TheEndIsToldOnlyToThoseWhoWereReached) {
  World world;
  world.Fire("Down");
  world.Advance(absl::Seconds(10));
  world.Do(DeliveryReport{.delivery = DeliveryNumber(2), .attempt = 1});
  const Outcome end = world.Do(Resolution{testing::kAnn, IncidentNumber(1), "", ""});
  EXPECT_EQ(Of<DeliveryCancelled>(end.facts).size(), 2U);
  EXPECT_THAT(Contacts(end.facts), ElementsAre("ben"));
  EXPECT_EQ(Of<DeliveryPlanned>(end.facts)[0].event_type, "incident.resolved");
}

}  // namespace
}  // namespace tandem::core
