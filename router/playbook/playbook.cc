#include "router/playbook/playbook.h"

#include <algorithm>

#include "router/base/check.h"
#include "router/playbook/index.h"
#include "router/playbook/trial.h"

namespace tandem::playbook {

Playbook::Playbook() = default;
Playbook::~Playbook() = default;

void Playbook::BuildIndex() { index_ = std::make_unique<const RuleIndex>(*this); }

Match Playbook::MatchRule(LabelsView labels, const Binding& binding, absl::Time now) const {
  Match match;
  Trial trial(labels, binding, now, match);
  bool found = false;
  index_->ForEachCandidate(labels, binding, [&](std::uint32_t rule) {
    match.rule = rule;
    found = trial.Try(rules_[rule], index_->plans()[rule], Found::kByIndex);
    return found;
  });
  TANDEM_CHECK(found, "the last rule of a playbook matches everything");
  return match;
}

Match Playbook::MatchByScan(LabelsView labels, const Binding& binding, absl::Time now) const {
  Match match;
  Trial trial(labels, binding, now, match);
  for (std::uint32_t rule = 0; rule < rules_.size(); ++rule) {
    match.rule = rule;
    if (trial.Try(rules_[rule], index_->plans()[rule], Found::kByTurn)) return match;
  }
  TANDEM_CHECK(false, "the last rule of a playbook matches everything");
  return match;
}

std::optional<std::uint32_t> Playbook::FindTeam(std::string_view name) const {
  // A thousand at most, and people ask.
  const auto found = std::find_if(teams_.begin(), teams_.end(),
                                  [name](const Team& team) { return team.name == name; });
  if (found == teams_.end()) return std::nullopt;
  return static_cast<std::uint32_t>(found - teams_.begin());
}

const Calendar* Playbook::FindCalendar(std::string_view name) const {
  const auto found = std::lower_bound(
      calendars_.begin(), calendars_.end(), name,
      [](const auto& calendar, std::string_view key) { return calendar.first < key; });
  return found != calendars_.end() && found->first == name ? &found->second : nullptr;
}

const Schedule* Playbook::FindSchedule(std::string_view name) const {
  const auto found =
      std::find_if(schedules_.begin(), schedules_.end(),
                   [&](const Schedule& schedule) { return schedule.name() == name; });
  return found == schedules_.end() ? nullptr : &*found;
}

}  // namespace tandem::playbook
