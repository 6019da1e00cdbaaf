// Which alerts a rule takes, and the values that rules have in common with `defaults`.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/playbook/compiler.h"

namespace tandem::playbook {
namespace {

constexpr std::size_t kMatchersMax = 64;
constexpr std::size_t kCalendarsMax = 64;
constexpr std::size_t kGroupByMax = 32;
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
  // Those of the rules around it stand before.
  const std::uint32_t list_number = rule.when.empty() ? 0 : rule.when.back().list + 1;
  for (const ConfigNode* item : reader_.List(list, kCalendarsMax)) {
    const auto name = reader_.Text(*item, kTextMaxBytes);
    if (name && IsCalendarName(*item, *name)) rule.when.push_back({*name, in, list_number});
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

}  // namespace tandem::playbook
