// The table of settings: path, range, meaning and how each is read and printed. File, environment,
// flags, `--help` and `--print-config` all follow it.
//
// Immutable after first use; safe from any thread.
#pragma once

#include <absl/status/status.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "services/runtime/config.h"

namespace tandem::runtime {

enum class Shape {
  kScalar,
  kList,  // a YAML sequence, or separated by commas
  kMap,   // a YAML mapping of names to values, or `name=value` separated by commas
};

struct Option {
  std::string path;  // "router.resolve_timeout"
  Shape shape = Shape::kScalar;
  std::string placeholder;  // "DURATION"
  std::string help;         // a sentence without its full stop
  // INVALID_ARGUMENT whose message says what was expected; the place is added by the caller.
  std::function<absl::Status(Config&, const Given&)> set;
  // As YAML: a scalar, or one line an item.
  std::function<std::vector<std::string>(const Config&)> show;
};

// In the order of `--help`.
const std::vector<Option>& Options();

// nullptr when there is none.
const Option* FindOption(std::string_view path);

// "TANDEM_ROUTER_RESOLVE_TIMEOUT".
std::string EnvironmentName(const Option& option);

// `text` as a YAML scalar, in quotes where it needs them.
std::string YamlScalar(std::string_view text);

}  // namespace tandem::runtime
