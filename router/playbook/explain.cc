// Playbook::Explain: the verdict on each rule, in words.
#include <fmt/format.h>

#include <utility>

#include "router/base/text.h"
#include "router/playbook/index.h"
#include "router/playbook/playbook.h"
#include "router/playbook/trial.h"

namespace tandem::playbook {
namespace {

// Names what fails, or else what is missing, of one rule.
class Reasoner {
 public:
  Reasoner(LabelsView labels, const Binding& binding, absl::Time now)
      : binding_(binding), now_(now), trial_(labels, binding, now, scratch_) {}

  std::string FirstObstacle(const RulePlan& plan) {
    std::string missing;  // Told only when nothing fails.
    for (const Matcher* matcher : plan.labels) {
      const std::string_view value = trial_.Label(*matcher);
      if (!matcher->Matches(value)) return WithValue(*matcher, value);
    }
    const auto note = [&](std::string text) {
      if (missing.empty()) missing = std::move(text);
    };
    for (const RulePlan::Context& condition : plan.context) {
      const Truth truth = trial_.Context(condition);
      if (truth == Truth::kFails) return WithValue(*condition.matcher, *trial_.Fact(condition));
      if (truth == Truth::kMissing) {
        note(fmt::format("{} ({})", condition.matcher->ToText(),
                         Absence(condition.kind, "attribute", condition.matcher->attribute())));
      }
    }
    for (const auto& list : plan.in) {
      const Truth any_on = trial_.AnyOn(list);
      if (any_on == Truth::kFails) return fmt::format("in {}", Calendars(list));
      if (any_on == Truth::kMissing) note(fmt::format("in {}", Calendars(list)));
    }
    for (const RulePlan::When& when : plan.not_in) {
      const Truth truth = trial_.IsOff(when);
      if (truth == Truth::kFails) return fmt::format("not in {}", CalendarState(when));
      if (truth == Truth::kMissing) note(fmt::format("not in {}", CalendarState(when)));
    }
    return missing;
  }

 private:
  static std::string WithValue(const Matcher& matcher, std::string_view value) {
    if (value.empty() && !matcher.is_context()) return matcher.ToText() + " (absent)";
    return fmt::format("{} (is \"{}\")", matcher.ToText(), Shown(value));
  }

  std::string Absence(std::size_t kind, std::string_view what, std::string_view name) const {
    const Entity* entity = binding_.bound[kind].entity;
    if (entity == nullptr) return fmt::format("missing: no {} is bound", kEntityKinds[kind]);
    return fmt::format("missing: {} {} has no {} \"{}\"", kEntityKinds[kind],
                       Shown(entity->spec.id), what, name);
  }

  std::string CalendarState(const RulePlan::When& when) const {
    const Calendar* calendar = trial_.Resolve(when);
    const std::string& name = when.condition->calendar;
    if (calendar == nullptr) {
      return fmt::format("{} ({})", name, Absence(when.kind, "calendar", when.name));
    }
    return fmt::format("{} ({}, {})", name, calendar->IsOn(now_) ? "on" : "off",
                       calendar->LocalTime(now_));
  }

  std::string Calendars(const std::vector<RulePlan::When>& all) const {
    std::string text;
    for (const RulePlan::When& when : all) {
      if (!text.empty()) text += " or ";
      text += CalendarState(when);
    }
    return text;
  }

  const Binding& binding_;
  absl::Time now_;
  Match scratch_;
  Trial trial_;
};

}  // namespace

std::vector<Verdict> Playbook::Explain(LabelsView labels, const Binding& binding,
                                       absl::Time now) const {
  std::vector<Verdict> verdicts;
  Reasoner reasoner(labels, binding, now);
  Match match;
  Trial trial(labels, binding, now, match);
  for (std::uint32_t rule = 0; rule < rules_.size(); ++rule) {
    const RulePlan& plan = index_->plans()[rule];
    const bool matched = trial.Try(rules_[rule], plan, Found::kByTurn);
    verdicts.push_back({rule, matched, reasoner.FirstObstacle(plan)});
    if (matched) break;
  }
  return verdicts;
}

}  // namespace tandem::playbook
