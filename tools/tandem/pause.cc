#include "tools/tandem/pause.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace tandem::cli {

Paused Pause(absl::Duration span, int reader) {
  const auto until = std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(span);
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return Paused::kElapsed;
    // No events are asked for: only an error or a hang-up ends it, and those are always told.
    pollfd watched{.fd = reader, .events = 0, .revents = 0};
    // In pieces that fit an int, whatever the router asks for.
    const int piece_ms = static_cast<int>(std::min<long long>(left.count(), 60'000));
    if (poll(&watched, 1, piece_ms) > 0) return Paused::kReaderGone;
  }
}

}  // namespace tandem::cli
