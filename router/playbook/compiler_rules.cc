// The tree of rules: what each says itself and what it takes from the rule around it.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "router/base/text.h"
#include "router/base/words.h"
#include "router/playbook/compiler.h"

namespace tandem::playbook {
namespace {

constexpr std::size_t kRulesMax = 20'000;
constexpr std::size_t kReasonMaxBytes = 1024;

bool HasEntries(const ConfigNode& map, std::string_view key) {
  const ConfigNode* list = map.Find(key);
  return list != nullptr && !list->children.empty();
}

// The rule takes whatever comes to it.
bool TakesAll(const ConfigNode& node) {
  return !HasEntries(node, "match") && !HasEntries(node, "when");
}

}  // namespace

void Compiler::CompileRules() {
  const ConfigNode* node = reader_.Required(root_, "rules", "a list of rules");
  if (node == nullptr) return;
  const auto& items = reader_.List(*node, kRulesMax);
  if (node->kind == ConfigNode::Kind::kList && node->children.empty()) {
    reader_.Error(*node, "a playbook needs a rule; the last takes every alert that is left");
  }
  CompileList(items, {.values = defaults_});
  if (!items.empty()) CheckCatchAll(*items.back());
}

std::vector<std::uint32_t> Compiler::CompileList(const std::vector<ConfigNode*>& items,
                                                 const Outer& outer) {
  std::vector<std::uint32_t> rules;
  for (const ConfigNode* item : items) {
    if (playbook_->rules_.size() >= kRulesMax) {
      reader_.Error(*item, fmt::format("more than {} rules; at most so many are taken", kRulesMax));
      break;
    }
    rules.push_back(CompileRule(*item, outer));
  }
  CheckReachable(items);
  return rules;
}

std::uint32_t Compiler::CompileRule(const ConfigNode& node, const Outer& outer) {
  Outer own = outer;
  Rule& rule = own.rule;
  rule.line = node.mark.line;
  std::vector<std::uint32_t> nested;
  if (reader_.IsMap(node)) {
    reader_.OnlyKeys(node, {"name", "match", "when", "owner", "handling", "consult", "escalation",
                            "group_by", "group_wait", "resolve_wait", "reopen_within",
                            "ack_expires", "if_missing", "severity", "runbook", "reason", "rules"});
    CompileName(node, rule);
    if (const ConfigNode* match = node.Find("match")) CompileMatchers(*match, rule);
    if (const ConfigNode* when = node.Find("when")) CompileWhen(*when, rule);
    CompileAction(node, own);
    CompileCommon(node, own.values);
    rule.group_by.assign(own.values.group_by.begin(), own.values.group_by.end());
    rule.group_wait = own.values.group_wait;
    rule.resolve_wait = own.values.resolve_wait;
    rule.reopen_within = own.values.reopen_within;
    rule.ack_expires = own.values.ack_expires;
    rule.if_missing = own.values.if_missing;
    if (const ConfigNode* rules = node.Find("rules")) {
      const auto& items = reader_.List(*rules, kRulesMax);
      if (rules->kind == ConfigNode::Kind::kList && items.empty()) {
        reader_.Error(*rules, "an empty list of rules; leave it out");
      }
      nested = CompileList(items, own);
      const bool taken = std::any_of(items.begin(), items.end(), [](const ConfigNode* item) {
        return item->kind == ConfigNode::Kind::kMap && TakesAll(*item);
      });
      if (taken) {
        reader_.Warning(node,
                        "no alert comes to the rule itself: one that is nested in it takes "
                        "all; what it says is only inherited");
      }
    }
    // With mistakes about, a step may only seem to lack the owner.
    if (!reader_.has_errors()) {
      CheckOwnerIsTold(node, rule);
      SettleConsult(node, own);
    }
  }
  const auto index = static_cast<std::uint32_t>(playbook_->rules_.size());
  rule.parent = index;
  for (const std::uint32_t child : nested) playbook_->rules_[child].parent = index;
  playbook_->rules_.push_back(std::move(rule));
  return index;
}

void Compiler::CompileName(const ConfigNode& node, Rule& rule) {
  rule.name.clear();
  const ConfigNode* name = reader_.Required(node, "name", "a name that reports show");
  if (name == nullptr) return;
  rule.name = reader_.Name(*name).value_or("");
  if (rules_.Has(rule.name)) {
    reader_.Error(*name,
                  fmt::format("another rule is called {} too; reports need names that differ",
                              Quoted(rule.name)));
  }
  if (!rule.name.empty()) rules_.Add(rule.name, 0);
}

void Compiler::CompileAction(const ConfigNode& node, Outer& own) {
  Rule& rule = own.rule;
  // A nested rule says what differs.
  const auto find = [&](std::string_view key, std::string_view what) {
    return own.nested ? node.Find(key) : reader_.Required(node, key, what);
  };
  if (const ConfigNode* owner = find("owner", "the team that leads")) {
    rule.owner = teams_.Resolve(*owner, reader_).value_or(0);
  }
  if (const ConfigNode* handling = find("handling", "autonomous, needs_input or needs_decision")) {
    const auto word = reader_.Word(*handling, {"autonomous", "needs_input", "needs_decision"});
    if (word) rule.handling = ParseHandling(*word).value_or(rule.handling);
  }
  if (const ConfigNode* escalation = find("escalation", "who is told, and when")) {
    rule.escalation = escalations_.Resolve(*escalation, reader_).value_or(0);
  }
  if (const ConfigNode* reason = find("reason", "a sentence that says why")) {
    rule.reason = reader_.Text(*reason, kReasonMaxBytes).value_or("");
  }
  if (const ConfigNode* severity = node.Find("severity")) {
    const auto word = reader_.Word(*severity, {"info", "warning", "major", "critical"});
    if (word) rule.severity = ParseSeverity(*word);
  }
  if (const ConfigNode* runbook = node.Find("runbook")) {
    rule.runbook = reader_.Url(*runbook).value_or("");
  }
  if (const ConfigNode* consult = node.Find("consult")) CompileConsult(*consult, own);
  own.nested = true;
}

void Compiler::CheckOwnerIsTold(const ConfigNode& node, const Rule& rule) {
  const Escalation& escalation = playbook_->escalations_[rule.escalation];
  const auto owned = [&](std::uint32_t schedule) {
    return playbook_->schedules_[schedule].spec().team == rule.owner;
  };
  const auto& members = playbook_->teams_[rule.owner].members;
  const auto member = [&](std::uint32_t person) {
    return std::find(members.begin(), members.end(), person) != members.end();
  };
  const bool told =
      std::any_of(escalation.steps.begin(), escalation.steps.end(), [&](const Step& step) {
        return std::find(step.teams.begin(), step.teams.end(), rule.owner) != step.teams.end() ||
               std::any_of(step.schedules.begin(), step.schedules.end(), owned) ||
               std::any_of(step.people.begin(), step.people.end(), member);
      });
  if (told || escalation.steps.empty()) return;
  const ConfigNode* at = node.Find("escalation");
  reader_.Warning(at == nullptr ? node : *at,
                  fmt::format("no step of {} tells the owner {}", Quoted(escalation.name),
                              Quoted(playbook_->teams_[rule.owner].name)));
}

void Compiler::CheckReachable(const std::vector<ConfigNode*>& nodes) {
  const ConfigNode* catch_all = nullptr;
  for (const ConfigNode* node : nodes) {
    if (node->kind != ConfigNode::Kind::kMap) continue;
    if (catch_all != nullptr) {
      reader_.Error(*node,
                    fmt::format("never reached: the rule on line {} takes every alert; move that "
                                "one to the end, or give it conditions",
                                catch_all->mark.line));
      continue;
    }
    if (TakesAll(*node)) catch_all = node;
  }
}

void Compiler::CheckCatchAll(const ConfigNode& last) {
  if (last.kind != ConfigNode::Kind::kMap || TakesAll(last)) return;
  const auto example = [](const NameTable& table, std::string none) {
    return table.names().empty() ? none : Shown(table.names().front());
  };
  reader_.Error(
      last,
      fmt::format("the last rule must take every alert that is left; add at the end: - {{name: "
                  "everything-else, owner: {}, handling: needs_input, escalation: {}, reason: "
                  "\"No other rule fits.\"}}",
                  example(teams_, "TEAM"), example(escalations_, "ESCALATION")));
}

}  // namespace tandem::playbook
