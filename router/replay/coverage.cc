#include "router/replay/coverage.h"

#include <fmt/format.h>

#include <algorithm>

#include "router/base/text.h"

namespace tandem::replay {
namespace {

Touched Union(const std::vector<Touched>& stories) {
  Touched all;
  for (const Touched& story : stories) {
    all.rules.insert(story.rules.begin(), story.rules.end());
    all.handlings.insert(story.handlings.begin(), story.handlings.end());
    all.steps.insert(story.steps.begin(), story.steps.end());
    all.calendars.insert(story.calendars.begin(), story.calendars.end());
  }
  return all;
}

std::string StepText(const playbook::Playbook& playbook, const playbook::Rule& rule,
                     std::uint32_t step) {
  const playbook::Step& rung = playbook.escalations()[rule.escalation].steps[step - 1];
  std::string told;
  const auto add = [&told](const std::string& name) { told += (told.empty() ? "" : ", ") + name; };
  for (const std::uint32_t team : rung.teams) add(playbook.teams()[team].name);
  for (const std::uint32_t index : rung.schedules) add(playbook.schedules()[index].name());
  for (const std::uint32_t person : rung.people) add(playbook.people()[person].name);
  return fmt::format("rule {}: step {} (after {}: {})", rule.name, step, DurationText(rung.after),
                     told);
}

}  // namespace

Coverage CoverageOf(const playbook::Playbook& playbook, const std::vector<Touched>& stories) {
  const Touched touched = Union(stories);
  Coverage coverage;
  const auto count = [&coverage](Coverage::Count& into, bool hit, std::string what) {
    ++into.all;
    into.touched += hit ? 1 : 0;
    if (!hit && !what.empty()) coverage.untouched.push_back(std::move(what));
  };
  std::set<Handling> handlings;
  std::vector<std::string> calendars;  // in the order of the rules
  for (std::uint32_t index = 0; index < playbook.rules().size(); ++index) {
    const playbook::Rule& rule = playbook.rules()[index];
    const bool met = touched.rules.contains(index);
    count(coverage.rules, met, fmt::format("rule {}", rule.name));
    const auto steps = playbook.escalations()[rule.escalation].steps.size();
    for (std::uint32_t step = 1; step <= steps; ++step) {
      count(coverage.steps, touched.steps.contains({index, step}),
            met ? StepText(playbook, rule, step) : std::string());
    }
    handlings.insert(rule.handling);
    for (const playbook::CalendarCondition& condition : rule.when) {
      if (std::find(calendars.begin(), calendars.end(), condition.calendar) == calendars.end()) {
        calendars.push_back(condition.calendar);
      }
    }
  }
  for (const Handling handling : handlings) {
    count(coverage.handlings, touched.handlings.contains(handling),
          fmt::format("handling {}", ToText(handling)));
  }
  for (const std::string& calendar : calendars) {
    for (const bool on : {true, false}) {
      count(coverage.calendars, touched.calendars.contains({calendar, on}),
            fmt::format("calendar {}: never {}", calendar, on ? "on" : "off"));
    }
  }
  return coverage;
}

}  // namespace tandem::replay
