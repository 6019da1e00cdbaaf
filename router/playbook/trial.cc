#include "router/playbook/trial.h"

#include <algorithm>

#include "router/base/check.h"

namespace tandem::playbook {

RulePlan RulePlan::Of(const Rule& rule, const Playbook& playbook) {
  RulePlan plan;
  for (const Matcher& matcher : rule.matchers) {
    if (matcher.is_context()) {
      plan.context.push_back({&matcher, EntityKindIndex(matcher.entity_kind()).value()});
    } else {
      plan.labels.push_back(&matcher);
    }
  }
  for (const CalendarCondition& condition : rule.when) {
    When when;
    when.condition = &condition;
    const std::string_view name = condition.calendar;
    if (const std::size_t dot = name.find('.'); dot != std::string_view::npos) {
      when.kind = EntityKindIndex(name.substr(0, dot)).value();
      when.name = name.substr(dot + 1);
    } else {
      when.calendar = playbook.FindCalendar(name);
      TANDEM_CHECK(when.calendar != nullptr, name);
    }
    if (!condition.in) {
      plan.not_in.push_back(when);
      continue;
    }
    const bool same = !plan.in.empty() && plan.in.back().back().condition->list == condition.list;
    if (!same) plan.in.emplace_back();
    plan.in.back().push_back(when);
  }
  return plan;
}

std::string_view Trial::Label(const Matcher& matcher) const {
  return FindLabel(labels_, matcher.name());
}

std::optional<std::string_view> Trial::Fact(const RulePlan::Context& condition) const {
  const Entity* entity = binding_.bound[condition.kind].entity;
  return entity == nullptr ? std::nullopt : entity->Attribute(condition.matcher->attribute());
}

const Calendar* Trial::Resolve(const RulePlan::When& when) const {
  if (when.calendar != nullptr) return when.calendar;
  const Entity* entity = binding_.bound[when.kind].entity;
  return entity == nullptr ? nullptr : entity->FindCalendar(when.name);
}

std::optional<bool> Trial::Ask(const RulePlan::When& when) {
  const std::string_view name = when.condition->calendar;
  for (const CalendarAsked& asked : match_.asked) {
    if (asked.calendar == name) return asked.on;
  }
  const Calendar* calendar = Resolve(when);
  if (calendar == nullptr) return std::nullopt;
  match_.asked.push_back({name, calendar->IsOn(now_), calendar->LocalTime(now_)});
  return match_.asked.back().on;
}

Truth Trial::Context(const RulePlan::Context& condition) const {
  const std::optional<std::string_view> fact = Fact(condition);
  if (!fact) return Truth::kMissing;
  return condition.matcher->Matches(*fact) ? Truth::kHolds : Truth::kFails;
}

Truth Trial::AnyOn(const std::vector<RulePlan::When>& in) {
  Truth truth = Truth::kFails;
  for (const RulePlan::When& when : in) {
    const std::optional<bool> on = Ask(when);
    if (on == true) return Truth::kHolds;
    if (!on) truth = Truth::kMissing;
  }
  return truth;
}

Truth Trial::IsOff(const RulePlan::When& when) {
  const std::optional<bool> on = Ask(when);
  if (!on) return Truth::kMissing;
  return *on ? Truth::kFails : Truth::kHolds;
}

// A rule that the index found by its only label is not looked at again: with ten thousand rules
// each look is one at cold memory.
bool Trial::LabelsHold(const RulePlan& plan, Found found) const {
  const Matcher* known = found == Found::kByIndex ? plan.filed : nullptr;
  if (known != nullptr && plan.labels.size() == 1) return true;
  return std::all_of(plan.labels.begin(), plan.labels.end(), [&](const Matcher* matcher) {
    return matcher == known || matcher->Matches(Label(*matcher));
  });
}

Truth Trial::All(const RulePlan& plan, Found found) {
  if (!LabelsHold(plan, found)) return Truth::kFails;
  Truth all = Truth::kHolds;
  const auto fails = [&](Truth truth) {
    if (truth == Truth::kMissing) all = Truth::kMissing;
    return truth == Truth::kFails;
  };
  for (const RulePlan::Context& condition : plan.context) {
    if (fails(Context(condition))) return Truth::kFails;
  }
  for (const auto& list : plan.in) {
    if (fails(AnyOn(list))) return Truth::kFails;
  }
  for (const RulePlan::When& when : plan.not_in) {
    if (fails(IsOff(when))) return Truth::kFails;
  }
  return all;
}

bool Trial::Try(const Rule& rule, const RulePlan& plan, Found found) {
  const Truth truth = All(plan, found);
  if (truth == Truth::kFails) return false;
  match_.handling = rule.handling;
  if (truth == Truth::kHolds) return true;
  NoteGaps(plan);
  if (rule.if_missing == IfMissing::kSkip) return false;
  if (rule.if_missing == IfMissing::kNeedsInput) {
    // A gap asks for more care, never for less.
    match_.handling = std::max(rule.handling, Handling::kNeedsInput);
    match_.context_gap = true;
  }
  return true;
}

void Trial::NoteGaps(const RulePlan& plan) {
  for (const RulePlan::Context& condition : plan.context) {
    if (!Fact(condition)) NoteGap(condition.matcher->name());
  }
  const auto note = [&](const RulePlan::When& when) {
    if (Resolve(when) == nullptr) NoteGap(when.condition->calendar);
  };
  // A calendar that is on answers for those beside it that are missing.
  for (const auto& list : plan.in) {
    if (AnyOn(list) == Truth::kMissing) std::for_each(list.begin(), list.end(), note);
  }
  std::for_each(plan.not_in.begin(), plan.not_in.end(), note);
}

void Trial::NoteGap(std::string_view fact) {
  if (std::find(match_.gaps.begin(), match_.gaps.end(), fact) == match_.gaps.end()) {
    match_.gaps.push_back(fact);
  }
}

}  // namespace tandem::playbook
