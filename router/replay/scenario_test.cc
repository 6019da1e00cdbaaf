#include "router/replay/scenario.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/replay/testing.h"

namespace tandem::replay {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Findings(const std::string& yaml) {
  std::vector<std::string> texts;
  for (const playbook::Finding& finding : ReadScenarios(yaml).findings) {
    texts.push_back(std::to_string(finding.line) + ":" + std::to_string(finding.column) + " " +
                    finding.message);
  }
  return texts;
}

constexpr char kHead[] = "scenarios:\n  - name: a\n    start: \"2026-03-02 12:00 UTC\"\n";

TEST(ReadScenarios, ReadsEveryKey) {
  const Scenarios read = ReadScenarios(R"(scenarios:
  - name: link-down
    about: A switch goes down.
    start: "2026-03-02 12:00 Europe/Vienna"
    context: [{kind: device, id: sw-7, attributes: {ward: icu}, relations: ["runs_at site/main"]}]
    steps:
      - {at: 0s, alert: {b: "2", a: 1, c: ""}, annotations: {summary: Down}}
      - {at: 2h30m, reopen: {by: eva, side: customer, incident: 2}}
    until: 4h
    expect: ["+0s opened #1"]
    whole: true
    never: [told boss]
)");

  ASSERT_THAT(read.findings, IsEmpty());
  const Scenario& scenario = read.scenarios.at(0);
  EXPECT_EQ(scenario.name, "link-down");
  EXPECT_EQ(scenario.start, absl::FromUnixSeconds(1'772'449'200));
  EXPECT_THAT(scenario.context.at(0).relations, ElementsAre(std::pair("runs_at", "site/main")));
  const auto& alert = std::get<RaiseAlert>(scenario.steps.at(0).action);
  EXPECT_EQ(alert.labels, (Pairs{{"a", "1"}, {"b", "2"}})) << "sorted, the empty one left out";
  EXPECT_EQ(alert.annotations, (Pairs{{"summary", "Down"}}));
  EXPECT_EQ(scenario.steps.at(1).at, absl::Minutes(150));
  EXPECT_EQ(std::get<Reopen>(scenario.steps.at(1).action).incident, 2u);
  EXPECT_EQ(scenario.until, absl::Hours(4));
  EXPECT_TRUE(scenario.whole);
  EXPECT_EQ(scenario.never.at(0).text, "told boss");
}

TEST(ReadScenarios, GivesNoneForAPlaybookWithoutAny) {
  const Scenarios read = ReadScenarios("playbook: 1\ntenant: t\n");

  EXPECT_THAT(read.scenarios, IsEmpty());
  EXPECT_FALSE(read.has_errors);
}

TEST(ReadScenarios, NamesThePositionAndTheNearestKey) {
  EXPECT_THAT(
      Findings(std::string(kHead) + "    steps: [{at: 0s, alert: {a: b}}]\n    expct: []\n"),
      ElementsAre("5:5 scenarios[0].expct: there is no such key; did you mean \"expect\"?"));
  EXPECT_THAT(Findings(std::string(kHead) + "    steps:\n      - {at: 0s, acknowlege: {}}\n"),
              ElementsAre(HasSubstr("5:9 scenarios[0].steps[0]: a step says what happens"),
                          AllOf(HasSubstr("5:18"), HasSubstr("did you mean \"acknowledge\"?"))));
}

TEST(ReadScenarios, RefusesWhatCouldNotHappen) {
  const std::string head = kHead;
  EXPECT_THAT(Findings(head + "    steps: [{at: 5m, nothing: {}}, {at: 4m, nothing: {}}]\n"),
              ElementsAre(HasSubstr("the one before is at 5m")));
  EXPECT_THAT(Findings(head + "    steps: [{at: 5m, nothing: {}}]\n    until: 1m\n"),
              ElementsAre(HasSubstr("would end before its last step at 5m")));
  EXPECT_THAT(Findings(head + "    steps: [{at: 5m, nothing: {}, clear: {a: b}}]\n"),
              ElementsAre(HasSubstr("a step does one thing, and \"nothing\" stands here already")));
  EXPECT_THAT(Findings(head + "    steps: []\n"), ElementsAre(HasSubstr("at least one step")));
  EXPECT_THAT(Findings(head + "    steps: [{at: 0s, alert: {}}]\n"),
              ElementsAre(HasSubstr("at least one label")));
  EXPECT_THAT(Findings(head + "    steps: [{at: 0s, remove_context: gadget/x}]\n"),
              ElementsAre(HasSubstr("expected KIND/ID")));
  EXPECT_THAT(Findings(head + "    steps: [{at: 0s, note: {by: eva, side: custmer, text: x}}]\n"),
              ElementsAre(HasSubstr("did you mean \"customer\"?")));
}

TEST(ReadScenarios, JudgesEntitiesAsTheImportDoes) {
  EXPECT_THAT(Findings(std::string(kHead) +
                       "    context:\n      - {kind: device, id: a, matchers: ['a b']}\n"
                       "    steps: [{at: 0s, nothing: {}}]\n"),
              ElementsAre(AllOf(HasSubstr("5:42"), HasSubstr("matchers[0]"))));
}

TEST(ReadScenarios, RefusesATimeThatNoClockShows) {
  const auto start = [](const std::string& text) {
    return Findings("scenarios:\n  - name: a\n    start: \"" + text +
                    "\"\n    steps: [{at: 0s, nothing: {}}]\n");
  };

  EXPECT_THAT(start("2026-03-29 02:30 Europe/Vienna"), ElementsAre(HasSubstr("3:12")))
      << "the night in which the clock springs forward";
  EXPECT_THAT(start("2026-03-02 12:00 Europe/Wien"),
              ElementsAre(HasSubstr("did you mean \"Europe/Vienna\"?")));
  EXPECT_THAT(start("2026-02-30 12:00 UTC"), ElementsAre(HasSubstr("no time that a clock")));
  EXPECT_THAT(start("2026-03-02 12:00 localtime"),
              ElementsAre(HasSubstr("differs from machine to machine")));
  for (const char* far : {"1960-03-02 12:00 UTC", "-5-12-31 23:59 UTC", "300000-03-02 12:00 UTC"}) {
    EXPECT_THAT(start(far), ElementsAre(HasSubstr("is not in the years 1970 to 2100"))) << far;
  }
  EXPECT_THAT(start("noon"), ElementsAre(HasSubstr("local time and zone")));
  EXPECT_THAT(start("2026-03-02T12:00:30 UTC"), IsEmpty());
}

TEST(ReadScenarios, WantsEveryNameOnce) {
  EXPECT_THAT(
      Findings("scenarios:\n"
               "  - {name: a, start: 2026-03-02 12:00 UTC, steps: [{at: 0s, nothing: {}}]}\n"
               "  - {name: a, start: 2026-03-02 12:00 UTC, steps: [{at: 0s, nothing: {}}]}\n"
               "  - {name: B, start: 2026-03-02 12:00 UTC, steps: [{at: 0s, nothing: {}}]}\n"),
      ElementsAre(HasSubstr("there is a scenario \"a\" already"),
                  HasSubstr("\"B\" is not a scenario's name")));
}

TEST(CheckAgainst, NamesTheNearestContact) {
  const Scenario scenario = testing::Read("steps: [{at: 0s, outage: {contact: bos, for: 5m}}]\n");
  const auto findings = CheckAgainst({scenario}, *testing::TheWorld().playbook);

  ASSERT_EQ(findings.size(), 1u);
  EXPECT_THAT(findings[0].message, HasSubstr("did you mean \"boss\"?"));
}

}  // namespace
}  // namespace tandem::replay
