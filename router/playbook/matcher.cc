#include "router/playbook/matcher.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/playbook/environment.h"

namespace tandem::playbook {
namespace {

constexpr std::size_t kTextMaxBytes = 4096;  // Two label values of 2 KiB.
constexpr std::size_t kNameMaxBytes = 128;   // As a label's name.
constexpr std::int64_t kRegexMaxMem = 1
                                      << 20;  // RE2 falls back to its slower, smaller engine at it.

absl::Status Bad(std::string_view message) {
  return Error(absl::StatusCode::kInvalidArgument, "MATCHER_INVALID", message);
}

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

bool IsNameByte(char c, bool first) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
         (!first && c >= '0' && c <= '9');
}

bool IsName(std::string_view name) {
  if (name.empty() || name.size() > kNameMaxBytes) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (!IsNameByte(name[i], i == 0)) return false;
  }
  return true;
}

// `{severity="critical",}` → `severity="critical"`.
absl::StatusOr<std::string_view> WithoutBraces(std::string_view text) {
  const bool opens = !text.empty() && text.front() == '{';
  const bool closes = !text.empty() && text.back() == '}';
  // A bare regular expression may end in a brace: `code=~5[0-9]{2}`; its value is checked below.
  if (!opens) return text;
  if (!closes || text.size() < 2) {
    return Bad(fmt::format("\"{}\" opens a brace and does not close it", Shown(text)));
  }
  text = Trim(text.substr(1, text.size() - 2));
  if (!text.empty() && text.back() == ',') text = Trim(text.substr(0, text.size() - 1));
  return text;
}

struct Parts {
  std::string_view name, value;
  Matcher::Op op = Matcher::Op::kEqual;
};

absl::StatusOr<Parts> Split(std::string_view text) {
  // The first operator character ends the name, which cannot contain one.
  const std::size_t at = text.find_first_of("=!");
  if (at == std::string_view::npos) {
    return Bad(fmt::format("\"{}\" has no operator; expected NAME=\"VALUE\" with one of = != =~ !~",
                           Shown(text)));
  }
  const std::string_view op = text.substr(at, 2);
  Parts parts;
  parts.name = Trim(text.substr(0, at));
  if (parts.name.size() >= 2 && parts.name.front() == '"' && parts.name.back() == '"') {
    parts.name = parts.name.substr(1, parts.name.size() - 2);
  }
  if (op == "=~") {
    parts.op = Matcher::Op::kRegex;
  } else if (op == "!~") {
    parts.op = Matcher::Op::kNotRegex;
  } else if (op == "!=") {
    parts.op = Matcher::Op::kNotEqual;
  } else if (op.front() == '!') {
    return Bad(fmt::format("\"{}\" has the operator \"{}\"; expected one of = != =~ !~",
                           Shown(text), Shown(op)));
  }
  const bool one_byte = parts.op == Matcher::Op::kEqual;
  parts.value = Trim(text.substr(at + (one_byte ? 1 : 2)));
  if (one_byte && !parts.value.empty() && parts.value.front() == '=') {
    return Bad(fmt::format("\"{}\" has the operator \"==\"; equality is written =", Shown(text)));
  }
  return parts;
}

// Resolves quotes and escapes.
absl::StatusOr<std::string> ReadValue(std::string_view text, std::string_view name) {
  if (text.empty()) {
    return Bad(fmt::format("\"{}\" is compared with nothing; write {}=\"\" for an alert without it",
                           Shown(name), Shown(name)));
  }
  const bool quoted = text.front() == '"';
  if (quoted) text.remove_prefix(1);
  std::string value;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    if (c == '\\' && (next == '"' || next == '\\' || next == 'n')) {
      value.push_back(next == 'n' ? '\n' : next);
      ++at;
    } else if (c == '"') {
      break;
    } else if (!quoted && (c == ',' || c == '{' || c == '}')) {
      return Bad(
          fmt::format("the value of \"{}\" has an unquoted \"{}\"; put the value in double "
                      "quotes, and each condition in an entry of its own",
                      Shown(name), c));
    } else {
      value.push_back(c);
    }
  }
  if (!quoted && at < text.size()) {
    return Bad(
        fmt::format("the value of \"{}\" has a quote inside; put the whole value in double "
                    "quotes and write \\\" inside",
                    Shown(name)));
  }
  if (quoted && at == text.size()) {
    return Bad(fmt::format("the value of \"{}\" has no closing quote", Shown(name)));
  }
  if (quoted && at + 1 < text.size()) {
    return Bad(
        fmt::format("\"{}\" stands behind the closing quote of \"{}\"; one entry is one condition",
                    Shown(text.substr(at + 1)), Shown(name)));
  }
  return value;
}

