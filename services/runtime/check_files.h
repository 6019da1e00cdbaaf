// Looks at what a configuration names: certificates and keys, the data folder, files with secrets.
//
// For --check-config and for a reload: everything that is wrong, not only the first. Reads files
// and writes nothing.
#pragma once

#include <absl/time/time.h>

#include <string>
#include <vector>

#include "router/base/status.h"
#include "services/runtime/config.h"

namespace tandem::runtime {

// A certificate that ends sooner is warned of.
inline constexpr absl::Duration kCertificateWarning = absl::Hours(14 * 24);

struct FilesReport {
  std::vector<FieldError> errors;  // field: where the setting was given, or its path by default
  std::vector<std::string> warnings;
};

FilesReport CheckFiles(const LoadedConfig& loaded, absl::Time now);

// One line each, as of LoadConfig, with a newline at the end of each.
std::string LinesOf(const std::vector<FieldError>& errors);

}  // namespace tandem::runtime
