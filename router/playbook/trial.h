// One rule tried against one alert: the plain meaning of matchers, calendars and missing facts.
//
// Pure; lives on the stack of one call. The meaning is told at the top of playbook.h.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "router/playbook/environment.h"
#include "router/playbook/playbook.h"

namespace tandem::playbook {

// A rule's conditions sorted by when they are tried, with names looked up beforehand.
struct RulePlan {
  struct Context {
    const Matcher* matcher = nullptr;
    std::size_t kind = 0;  // into kEntityKinds
  };
  struct When {
    const CalendarCondition* condition = nullptr;
    const Calendar* calendar = nullptr;  // nullptr: `name` of the entity of `kind`
    std::size_t kind = 0;
    std::string_view name;
  };
  std::vector<const Matcher*> labels;
  // The one of `labels` under which the index has filed the rule: it holds for every candidate.
  const Matcher* filed = nullptr;
  std::vector<Context> context;
  std::vector<std::vector<When>> in;  // lists: of each, one is on
  std::vector<When> not_in;

  // REQUIRES: `rule` and the calendars of `playbook` outlive the plan; the rule's calendars exist.
  static RulePlan Of(const Rule& rule, const Playbook& playbook);
};

// Who says that a rule may match at all.
enum class Found { kByIndex, kByTurn };

enum class Truth { kFails, kHolds, kMissing };

class Trial {
 public:
  Trial(LabelsView labels, const Binding& binding, absl::Time now, Match& match)
      : labels_(labels), binding_(binding), now_(now), match_(match) {}

  // True when the rule matches; then `match` says how. Else only calendars and gaps are added to
  // it.
  bool Try(const Rule& rule, const RulePlan& plan, Found found);

  std::string_view Label(const Matcher& matcher) const;
  // The fact that a matcher over context asks for; nullopt when it is missing.
  std::optional<std::string_view> Fact(const RulePlan::Context& condition) const;
  // The calendar's state, asked at most once in a match; nullopt when it is missing.
  std::optional<bool> Ask(const RulePlan::When& when);
  const Calendar* Resolve(const RulePlan::When& when) const;

  Truth Context(const RulePlan::Context& condition) const;
  // Whether any calendar of an `in` list is on.
  Truth AnyOn(const std::vector<RulePlan::When>& in);
  Truth IsOff(const RulePlan::When& when);

 private:
  Truth All(const RulePlan& plan, Found found);
  bool LabelsHold(const RulePlan& plan, Found found) const;
  void NoteGaps(const RulePlan& plan);
  void NoteGap(std::string_view fact);

  LabelsView labels_;
  const Binding& binding_;
  absl::Time now_;
  Match& match_;
};

}  // namespace tandem::playbook
