// Which rules of a playbook can match an alert at all, found without trying each.
//
// Every rule is filed under one condition that accepts only known texts (`service="mes"`,
// `service=~"mes|erp"`), the rarest of those it has, so that an alert without one of them never
// sees the rule. A condition on context also keeps its rules findable when the fact is missing,
// since a missing fact fails nothing. Rules without such a condition are candidates always.
//
// Immutable once built; safe from any thread.
#pragma once

#include <absl/container/inlined_vector.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "router/playbook/environment.h"
#include "router/playbook/playbook.h"
#include "router/playbook/text_map.h"
#include "router/playbook/trial.h"

namespace tandem::playbook {

class RuleIndex {
 public:
  // REQUIRES: `playbook` stays where it is and unchanged.
  explicit RuleIndex(const Playbook& playbook);

  // Calls `visit(rule)` for each candidate in the order of the playbook until it returns true.
  template <typename Visit>
  void ForEachCandidate(LabelsView labels, const Binding& binding, Visit visit) const {
    Lists lists;
    Gather(labels, binding, lists);
    while (!lists.empty()) {
      auto next = std::min_element(lists.begin(), lists.end(), [](const List& a, const List& b) {
        return a.front() < b.front();
      });
      if (visit(next->front())) return;
      *next = next->subspan(1);
      if (next->empty()) lists.erase(next);
    }
  }

  const std::vector<RulePlan>& plans() const { return plans_; }

 private:
  using List = std::span<const std::uint32_t>;  // rules, ascending, not empty
  // One for each label that the index knows, in practice a handful.
  using Lists = absl::InlinedVector<List, 16>;

  // The rules that are filed under one label or one fact.
  struct Drawer {
    std::string name;
    std::size_t kind = 0;   // of a fact: into kEntityKinds
    std::string attribute;  // of a fact
    TextMap<std::vector<std::uint32_t>> by_value;
    std::vector<std::uint32_t> all;  // of a fact: for when it is missing
  };

  void Gather(LabelsView labels, const Binding& binding, Lists& lists) const;
  void File(std::uint32_t rule, const Matcher& matcher);

  std::vector<RulePlan> plans_;
  std::vector<Drawer> labels_;   // sorted by name
  std::vector<Drawer> context_;  // sorted by name
  std::vector<std::uint32_t> always_;
};

}  // namespace tandem::playbook
