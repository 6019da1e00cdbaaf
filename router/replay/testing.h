// What the tests of this room share: a small playbook, and stories as texts.
//
// For tests only.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "router/playbook/parse.h"
#include "router/replay/walk.h"

namespace tandem::replay::testing {

inline constexpr std::string_view kPlaybook = R"(playbook: 1
tenant: t
defaults: {group_by: [alertname], group_wait: 10s, resolve_wait: 30s, reopen_within: 15m,
           ack_expires: 1h}
contacts:
  ann: {side: provider, webhook: {url: "https://hooks.example/ann"}}
  cat: {side: customer, webhook: {url: "https://hooks.example/cat"}}
  boss: {side: customer, webhook: {url: "https://hooks.example/boss"}}
teams:
  noc: {side: provider, contacts: [ann]}
  plant: {side: customer, contacts: [cat]}
  nobody: {side: provider}
calendars:
  shift: {location: Europe/Vienna, intervals: [{times: ["06:00-14:00"]}]}
escalations:
  usual: {steps: [{after: 0s, notify: [noc]}, {after: 15m, notify: [plant]}]}
  gap: {steps: [{after: 0s, notify: [nobody]}, {after: 15m, notify: [plant]}]}
last_resort: boss
rules:
  - name: gap
    match: ['alertname="Gap"']
    owner: plant
    handling: autonomous
    escalation: gap
    reason: A rule of the tests.
  - name: factory
    match: ['site=~".+"', 'site.kind="factory"']
    when: {in: [shift]}
    owner: plant
    handling: needs_decision
    escalation: usual
    reason: A rule of the tests.
  - name: rest
    owner: noc
    handling: autonomous
    escalation: usual
    reason: A rule of the tests.
scenarios: []
)";

inline World TheWorld() {
  const playbook::Compiled compiled = playbook::CompilePlaybook(kPlaybook);
  for (const playbook::Finding& finding : compiled.findings) {
    EXPECT_NE(finding.level, playbook::Finding::Level::kError) << finding.message;
  }
  return {compiled.playbook, {}};
}

// Of `yaml`, the keys of one scenario behind its name and start (a Monday at noon in Vienna).
inline Scenario Read(const std::string& yaml) {
  std::string text = "scenarios:\n  - name: it\n    start: \"2026-03-02 12:00 Europe/Vienna\"\n";
  std::string_view rest = yaml;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size() - 1) + 1;
    text += "    " + std::string(rest.substr(0, end));
    rest.remove_prefix(end);
  }
  const Scenarios read = ReadScenarios(text);
  for (const playbook::Finding& finding : read.findings) {
    ADD_FAILURE() << finding.line << ":" << finding.column << ": " << finding.message << "\n"
                  << text;
  }
  return read.scenarios.empty() ? Scenario{} : read.scenarios.front();
}

inline std::vector<std::string> Texts(const Story& story) {
  std::vector<std::string> texts;
  for (const StoryLine& line : story.lines) texts.push_back(LineText(line));
  return texts;
}

inline std::vector<std::string> StoryOf(const std::string& yaml) {
  return Texts(Walk(TheWorld(), Read(yaml)));
}

}  // namespace tandem::replay::testing
