#include "router/replay/walk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/replay/testing.h"

namespace tandem::replay {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Read;
using testing::StoryOf;
using testing::Texts;
using testing::TheWorld;

TEST(Walk, TellsAnIncidentFromItsOpeningToItsResolution) {
  EXPECT_THAT(StoryOf("steps:\n"
                      "  - {at: 0s, alert: {alertname: LinkDown, severity: critical}}\n"
                      "  - {at: 3m, acknowledge: {by: eva, side: customer, for: 30m, "
                      "comment: On my way}}\n"
                      "  - {at: 5m, note: {by: ann, side: provider, text: Port is flapping}}\n"
                      "  - {at: 20m, clear: {alertname: LinkDown, severity: critical}}\n"),
              ElementsAre("+0s opened #1 by rule rest: noc leads, autonomous, critical",
                          "+10s told ann (noc, step 1)",
                          "+3m acknowledged by eva (customer) for 30m: On my way",
                          "+5m noted by ann (provider): Port is flapping", "+20m LinkDown cleared",
                          "+20m30s resolved: nothing fires any more",
                          "+20m30s told ann that it is resolved"));
}

TEST(Walk, ClimbsTheLadderToTheLastResortWhenNobodyAnswers) {
  EXPECT_THAT(StoryOf("steps: [{at: 0s, alert: {alertname: LinkDown}}]\nuntil: 1h30m\n"),
              ElementsAre("+0s opened #1 by rule rest: noc leads, autonomous, warning",
                          "+10s told ann (noc, step 1)", "+15m10s told cat (plant, step 2)",
                          "+30m10s nobody has taken over and the escalation is at its end",
                          "+30m10s told boss (last resort)", "+1h10s told boss (last resort)"));
}

TEST(Walk, ResumesTheEscalationWhenTheAcknowledgementExpires) {
  EXPECT_THAT(
      StoryOf("steps:\n"
              "  - {at: 0s, alert: {alertname: LinkDown}}\n"
              "  - {at: 1m, acknowledge: {by: eva, side: customer, for: 10m}}\n"
              "until: 12m\n"),
      ElementsAre("+0s opened #1 by rule rest: noc leads, autonomous, warning",
                  "+10s told ann (noc, step 1)", "+1m acknowledged by eva (customer) for 10m",
                  "+11m the acknowledgement of eva (customer) expired",
                  "+11m told cat (plant, step 2)"));
}

TEST(Walk, RetriesAsTheNotifierDoesAndGivesUp) {
  const auto story = StoryOf(
      "steps:\n"
      "  - {at: 0s, outage: {contact: ann, for: 2h}}\n"
      "  - {at: 0s, alert: {alertname: LinkDown}}\n"
      "until: 20m\n");

  EXPECT_THAT(story,
              ElementsAre("+0s ann does not answer for 2h",
                          "+0s opened #1 by rule rest: noc leads, autonomous, warning",
                          "+10s could not tell ann (noc, step 1): it does not answer; tries again",
                          // Half of 2+4+8+16+32+64 s, then a minute each, up to ten minutes.
                          "+9m13s gave up telling ann (noc, step 1) after 15 attempts: it does not "
                          "answer",
                          "+9m13s nobody of step 1 was reached; the next follows at once",
                          "+9m13s told cat (plant, step 2)"));
}

TEST(Walk, ReachesAContactOnceItsOutageIsOver) {
  EXPECT_THAT(StoryOf("steps:\n"
                      "  - {at: 0s, outage: {contact: ann, for: 1m}}\n"
                      "  - {at: 0s, alert: {alertname: LinkDown}}\n"
                      "until: 5m\n"),
              Contains("+1m13s told ann (noc, step 1) at attempt 7"));
}

TEST(Walk, SaysThatAStepHasNobodyToTell) {
  EXPECT_THAT(StoryOf("steps: [{at: 0s, alert: {alertname: Gap}}]\nuntil: 5m\n"),
              ElementsAre("+0s opened #1 by rule gap: plant leads, autonomous, warning",
                          "+10s nobody could be told: step 1 has no contacts; the next follows at "
                          "once",
                          "+10s told cat (plant, step 2)"));
}

TEST(Walk, SaysWhichCalendarHeldAndWhatTheContextLacks) {
  const std::string site =
      "context: [{kind: site, id: a, attributes: {kind: factory}}]\n"
      "steps: [{at: 0s, alert: {alertname: X, site: a}}, {at: 2h, alert: {alertname: Y, site: "
      "a}}]\n"
      "until: 2h\n";

  EXPECT_THAT(StoryOf(site),
              Contains("+0s opened #1 by rule factory (shift is on): plant leads, needs_decision, "
                       "warning"));
  EXPECT_THAT(
      StoryOf(site),
      Contains("+2h opened #2 by rule rest (shift is off): noc leads, autonomous, warning"));
  EXPECT_THAT(
      StoryOf("steps: [{at: 0s, alert: {alertname: X, site: b}}]\nuntil: 1s\n"),
      ElementsAre(
          "+0s opened #1 by rule factory (shift is on): plant leads, needs_decision, warning",
          "+0s context gap: site.kind"));
}

TEST(Walk, NumbersTheLinesOfEveryIncidentButTheFirst) {
  const auto story = StoryOf(
      "steps:\n"
      "  - {at: 0s, alert: {alertname: A, host: x}}\n"
      "  - {at: 1s, alert: {alertname: B}}\n"
      "  - {at: 2s, alert: {alertname: A, host: y}}\n"
      "  - {at: 1m, resolve: {by: eva, side: customer, incident: 1, comment: Swapped}}\n"
      "  - {at: 2m, resolve: {by: eva, side: customer, incident: 1}}\n"
      "  - {at: 3m, reopen: {by: ann, side: provider, incident: 1}}\n"
      "until: 4m\n");

  EXPECT_THAT(
      story,
      ElementsAre("+0s opened #1 by rule rest: noc leads, autonomous, warning",
                  "+1s opened #2 by rule rest: noc leads, autonomous, warning",
                  "+2s A joined (2 fire)", "+10s told ann (noc, step 1)",
                  "+11s #2 told ann (noc, step 1)", "+1m resolved by eva (customer): Swapped",
                  "+1m told ann that it is resolved",
                  "+2m the resolution by eva (customer) was refused: incident 1 is resolved; only "
                  "one that is open or acknowledged can be resolved",
                  "+3m reopened by ann (provider)", "+3m told ann (noc, step 1)"));
}

TEST(Walk, FollowsAContextThatChangesOnTheWay) {
  const auto story = StoryOf(
      "steps:\n"
      "  - {at: 0s, put_context: {kind: site, id: a, attributes: {kind: factory}}}\n"
      "  - {at: 1m, alert: {alertname: X, site: a}}\n"
      "  - {at: 2m, remove_context: site/a}\n"
      "  - {at: 3m, alert: {alertname: Y, site: a}}\n"
      "  - {at: 4m, nothing: {}}\n"
      "until: 4m\n");

  EXPECT_THAT(story, Contains("+0s context changed: site/a"));
  EXPECT_THAT(story, Contains("+2m context changed: site/a is gone"));
  EXPECT_THAT(story, Contains(HasSubstr("opened #1 by rule factory")));
  EXPECT_THAT(story, Contains("+3m #2 context gap: site.kind"));
  EXPECT_THAT(story, Not(Contains("+1m context gap: site.kind")));
}

TEST(Walk, TellsQuestionsAnswersAndWhoTakesTheLead) {
  const auto story = StoryOf(
      "context: [{kind: site, id: a, attributes: {kind: factory}}]\n"
      "steps:\n"
      "  - {at: 0s, alert: {alertname: X, site: a}}\n"
      "  - {at: 1m, answer: {by: ann, side: provider, answer: approve, comment: Once}}\n"
      "  - {at: 2m, offer: {by: cat, side: customer, team: noc, comment: Yours}}\n"
      "  - {at: 3m, decline: {by: ann, side: provider}}\n"
      "  - {at: 4m, offer: {by: cat, side: customer, team: noc}}\n"
      "  - {at: 5m, accept: {by: ann, side: provider}}\n"
      "until: 5m\n");

  EXPECT_THAT(story, Contains(HasSubstr("+10s asked noc (due in ")));
  EXPECT_THAT(story, Contains("+1m answered by ann (provider): approve: Once"));
  EXPECT_THAT(story, Contains("+2m the lead is offered to noc by cat (customer): Yours"));
  EXPECT_THAT(story, Contains("+3m noc does not take the lead: declined by ann (provider)"));
  EXPECT_THAT(story, Contains("+5m noc leads: accepted by ann (provider)"));
}

TEST(Walk, RefusesWhatNobodyCouldDo) {
  EXPECT_THAT(StoryOf("steps:\n"
                      "  - {at: 0s, acknowledge: {by: eva, side: customer}}\n"
                      "  - {at: 1s, clear: {alertname: X}}\n"
                      "  - {at: 2s, note: {by: eva, side: customer, incident: 7, text: Hm}}\n"),
              ElementsAre("+0s the acknowledgement by eva (customer) was refused: no incident is "
                          "there for it",
                          "+1s X cleared, and had not fired",
                          "+2s #7 the note by eva (customer) was refused: there is no such "
                          "incident"));
}

TEST(Walk, GivesTheSameStoryTwice) {
  const Scenario scenario = Read(
      "steps:\n"
      "  - {at: 0s, outage: {contact: ann, for: 7m}}\n"
      "  - {at: 0s, alert: {alertname: A, severity: info}}\n"
      "  - {at: 1m, alert: {alertname: B, severity: critical}}\n"
      "  - {at: 5m, alert: {alertname: A, host: b, severity: critical}}\n"
      "until: 30d\n");
  const World world = TheWorld();
  const Story first = Walk(world, scenario);

  EXPECT_EQ(first.lines, Walk(world, scenario).lines);
  EXPECT_GT(first.lines.size(), 1'000u);
  EXPECT_FALSE(first.cut);
  EXPECT_EQ(first.end, absl::Hours(24 * 30));
}

TEST(Walk, EndsAStoryThatNobodyWouldRead) {
  std::string steps = "steps:\n";
  for (int i = 0; i < 40; ++i)
    steps += "  - {at: 0s, alert: {alertname: A" + std::to_string(i) + "}}\n";
  const Story story = Walk(TheWorld(), Read(steps + "until: 100d\n"));

  EXPECT_TRUE(story.cut);
  EXPECT_EQ(story.lines.size(), kStoryLinesMax);
  EXPECT_THAT(LineText(story.lines.back()), HasSubstr("the story ends here: 100000 lines"));
}

TEST(Walk, EndsADayAfterTheLastStepWhenNothingElseEndsIt) {
  const Story story = Walk(TheWorld(), Read("steps: [{at: 1h, alert: {alertname: A}}]\n"));

  EXPECT_LE(story.lines.back().at, absl::Hours(25));
  EXPECT_GT(story.lines.back().at, absl::Hours(24));
}

}  // namespace
}  // namespace tandem::replay
