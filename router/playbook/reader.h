// Typed values out of a ConfigNode, with a finding for whatever is not as expected.
//
// Pure; serves one compilation.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "router/playbook/node.h"
#include "router/playbook/parse.h"

namespace tandem::playbook {

// `"text"`, printable and cut where it is long.
std::string Quoted(std::string_view text);
// `; did you mean "x"?`, or "" when no candidate is near.
std::string DidYouMean(std::string_view name, const std::vector<std::string>& candidates);
// "a, b or c".
std::string OneOf(const std::vector<std::string>& words);

class Reader {
 public:
  // At the value of `node`, with its path in front.
  void Error(const ConfigNode& node, std::string_view message);
  void Warning(const ConfigNode& node, std::string_view message);
  // At the key of `node`.
  void ErrorAtKey(const ConfigNode& node, std::string_view message);

  // False, with a finding, when the node is something else.
  bool IsMap(const ConfigNode& node);
  // The items; empty, with a finding, when it is no list or has more than `max`. A list that is
  // left out (`match:` and nothing behind it) is empty too, with a finding.
  const std::vector<ConfigNode*>& List(const ConfigNode& node, std::size_t max);
  // A finding for each key that is none of these.
  void OnlyKeys(const ConfigNode& map, const std::vector<std::string>& keys);
  // The value of `key`; nullptr with a finding that says `what` was expected.
  const ConfigNode* Required(const ConfigNode& map, std::string_view key, std::string_view what);

  // nullopt with a finding: nothing, not a text, empty, longer than `max_bytes`, control
  // characters.
  std::optional<std::string> Text(const ConfigNode& node, std::size_t max_bytes);
  // A text of letters, digits, - and _, at most 64 bytes.
  std::optional<std::string> Name(const ConfigNode& node);
  bool IsName(const ConfigNode& node, std::string_view name);
  // One of `words`.
  std::optional<std::string> Word(const ConfigNode& node, const std::vector<std::string>& words);

  struct Bounds {
    absl::Duration least, most;
  };
  std::optional<absl::Duration> Duration(const ConfigNode& node, Bounds bounds);
  std::optional<std::uint32_t> Number(const ConfigNode& node, std::uint32_t most);
  // http:// or https://, at most 2 KiB, no user or password in it.
  std::optional<std::string> Url(const ConfigNode& node);

  bool has_errors() const { return has_errors_; }
  // In the order of finding.
  std::vector<Finding> Take();

 private:
  void Add(Finding::Level level, Mark mark, std::string message);

  std::vector<Finding> findings_;
  bool has_errors_ = false;
};

}  // namespace tandem::playbook
