#include "router/playbook/index.h"

#include <map>
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

// A label is preferred to a fact: it is never missing.
const Matcher* Rarest(const Rule& rule, const Counts& counts) {
  const Matcher* best = nullptr;
  std::pair<bool, std::size_t> best_rank;
  for (const Matcher& matcher : rule.matchers) {
    if (!CanFile(matcher)) continue;
    const std::pair<bool, std::size_t> rank = {matcher.is_context(), Commonness(matcher, counts)};
    if (best == nullptr || rank < best_rank) {
      best = &matcher;
      best_rank = rank;
    }
  }
  return best;
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
    if (const Matcher* matcher = Rarest(playbook.rules()[i], counts)) {
      File(i, *matcher);
    } else {
      always_.push_back(i);
    }
  }
}

void RuleIndex::File(std::uint32_t rule, const Matcher& matcher) {
  std::vector<Drawer>& drawers = matcher.is_context() ? context_ : labels_;
  auto drawer =
      std::lower_bound(drawers.begin(), drawers.end(), matcher.name(),
                       [](const Drawer& a, const std::string& name) { return a.name < name; });
  if (drawer == drawers.end() || drawer->name != matcher.name()) {
    drawer = drawers.insert(drawer, Drawer());
    drawer->name = matcher.name();
    if (matcher.is_context()) {
      drawer->kind = EntityKindIndex(matcher.entity_kind()).value();
      drawer->attribute = matcher.attribute();
    }
  }
  for (const std::string& literal : matcher.literals()) drawer->by_value[literal].push_back(rule);
  if (matcher.is_context()) drawer->all.push_back(rule);
}

void RuleIndex::Gather(LabelsView labels, const Binding& binding, Lists& lists) const {
  if (!always_.empty()) lists.push_back(always_);
  const auto add_value = [&](const Drawer& drawer, std::string_view value) {
    const auto rules = drawer.by_value.find(value);
    if (rules != drawer.by_value.end()) lists.push_back(rules->second);
  };
  auto drawer = labels_.begin();
  for (const LabelView& label : labels) {
    drawer = std::lower_bound(drawer, labels_.end(), label.name,
                              [](const Drawer& a, std::string_view name) { return a.name < name; });
    if (drawer == labels_.end()) break;
    if (drawer->name == label.name) add_value(*drawer, label.value);
  }
  for (const Drawer& fact : context_) {
    const Entity* entity = binding.bound[fact.kind].entity;
    const auto value = entity == nullptr ? std::nullopt : entity->Attribute(fact.attribute);
    if (value) {
      add_value(fact, *value);
    } else {
      lists.push_back(fact.all);
    }
  }
}

}  // namespace tandem::playbook
