// Who was told as whom, and which schedule had nobody: stored, read back and told to people.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/codec/projection.h"
#include "router/codec/record.h"
#include "router/codec/snapshot.h"
#include "router/core/testing.h"
#include "tandem/journal/v1/journal.pb.h"

namespace tandem::codec {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

// The entries of all events, in order.
std::vector<std::string> Told(const core::testing::World& world, const core::Facts& facts) {
  journal::Commit commit;
  Projection projection(commit);
  projection.AddRecord(world.state, facts);
  projection.Finish();
  std::vector<std::string> texts;
  for (const journal::EventRow& row : commit.events) {
    journal::v1::Event event;
    EXPECT_TRUE(event.ParseFromString(row.body));
    for (const v1::TimelineEntry& entry : event.entries()) texts.push_back(entry.text());
  }
  return texts;
}

TEST(OnCallTimeline, NamesThePersonAndTheScheduleThatSaysSo) {
  core::testing::World world(core::testing::kOnCallPlaybook);
  world.Fire("Down");
  EXPECT_THAT(Told(world, world.Advance(absl::Seconds(10))),
              ElementsAre("Step 1 of the escalation",
                          "tom-hook to be told for tom (on call by rota), team noc"));
  EXPECT_THAT(Told(world, world.AdvanceFiring("Down", absl::Hours(1))),
              ElementsAre("Step 2 of the escalation",
                          "ann-hook to be told for ann (on call by rota), team noc",
                          "eva-phone to be told for eva"));
}

TEST(OnCallTimeline, NamesTheMembersOfATeam) {
  core::testing::World world(core::testing::kOnCallPlaybook);
  world.Fire("Team");
  EXPECT_THAT(Told(world, world.Advance(absl::Seconds(10))),
              ElementsAre("Step 1 of the escalation", "desk to be told for team noc",
                          "tom-hook to be told for tom, team noc",
                          "ann-hook to be told for ann, team noc"));
}

TEST(OnCallTimeline, SaysWhyAStepHasNobody) {
  core::testing::World world(core::testing::kOnCallPlaybook);
  world.Fire("Gap");
  EXPECT_THAT(Told(world, world.Advance(absl::Seconds(10))),
              ElementsAre("Step 1 has nobody to tell: nobody is on call by empty; the next follows "
                          "at once",
                          "Step 2 of the escalation; nobody is on call by empty",
                          "tom-hook to be told for tom (on call by rota), team noc"));
}

TEST(OnCallFacts, AreReadBackAsTheyWereWritten) {
  for (const std::string name : {"Down", "Team", "Gap"}) {
    core::testing::World world(core::testing::kOnCallPlaybook);
    world.Fire(name);
    const core::Facts facts = world.AdvanceFiring(name, absl::Hours(1));
    const auto decoded = DecodeRecord(EncodeRecord(core::TimePassed{}, "", facts), world.state.key);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    const auto planned = core::testing::Of<core::DeliveryPlanned>(facts);
    const auto read = core::testing::Of<core::DeliveryPlanned>(decoded->facts);
    ASSERT_THAT(read, SizeIs(planned.size()));
    for (std::size_t i = 0; i < read.size(); ++i) {
      EXPECT_EQ(read[i].person, planned[i].person);
      EXPECT_EQ(read[i].schedule, planned[i].schedule);
    }
    const auto steps = core::testing::Of<core::StepTaken>(facts);
    const auto read_steps = core::testing::Of<core::StepTaken>(decoded->facts);
    ASSERT_THAT(read_steps, SizeIs(steps.size()));
    for (std::size_t i = 0; i < steps.size(); ++i) {
      EXPECT_EQ(read_steps[i].unstaffed, steps[i].unstaffed);
    }
  }
}

TEST(OnCallFacts, LastInASnapshot) {
  core::testing::World world(core::testing::kOnCallPlaybook);
  world.Fire("Down");
  world.AdvanceFiring("Down", absl::Hours(2));
  core::TenantState restored;
  restored.tenant = world.state.tenant;
  restored.key = world.state.key;
  ASSERT_TRUE(DecodeSnapshot(EncodeSnapshot(world.state), restored).ok());
  EXPECT_EQ(core::StateDigest(restored), core::StateDigest(world.state));
  const auto& told = restored.incidents.begin()->second->told;
  ASSERT_THAT(told, SizeIs(3));
  EXPECT_EQ(told[0].person, "tom");
  EXPECT_EQ(told[0].schedule, "rota");
  EXPECT_EQ(told[2].person, "eva");
  EXPECT_EQ(told[2].schedule, "");
}

}  // namespace
}  // namespace tandem::codec
