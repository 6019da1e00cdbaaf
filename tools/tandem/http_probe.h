// One small GET over plain HTTP/1.1, to see whether the admin endpoint lives.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <string>

namespace tandem::cli {

struct HttpAnswer {
  int status = 0;
  std::string first_line;  // of the body, at most 200 bytes
};

// `address` is HOST:PORT. UNAVAILABLE when nobody answers within `timeout`; reads at most 64 KiB.
absl::StatusOr<HttpAnswer> HttpGet(const std::string& address, const std::string& path,
                                   absl::Duration timeout);

}  // namespace tandem::cli
