// Which rules of a playbook can match an alert at all, found without trying each.
//
// Every rule is filed under one condition that accepts only known texts (`service="mes"`,
// `service=~"mes|erp"`), the rarest of those it has, so that an alert without one of them never
// sees the rule. A missing fact fails nothing: a rule that is filed under a fact
// (`site.kind="factory"`) is filed a second time, under its rarest label, for alerts without that
// fact. Rules without any such condition are candidates always.
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
  // One for each label and fact that the index knows, in practice a handful.
  using Lists = absl::InlinedVector<List, 32>;

  // Rules by the value of one label or fact.
  struct Drawer {
    std::string name;
    TextMap<std::vector<std::uint32_t>> by_value;

    void File(std::uint32_t rule, const Matcher& matcher);
    void Gather(std::string_view value, Lists& lists) const;
  };
  // Rules by one of their labels.
  struct Cabinet {
    std::vector<Drawer> drawers;        // by name, ascending
    std::vector<std::uint32_t> always;  // rules without such a label

    // `matcher` may be nullptr.
    void File(std::uint32_t rule, const Matcher* matcher);
    void Gather(LabelsView labels, Lists& lists) const;
  };
  struct FactDrawer {
    Drawer drawer;  // by the fact's name: `site.kind`
    std::size_t kind = 0;
    std::string attribute;
    Cabinet missing;
  };

  void Gather(LabelsView labels, const Binding& binding, Lists& lists) const;
  FactDrawer& DrawerOf(const Matcher& fact);

  std::vector<RulePlan> plans_;
  Cabinet labels_;
  std::vector<FactDrawer> facts_;  // by name, ascending
};

}  // namespace tandem::playbook
