#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/playbook/parse.h"
#include "router/playbook/playbook.h"

namespace tandem::playbook {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;

constexpr std::string_view kSource = R"(playbook: 1
tenant: harbor-mfg
contacts:
  desk: {side: provider, webhook: {url: "https://hooks.example/noc"}}
teams:
  noc: {side: provider, contacts: [desk]}
calendars:
  freeze: {intervals: [{days_of_month: ["1"]}]}
escalations:
  all: {steps: [{after: 0s, notify: [noc]}]}
rules:
  - {name: label, match: ['service="mes"'], owner: noc, handling: autonomous, escalation: all, reason: r}
  - {name: absent, match: ['team!=""'], owner: noc, handling: autonomous, escalation: all, reason: r}
  - {name: fact, match: ['site.kind="hospital"'], owner: noc, handling: autonomous, escalation: all, reason: r}
  - {name: off, when: {in: [site.production]}, owner: noc, handling: autonomous, escalation: all, reason: r}
  - {name: frozen, when: {not_in: [freeze]}, owner: noc, handling: autonomous, escalation: all, reason: r}
  - {name: skipped, match: ['site.tier="1"'], if_missing: skip, owner: noc, handling: autonomous, escalation: all, reason: r}
  - {name: unbound, match: ['device.kind="plc"'], if_missing: skip, owner: noc, handling: autonomous, escalation: all, reason: r}
  - {name: gap, when: {in: [site.night]}, owner: noc, handling: autonomous, escalation: all, reason: r}
  - {name: rest, owner: noc, handling: autonomous, escalation: all, reason: r}
)";

auto Says(bool matched, std::string_view failed) {
  return testing::AllOf(Field(&Verdict::matched, matched),
                        Field(&Verdict::failed, std::string(failed)));
}

TEST(Explain, NamesTheFirstConditionThatFailedOfEachRuleUpToTheMatch) {
  const auto playbook = CompilePlaybook(kSource).playbook;
  ASSERT_NE(playbook, nullptr);
  EntitySpec site;
  site.kind = "site";
  site.id = "plant-7";
  site.attributes = {{"kind", "factory"}};
  CalendarSpec production{"America/Chicago", {{}}};
  production.intervals[0].times = {"06:00-22:00"};
  site.calendars = {{"production", production}};
  Environment environment;
  ASSERT_TRUE(environment.Put(site).ok());
  const LabelView labels[] = {{"service", "erp"}, {"site", "plant-7"}};
  const absl::Time night = absl::FromUnixSeconds(1780286700);  // Mon 2026-06-01 04:05 UTC

  EXPECT_THAT(
      playbook->Explain(labels, environment.Bind(labels), night),
      ElementsAre(Says(false, R"(service="mes" (is "erp"))"), Says(false, R"(team!="" (absent))"),
                  Says(false, R"(site.kind="hospital" (is "factory"))"),
                  Says(false, "in site.production (off, Sun 23:05 America/Chicago)"),
                  Says(false, "not in freeze (on, Mon 04:05 UTC)"),
                  Says(false, R"(site.tier="1" (missing: site plant-7 has no attribute "tier"))"),
                  Says(false, R"(device.kind="plc" (missing: no device is bound))"),
                  Says(true, R"(in site.night (missing: site plant-7 has no calendar "night"))")));
}

}  // namespace
}  // namespace tandem::playbook
