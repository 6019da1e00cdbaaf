#include "router/playbook/playbook.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/playbook/parse.h"

namespace tandem::playbook {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kSource = R"(playbook: 1
tenant: harbor-mfg
contacts:
  noc-desk: {side: provider, webhook: {url: "https://hooks.example/noc", secret: noc-webhook}}
  plant-desk: {side: customer, webhook: {url: "https://hooks.example/plant"}}
teams:
  noc: {side: provider, contacts: [noc-desk]}
  plant-it: {side: customer, contacts: [plant-desk]}
calendars:
  holidays: {location: America/Chicago, intervals: [{months: [december], days_of_month: ["25"]}]}
escalations:
  noc-first: {steps: [{after: 0s, notify: [noc]}, {after: 10m, notify: [plant-it, noc]}], repeat: 1}
last_resort: plant-desk
rules:
  - name: mes-in-production
    match: ['service="mes"', 'site.kind="factory"', 'severity=~"critical|major"']
    when: {in: [site.production], not_in: [holidays]}
    owner: plant-it
    handling: needs_decision
    escalation: noc-first
    reason: Stopping MES stops the line.
  - name: quiet-sites
    match: ['site.criticality="low"']
    owner: noc
    handling: autonomous
    escalation: noc-first
    if_missing: skip
    reason: Nothing there hurts.
  - {name: rest, owner: noc, handling: autonomous, escalation: noc-first, reason: The NOC begins.}
)";

// Monday 2026-06-01, 14:05 in Chicago.
const absl::Time kOnShift = absl::FromUnixSeconds(1780340700);
const absl::Time kOffShift = kOnShift + absl::Hours(12);

class PlaybookTest : public ::testing::Test {
 protected:
  PlaybookTest() : playbook_(CompilePlaybook(kSource).playbook) {
    EntitySpec site;
    site.kind = "site";
    site.id = "plant-7";
    site.attributes = {{"criticality", "high"}, {"kind", "factory"}};
    CalendarSpec production;
    production.location = "America/Chicago";
    production.intervals.emplace_back().times = {"06:00-22:00"};
    site.calendars = {{"production", production}};
    EXPECT_TRUE(environment_.Put(site).ok());
  }

  Match Ask(LabelsView labels, absl::Time now) const {
    return playbook_->MatchRule(labels, environment_.Bind(labels), now);
  }

  std::shared_ptr<const Playbook> playbook_;
  Environment environment_;
};

TEST_F(PlaybookTest, TakesTheFirstRuleWhoseConditionsAllHold) {
  const LabelView labels[] = {{"service", "mes"}, {"severity", "major"}, {"site", "plant-7"}};

  const Match match = Ask(labels, kOnShift);

  EXPECT_EQ(playbook_->rules()[match.rule].name, "mes-in-production");
  EXPECT_EQ(match.handling, Handling::kNeedsDecision);
  EXPECT_FALSE(match.context_gap);
  EXPECT_THAT(match.gaps, IsEmpty());
  EXPECT_THAT(match.asked,
              ElementsAre(CalendarAsked{"site.production", true, "Mon 14:05 America/Chicago"},
                          CalendarAsked{"holidays", false, "Mon 14:05 America/Chicago"}));
}

TEST_F(PlaybookTest, PassesARuleOverWhenItsCalendarIsOff) {
  const LabelView labels[] = {{"service", "mes"}, {"severity", "major"}, {"site", "plant-7"}};

  const Match match = Ask(labels, kOffShift);

  EXPECT_EQ(playbook_->rules()[match.rule].name, "rest");
  EXPECT_THAT(match.asked,
              ElementsAre(CalendarAsked{"site.production", false, "Tue 02:05 America/Chicago"}));
}

TEST_F(PlaybookTest, AsksForInputAtLeastWhenOnlyMissingFactsStandInTheWay) {
  const LabelView labels[] = {{"service", "mes"}, {"severity", "major"}, {"site", "plant-9"}};
  const std::pair<std::string, Handling> expected[] = {
      {"autonomous", Handling::kNeedsInput},
      {"needs_input", Handling::kNeedsInput},
      {"needs_decision", Handling::kNeedsDecision},
  };
  for (const auto& [declared, handling] : expected) {
    std::string source(kSource);
    const std::string line = "handling: needs_decision";
    source.replace(source.find(line), line.size(), "handling: " + declared);
    playbook_ = CompilePlaybook(source).playbook;

    const Match match = Ask(labels, kOffShift);

    EXPECT_EQ(playbook_->rules()[match.rule].name, "mes-in-production");
    EXPECT_EQ(match.handling, handling) << declared;
    EXPECT_TRUE(match.context_gap);
    EXPECT_THAT(match.gaps, ElementsAre("site.kind", "site.production"));
  }
}

TEST_F(PlaybookTest, NotesTheGapOfARuleThatWasSkippedForIt) {
  const LabelView labels[] = {{"service", "erp"}};

  const Match match = Ask(labels, kOnShift);

  EXPECT_EQ(playbook_->rules()[match.rule].name, "rest");
  EXPECT_FALSE(match.context_gap);
  EXPECT_THAT(match.gaps, ElementsAre("site.criticality"));
}

TEST_F(PlaybookTest, FailsARuleByAPresentFactWhateverElseIsMissing) {
  const LabelView labels[] = {{"service", "mes"}, {"severity", "info"}};

  const Match match = Ask(labels, kOnShift);

  EXPECT_EQ(playbook_->rules()[match.rule].name, "rest");
  EXPECT_THAT(match.gaps, ElementsAre("site.criticality"));
}

}  // namespace
}  // namespace tandem::playbook
