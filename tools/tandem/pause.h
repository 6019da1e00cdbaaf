// Waits between attempts, and between two looks at a list.
#pragma once

#include <absl/time/time.h>

namespace tandem::cli {

enum class Paused {
  kElapsed,
  kReaderGone,  // nobody reads what would come next: the other end of the pipe is closed
};

inline constexpr int kNobody = -1;

// Waits for `span`, or until the reader of the file descriptor `reader` has gone; kNobody waits the
// whole span.
Paused Pause(absl::Duration span, int reader);

}  // namespace tandem::cli
