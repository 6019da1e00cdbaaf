#include "router/playbook/index.h"

#include <map>
#include <string_view>
#include <utility>

namespace tandem::playbook {
namespace {

using Counts = std::map<std::pair<std::string_view, std::string_view>, std::size_t>;

// Whether an alert that this matcher accepts has one of its literals as a label or fact. A label
// that may be empty may also be absent, and then there is nothing to look it up by.
bool CanFile(const Matcher& matcher) {
  const std::vector<std::string>& literals = matcher.literals();
  if (literals.empty()) return false;
  return matcher.is_context() ||
         std::none_of(literals.begin(), literals.end(),
                      [](const std::string& literal) { return literal.empty(); });
}

std::size_t Commonness(const Matcher& matcher, const Counts& counts) {
  std::size_t rules = 0;
  for (const std::string& literal : matcher.literals())
    rules += counts.at({matcher.name(), literal});
  return rules;
}

struct Choice {
  const Matcher* matcher = nullptr;
  std::size_t rules = 0;  // that share it

  void Offer(const Matcher& other, std::size_t other_rules) {
    if (matcher != nullptr && rules <= other_rules) return;
    matcher = &other;
    rules = other_rules;
  }
};

struct Rarest {
  Choice label, fact;
};

Rarest RarestOf(const Rule& rule, const Counts& counts) {
  Rarest rarest;
  for (const Matcher& matcher : rule.matchers) {
    if (!CanFile(matcher)) continue;
    (matcher.is_context() ? rarest.fact : rarest.label).Offer(matcher, Commonness(matcher, counts));
  }
  return rarest;
}

}  // namespace

RuleIndex::RuleIndex(const Playbook& playbook) {
  Counts counts;
  for (const Rule& rule : playbook.rules()) {
    plans_.push_back(RulePlan::Of(rule, playbook));
    for (const Matcher& matcher : rule.matchers) {
      for (const std::string& literal : matcher.literals()) ++counts[{matcher.name(), literal}];
    }
  }
  for (std::uint32_t i = 0; i < playbook.rules().size(); ++i) {
    const auto [label, fact] = RarestOf(playbook.rules()[i], counts);
    const bool by_label = label.matcher != nullptr && label.rules <= fact.rules;
    if (fact.matcher == nullptr || by_label) {
      labels_.File(i, label.matcher);
      plans_[i].filed = label.matcher;
    } else {
      FactDrawer& drawer = DrawerOf(*fact.matcher);
      drawer.drawer.File(i, *fact.matcher);
      drawer.missing.File(i, label.matcher);
    }
  }
}

void RuleIndex::Drawer::File(std::uint32_t rule, const Matcher& matcher) {
  for (const std::string& literal : matcher.literals()) by_value[literal].push_back(rule);
}

void RuleIndex::Drawer::Gather(std::string_view value, Lists& lists) const {
  const auto rules = by_value.find(value);
  if (rules != by_value.end()) lists.push_back(rules->second);
}

void RuleIndex::Cabinet::File(std::uint32_t rule, const Matcher* matcher) {
  if (matcher == nullptr) {
    always.push_back(rule);
    return;
  }
  auto drawer =
      std::lower_bound(drawers.begin(), drawers.end(), matcher->name(),
                       [](const Drawer& a, const std::string& name) { return a.name < name; });
  if (drawer == drawers.end() || drawer->name != matcher->name()) {
    drawer = drawers.insert(drawer, Drawer());
    drawer->name = matcher->name();
  }
  drawer->File(rule, *matcher);
}

void RuleIndex::Cabinet::Gather(LabelsView labels, Lists& lists) const {
  if (!always.empty()) lists.push_back(always);
  auto drawer = drawers.begin();
  for (const LabelView& label : labels) {
    drawer = std::lower_bound(drawer, drawers.end(), label.name,
                              [](const Drawer& a, std::string_view name) { return a.name < name; });
    if (drawer == drawers.end()) break;
    if (drawer->name == label.name) drawer->Gather(label.value, lists);
  }
}

RuleIndex::FactDrawer& RuleIndex::DrawerOf(const Matcher& fact) {
  auto found = std::lower_bound(
      facts_.begin(), facts_.end(), fact.name(),
      [](const FactDrawer& a, const std::string& name) { return a.drawer.name < name; });
  if (found == facts_.end() || found->drawer.name != fact.name()) {
    found = facts_.insert(found, FactDrawer());
    found->drawer.name = fact.name();
    found->kind = EntityKindIndex(fact.entity_kind()).value();
    found->attribute = fact.attribute();
  }
  return *found;
}

void RuleIndex::Gather(LabelsView labels, const Binding& binding, Lists& lists) const {
  labels_.Gather(labels, lists);
  for (const FactDrawer& fact : facts_) {
    const Entity* entity = binding.bound[fact.kind].entity;
    const auto value = entity == nullptr ? std::nullopt : entity->Attribute(fact.attribute);
    if (value) {
      fact.drawer.Gather(*value, lists);
    } else {
      fact.missing.Gather(labels, lists);
    }
  }
}

}  // namespace tandem::playbook
