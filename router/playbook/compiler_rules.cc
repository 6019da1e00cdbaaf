#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/base/words.h"
#include "router/playbook/compiler.h"

namespace tandem::playbook {
namespace {

constexpr std::size_t kRulesMax = 20'000;
constexpr std::size_t kMatchersMax = 64;
constexpr std::size_t kCalendarsMax = 64;
constexpr std::size_t kGroupByMax = 32;
constexpr std::size_t kReasonMaxBytes = 1024;
constexpr std::size_t kTextMaxBytes = 4096;
constexpr std::size_t kLabelMaxBytes = 128;

bool IsLabelName(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && name.size() <= kLabelMaxBytes && letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

std::vector<std::string> ReadGroupBy(const ConfigNode& node, Reader& reader) {
  std::vector<std::string> names;
  for (const ConfigNode* item : reader.List(node, kGroupByMax)) {
    const auto name = reader.Text(*item, kLabelMaxBytes);
    if (!name) continue;
    if (*name == "...") {
      if (node.children.size() > 1)
        reader.Error(*item, "\"...\" means every label and stands alone");
    } else if (!IsLabelName(*name)) {
      reader.Error(*item,
                   fmt::format("{} is not a label's name; expected letters, digits and _, not "
                               "beginning with a digit",
                               Quoted(*name)));
    }
    if (std::find(names.begin(), names.end(), *name) != names.end()) {
      reader.Error(*item, fmt::format("{} stands twice in this list", Quoted(*name)));
      continue;
    }
    names.push_back(*name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> Kinds() { return {std::begin(kEntityKinds), std::end(kEntityKinds)}; }

}  // namespace

void Compiler::CompileDefaults() {
  const ConfigNode* node = root_.Find("defaults");
  if (node == nullptr || !reader_.IsMap(*node)) return;
  reader_.OnlyKeys(*node, {"group_by", "group_wait", "resolve_wait", "reopen_within", "ack_expires",
                           "if_missing"});
  CompileCommon(*node, defaults_);
}

void Compiler::CompileCommon(const ConfigNode& map, Defaults& values) {
  if (const ConfigNode* node = map.Find("group_by")) values.group_by = ReadGroupBy(*node, reader_);
  const auto read = [&](std::string_view key, Reader::Bounds bounds, absl::Duration& value) {
    const ConfigNode* node = map.Find(key);
    if (node != nullptr) value = reader_.Duration(*node, bounds).value_or(value);
  };
  read("group_wait", {absl::ZeroDuration(), absl::Hours(24)}, values.group_wait);
  read("resolve_wait", {absl::ZeroDuration(), absl::Hours(24)}, values.resolve_wait);
  read("reopen_within", {absl::ZeroDuration(), absl::Hours(24 * 30)}, values.reopen_within);
  read("ack_expires", {absl::Seconds(1), absl::Hours(24 * 30)}, values.ack_expires);
  if (const ConfigNode* node = map.Find("if_missing")) {
    const auto word = reader_.Word(*node, {"needs_input", "skip", "match"});
    if (word == "needs_input") values.if_missing = IfMissing::kNeedsInput;
    if (word == "skip") values.if_missing = IfMissing::kSkip;
    if (word == "match") values.if_missing = IfMissing::kMatch;
  }
}

void Compiler::CompileRules() {
  const ConfigNode* node = reader_.Required(root_, "rules", "a list of rules");
  if (node == nullptr) return;
  const auto& items = reader_.List(*node, kRulesMax);
  if (node->kind == ConfigNode::Kind::kList && node->children.empty()) {
    reader_.Error(*node, "a playbook needs a rule; the last takes every alert that is left");
  }
  for (const ConfigNode* item : items) CompileRule(*item);
  if (!items.empty()) CheckReachable(items);
}

void Compiler::CompileRule(const ConfigNode& node) {
  Rule& rule = playbook_->rules_.emplace_back();
  rule.line = node.mark.line;
  if (!reader_.IsMap(node)) return;
  reader_.OnlyKeys(node, {"name", "match", "when", "owner", "handling", "escalation", "group_by",
                          "group_wait", "resolve_wait", "reopen_within", "ack_expires",
                          "if_missing", "severity", "runbook", "reason"});
  if (const ConfigNode* name = reader_.Required(node, "name", "a name that reports show")) {
    rule.name = reader_.Name(*name).value_or("");
    if (rules_.Has(rule.name)) {
      reader_.Error(*name,
                    fmt::format("another rule is called {} too; reports need names that differ",
                                Quoted(rule.name)));
    }
    if (!rule.name.empty()) rules_.Add(rule.name, 0);
  }
  if (const ConfigNode* match = node.Find("match")) CompileMatchers(*match, rule);
  if (const ConfigNode* when = node.Find("when")) CompileWhen(*when, rule);
  const ConfigNode* owner = reader_.Required(node, "owner", "the team that leads");
  const auto team = owner == nullptr ? std::nullopt : teams_.Resolve(*owner, reader_);
  rule.owner = team.value_or(0);
  if (const ConfigNode* handling =
          reader_.Required(node, "handling", "autonomous, needs_input or needs_decision")) {
    const auto word = reader_.Word(*handling, {"autonomous", "needs_input", "needs_decision"});
    if (word) rule.handling = ParseHandling(*word).value_or(rule.handling);
  }
  const ConfigNode* escalation = reader_.Required(node, "escalation", "who is told, and when");
  const auto ladder =
      escalation == nullptr ? std::nullopt : escalations_.Resolve(*escalation, reader_);
  rule.escalation = ladder.value_or(0);
  Defaults values = defaults_;
  CompileCommon(node, values);
  rule.group_by.assign(std::make_move_iterator(values.group_by.begin()),
                       std::make_move_iterator(values.group_by.end()));
  rule.group_wait = values.group_wait;
  rule.resolve_wait = values.resolve_wait;
  rule.reopen_within = values.reopen_within;
  rule.ack_expires = values.ack_expires;
  rule.if_missing = values.if_missing;
  if (const ConfigNode* severity = node.Find("severity")) {
    const auto word = reader_.Word(*severity, {"info", "warning", "major", "critical"});
    if (word) rule.severity = ParseSeverity(*word);
  }
  if (const ConfigNode* reason = reader_.Required(node, "reason", "a sentence that says why")) {
    rule.reason = reader_.Text(*reason, kReasonMaxBytes).value_or("");
  }
  if (const ConfigNode* runbook = node.Find("runbook")) {
    rule.runbook = reader_.Url(*runbook).value_or("");
  }
  // With mistakes about, a step may only seem to lack the owner.
  if (team && ladder && !reader_.has_errors()) CheckOwnerIsTold(node, rule);
}

void Compiler::CompileMatchers(const ConfigNode& node, Rule& rule) {
  for (const ConfigNode* item : reader_.List(node, kMatchersMax)) {
    const auto text = reader_.Text(*item, kTextMaxBytes);
    if (!text) continue;
    auto matcher = Matcher::Parse(*text);
    if (matcher.ok()) {
      rule.matchers.push_back(*std::move(matcher));
    } else {
      reader_.Error(*item, MessageOf(matcher.status()));
    }
  }
}

void Compiler::CompileWhen(const ConfigNode& node, Rule& rule) {
  if (!reader_.IsMap(node)) return;
  reader_.OnlyKeys(node, {"in", "not_in"});
  if (const ConfigNode* in = node.Find("in")) CompileWhenList(*in, true, rule);
  if (const ConfigNode* not_in = node.Find("not_in")) CompileWhenList(*not_in, false, rule);
}

void Compiler::CompileWhenList(const ConfigNode& list, bool in, Rule& rule) {
  if (list.kind == ConfigNode::Kind::kList && list.children.empty()) {
    reader_.Error(list, "an empty list of calendars; leave it out, or name one");
  }
  for (const ConfigNode* item : reader_.List(list, kCalendarsMax)) {
    const auto name = reader_.Text(*item, kTextMaxBytes);
    if (name && IsCalendarName(*item, *name)) rule.when.push_back({*name, in});
  }
}

bool Compiler::IsCalendarName(const ConfigNode& node, std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) return calendars_.Resolve(node, reader_).has_value();
  const std::string_view kind = name.substr(0, dot);
  if (!EntityKindIndex(kind)) {
    reader_.Error(
        node, fmt::format("{} asks a calendar of a {}, which is no kind of entity; expected "
                          "{}{}",
                          Quoted(name), Quoted(kind), EntityKindList(), DidYouMean(kind, Kinds())));
    return false;
  }
  return reader_.IsName(node, name.substr(dot + 1));
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
  reader_.Warning(*node.Find("escalation"),
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
    const auto is_empty = [&](std::string_view key) {
      const ConfigNode* conditions = node->Find(key);
      return conditions == nullptr || conditions->children.empty();
    };
    if (is_empty("match") && is_empty("when")) catch_all = node;
  }
  if (catch_all != nullptr || nodes.back()->kind != ConfigNode::Kind::kMap) return;
  const auto example = [](const NameTable& table, std::string none) {
    return table.names().empty() ? none : Shown(table.names().front());
  };
  reader_.Error(
      *nodes.back(),
      fmt::format("the last rule must take every alert that is left; add at the end: - {{name: "
                  "everything-else, owner: {}, handling: needs_input, escalation: {}, reason: "
                  "\"No other rule fits.\"}}",
                  example(teams_, "TEAM"), example(escalations_, "ESCALATION")));
}

}  // namespace tandem::playbook
