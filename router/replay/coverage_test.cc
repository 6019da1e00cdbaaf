#include "router/replay/coverage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/replay/testing.h"

namespace tandem::replay {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(CoverageOf, NamesWhatNoStoryTouches) {
  const World world = testing::TheWorld();
  const Story story = Walk(world, testing::Read("steps: [{at: 0s, alert: {alertname: A}}]\n"
                                                "until: 1m\n"));
  const Coverage coverage = CoverageOf(*world.playbook, {story.touched});

  EXPECT_EQ(coverage.rules.touched, 1u);
  EXPECT_EQ(coverage.rules.all, 3u);
  EXPECT_EQ(coverage.steps.touched, 1u);
  EXPECT_EQ(coverage.steps.all, 6u);
  EXPECT_THAT(coverage.untouched,
              ElementsAre("rule gap", "rule factory", "rule rest: step 2 (after 15m: plant)",
                          "handling needs_decision", "calendar shift: never on",
                          "calendar shift: never off"));
}

TEST(CoverageOf, JoinsTheStories) {
  const World world = testing::TheWorld();
  const auto touched = [&](const std::string& yaml) {
    return Walk(world, testing::Read(yaml)).touched;
  };
  const std::string site = "context: [{kind: site, id: a, attributes: {kind: factory}}]\n";

  EXPECT_THAT(
      CoverageOf(*world.playbook,
                 {touched(site + "steps: [{at: 0s, alert: {alertname: A, site: a}}]\nuntil: 1h\n"),
                  touched(site + "steps: [{at: 4h, alert: {alertname: A, site: a}}]\nuntil: 5h\n"),
                  touched("steps: [{at: 0s, alert: {alertname: Gap}}]\nuntil: 1h\n")})
          .untouched,
      IsEmpty());
}

}  // namespace
}  // namespace tandem::replay
