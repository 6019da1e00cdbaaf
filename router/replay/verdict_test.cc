#include "router/replay/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "router/replay/testing.h"

namespace tandem::replay {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Story StoryWith(const std::vector<std::string>& texts) {
  Story story;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    story.lines.push_back({absl::Minutes(i), IncidentNumber(1), texts[i]});
  }
  return story;
}

Scenario Expecting(const std::vector<std::string>& lines) {
  Scenario scenario;
  for (const std::string& line : lines) scenario.expect.push_back({line, {}});
  return scenario;
}

std::vector<std::string> DiffOf(const Scenario& scenario, const Story& story) {
  std::vector<std::string> lines;
  for (const DiffLine& line : Diff(scenario, story, Judge(scenario, story))) {
    lines.push_back(std::string(MarkOf(line.kind)) + line.text);
  }
  return lines;
}

const Story kStory = StoryWith(
    {"opened #1 by rule a", "told ann (noc, step 1)", "told bob (noc, step 1)", "resolved"});

TEST(Judge, IsGreenWhenTheLinesOccurInOrder) {
  EXPECT_TRUE(Judge(Expecting({"+0s opened #1 by rule a", "+3m resolved"}), kStory).green());
  const Verdict verdict = Judge(Expecting({"+3m resolved", "+0s opened #1 by rule a"}), kStory);
  EXPECT_EQ(verdict.missing, 1u);
  EXPECT_EQ(Summary(verdict), "1 of 2 expected lines did not occur");
}

TEST(Judge, LosesNoOtherLineToOneThatIsMissing) {
  const Scenario scenario = Expecting({"+0s opened #1 by rule a", "+3m resolved",
                                       "+1m told ann (noc, step 1)", "+2m told bob (noc, step 1)"});

  EXPECT_EQ(Judge(scenario, kStory).missing, 1u);
}

TEST(Judge, WantsTheWholeStoryWhenAsked) {
  Scenario scenario = Expecting({"+0s opened #1 by rule a", "+3m resolved"});
  scenario.whole = true;

  EXPECT_THAT(Judge(scenario, kStory).unexpected, ElementsAre(1, 2));
  EXPECT_THAT(DiffOf(scenario, kStory),
              ElementsAre("  +0s opened #1 by rule a", "+ +1m told ann (noc, step 1)",
                          "+ +2m told bob (noc, step 1)", "  +3m resolved"));
}

TEST(Judge, FindsWhatMustNeverOccur) {
  Scenario scenario;
  scenario.never = {{"told bob", {}}, {"told eva", {}}};

  const Verdict verdict = Judge(scenario, kStory);
  EXPECT_FALSE(verdict.green());
  EXPECT_THAT(DiffOf(scenario, kStory),
              ElementsAre("! +2m told bob (noc, step 1)  (never: \"told bob\")"));
}

TEST(Judge, IsNotGreenWhenNothingIsExpected) { EXPECT_FALSE(Judge(Scenario(), kStory).green()); }

TEST(Diff, ShowsWhereALineIsMissingAndWhatResemblesIt) {
  EXPECT_THAT(
      DiffOf(Expecting({"+0s opened #1 by rule a", "+5m told bob (noc, step 1)", "+3m resolved"}),
             kStory),
      ElementsAre("  +0s opened #1 by rule a", "- +5m told bob (noc, step 1)",
                  "~ +2m told bob (noc, step 1)", "  +3m resolved"));
}

TEST(Diff, LeavesOutWhatIsFarFromAnyDifference) {
  std::vector<std::string> texts, expected;
  for (int i = 0; i < 10; ++i) {
    texts.push_back("line");
    expected.push_back("+" + std::string(i == 0 ? "0s" : std::to_string(i) + "m") + " line");
  }
  expected.push_back("+1h something else");

  EXPECT_THAT(
      DiffOf(Expecting(expected), StoryWith(texts)),
      ElementsAre("  (8 lines as expected)", "  +8m line", "  +9m line", "- +1h something else"));
}

TEST(NewExpectation, ReplacesAMissingLineByWhatResemblesItBetweenItsNeighbours) {
  const Scenario scenario = Expecting({"+0s opened #1 by rule a", "+5m told bob (noc, step 1)",
                                       "+6m nothing of the kind", "+3m resolved"});
  const auto lines = NewExpectation(scenario, kStory, Judge(scenario, kStory));

  ASSERT_EQ(lines.size(), 3u);
  EXPECT_TRUE(lines[0].same);
  EXPECT_EQ(lines[1].text, "+2m told bob (noc, step 1)");
  EXPECT_EQ(lines[1].old, 1u);
  EXPECT_TRUE(lines[2].same);
}

TEST(NewExpectation, IsTheWholeStoryWhenNothingWasExpected) {
  const Scenario scenario;

  EXPECT_EQ(NewExpectation(scenario, kStory, Judge(scenario, kStory)).size(), 4u);
}

TEST(LineText, NumbersEveryIncidentButTheFirst) {
  EXPECT_EQ(LineText({absl::Hours(76), IncidentNumber(2), "resolved"}), "+3d4h #2 resolved");
  EXPECT_EQ(LineText({absl::Minutes(150), IncidentNumber(1), "resolved"}), "+2h30m resolved");
  EXPECT_EQ(LineText({absl::Seconds(5), IncidentNumber(), "ann is out"}), "+5s ann is out");
}

}  // namespace
}  // namespace tandem::replay
