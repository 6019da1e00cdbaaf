// Reading what the command line names.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <string>

namespace tandem::cli {

// The whole file; `-` is standard input. NOT_FOUND, PERMISSION_DENIED or FAILED_PRECONDITION with
// the path and the system's words; RESOURCE_EXHAUSTED with reason FILE_TOO_LARGE above `max_bytes`.
absl::StatusOr<std::string> ReadFile(const std::string& path, std::size_t max_bytes);

// A descriptor to read from, which the caller closes. Errors as of ReadFile.
absl::StatusOr<int> OpenToRead(const std::string& path);

}  // namespace tandem::cli
