// What is impossible stops the process: TANDEM_CHECK stays on in release builds.
//
// For a caller's mistake or a broken invariant of our own, never for bad input (that is *refused*)
// and never for a failing disk or network (that is an absl::Status).
#pragma once

#include <string_view>

namespace tandem {

// Writes `condition`, place and `message` to stderr and aborts.
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line,
                              std::string_view message);

}  // namespace tandem

#define TANDEM_CHECK(condition, message)                                \
  do {                                                                  \
    if (!(condition)) [[unlikely]] {                                    \
      ::tandem::CheckFailed(#condition, __FILE__, __LINE__, (message)); \
    }                                                                   \
  } while (false)
