// From a YAML text to the values that it gives, each with line and column.
//
// Stricter than YAML: a key twice, an anchor, an alias, a tag and a second document are refused,
// because each of them makes a reader guess. Pure.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "router/base/status.h"
#include "services/runtime/config.h"

namespace tandem::runtime {

inline constexpr std::size_t kConfigFileMax = 1 << 20;  // bytes; a larger one is refused

struct FileValues {
  std::vector<Given> given;        // in the order of the file
  std::vector<FieldError> errors;  // field: "tandemd.yaml:3:11"
};

// `name` is what messages call the file; `base` is what relative paths in it count from.
FileValues ReadConfigYaml(std::string_view name, std::string_view yaml,
                          const std::filesystem::path& base);

}  // namespace tandem::runtime
