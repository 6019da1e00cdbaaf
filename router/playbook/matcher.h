// One condition on a text: `severity=~"critical|major"`, as Alertmanager users know it.
//
// Grammar: NAME OP VALUE with OP one of = != =~ !~; blanks around each are ignored; VALUE is bare
// or in double quotes, with the escapes \" \\ \n (any other backslash is itself); braces around the
// whole may be there. Regular expressions are RE2 and fully anchored; an absent label is the empty
// text. A NAME with one dot (`site.kind`) asks a fact of the context.
//
// Where Alertmanager's two grammars disagree we take the stricter: an empty value is written `""`,
// and a value with a comma, a brace or a quote is quoted.
//
// Pure; immutable once parsed; safe from any thread.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace tandem::playbook {

class Matcher {
 public:
  enum class Op { kEqual, kNotEqual, kRegex, kNotRegex };

  // INVALID_ARGUMENT says what is wrong and, for a regular expression, RE2's own words. At most
  // 4 KiB of text; a regular expression may take 1 MiB of memory.
  static absl::StatusOr<Matcher> Parse(std::string_view text);

  bool Matches(std::string_view value) const;

  const std::string& name() const { return name_; }
  Op op() const { return op_; }
  const std::string& value() const { return value_; }
  // True for `site.kind`; then entity_kind() is "site" and attribute() is "kind".
  bool is_context() const { return dot_ != std::string::npos; }
  std::string_view entity_kind() const;
  std::string_view attribute() const;
  // All texts that it accepts when these are few and known: `="mes"` → mes, `=~"mes|erp"` → mes and
  // erp. Empty: any other matcher.
  const std::vector<std::string>& literals() const;
  // `severity=~"critical|major"`, always quoted.
  std::string ToText() const;

 private:
  std::string name_;
  std::size_t dot_ = std::string::npos;
  Op op_ = Op::kEqual;
  std::string value_;
  // What an equality or a regular expression like `a|b` compares with; empty: the regex_ decides.
  std::vector<std::string> alternatives_;
  std::shared_ptr<const re2::RE2> regex_;
};

}  // namespace tandem::playbook