absl::Status CheckName(std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) {
    if (IsName(name)) return absl::OkStatus();
    return Bad(
        fmt::format("\"{}\" is not a label's name; expected letters, digits and _, at most {} "
                    "bytes, not beginning with a digit",
                    Shown(name), kNameMaxBytes));
  }
  const std::string_view kind = name.substr(0, dot);
  const std::string_view attribute = name.substr(dot + 1);
  if (!EntityKindIndex(kind)) {
    const std::string nearest =
        NearestName(kind, {std::begin(kEntityKinds), std::end(kEntityKinds)});
    return Bad(fmt::format("\"{}\" asks a \"{}\", which is no kind of entity; expected {}{}",
                           Shown(name), Shown(kind), EntityKindList(),
                           nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest)));
  }
  if (!IsName(attribute)) {
    return Bad(
        fmt::format("\"{}\" asks for no attribute; expected one dot and a name of letters, digits "
                    "and _: {}.criticality",
                    Shown(name), kind));
  }
  return absl::OkStatus();
}

// `critical|major` → {critical, major}; empty when the pattern is more than such a list.
std::vector<std::string> LiteralsOf(std::string_view pattern) {
  std::vector<std::string> literals(1);
  for (const char c : pattern) {
    if (c == '|') {
      literals.emplace_back();
    } else if ((c & 0x80) != 0 || IsNameByte(c, false) || c == '-' || c == '/' || c == ' ' ||
               c == '@' || c == '%' || c == '#') {
      literals.back().push_back(c);
    } else {
      return {};
    }
  }
  std::sort(literals.begin(), literals.end());
  literals.erase(std::unique(literals.begin(), literals.end()), literals.end());
  return literals;
}

absl::StatusOr<std::shared_ptr<const re2::RE2>> CompileRegex(const std::string& pattern,
                                                             std::string_view name) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kRegexMaxMem);
  auto regex = std::make_shared<const re2::RE2>(pattern, options);
  if (!regex->ok()) {
    return Bad(fmt::format("the regular expression of \"{}\" is not RE2: {}", Shown(name),
                           Shown(regex->error())));
  }
  return regex;
}

}  // namespace

absl::StatusOr<Matcher> Matcher::Parse(std::string_view text) {
  if (text.size() > kTextMaxBytes) {
    return Bad(
        fmt::format("a matcher of {} bytes; at most {} are taken", text.size(), kTextMaxBytes));
  }
  if (!IsUtf8(text)) return Bad(fmt::format("\"{}\" is not UTF-8", Shown(text)));
  TANDEM_ASSIGN_OR_RETURN(const std::string_view bare, WithoutBraces(Trim(text)));
  TANDEM_ASSIGN_OR_RETURN(const Parts parts, Split(bare));
  TANDEM_RETURN_IF_ERROR(CheckName(parts.name));
  Matcher matcher;
  matcher.name_ = parts.name;
  matcher.dot_ = matcher.name_.find('.');
  matcher.op_ = parts.op;
  TANDEM_ASSIGN_OR_RETURN(matcher.value_, ReadValue(parts.value, parts.name));
  if (matcher.op_ == Op::kRegex || matcher.op_ == Op::kNotRegex) {
    matcher.alternatives_ = LiteralsOf(matcher.value_);
    if (matcher.alternatives_.empty()) {
      TANDEM_ASSIGN_OR_RETURN(matcher.regex_, CompileRegex(matcher.value_, parts.name));
    }
  } else {
    matcher.alternatives_ = {matcher.value_};
  }
  return matcher;
}

bool Matcher::Matches(std::string_view value) const {
  const bool negative = op_ == Op::kNotEqual || op_ == Op::kNotRegex;
  if (!alternatives_.empty()) {
    return std::binary_search(alternatives_.begin(), alternatives_.end(), value,
                              std::less<std::string_view>()) != negative;
  }
  return re2::RE2::FullMatch(value, *regex_) != negative;
}

const std::vector<std::string>& Matcher::literals() const {
  static const std::vector<std::string> kNone;
  return op_ == Op::kEqual || op_ == Op::kRegex ? alternatives_ : kNone;
}

std::string_view Matcher::entity_kind() const {
  return is_context() ? std::string_view(name_).substr(0, dot_) : std::string_view();
}

std::string_view Matcher::attribute() const {
  return is_context() ? std::string_view(name_).substr(dot_ + 1) : std::string_view();
}

std::string Matcher::ToText() const {
  static constexpr std::array<std::string_view, 4> kOps = {"=", "!=", "=~", "!~"};
  std::string text = name_;
  text.append(kOps[static_cast<std::size_t>(op_)]).push_back('"');
  for (const char c : value_) {
    if (c == '"' || c == '\\') text.push_back('\\');
    if (c == '\n') {
      text.append("\\n");
    } else {
      text.push_back(c);
    }
  }
  text.push_back('"');
  return text;
}

}  // namespace tandem::playbook
