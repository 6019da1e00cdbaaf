#include "tools/agent/backoff.h"

#include <algorithm>

namespace tandem::client {

absl::Duration Backoff::Next(std::optional<absl::Duration> at_least) {
  // 2^20 × any first delay is beyond any maximum; more doublings would overflow.
  const int doublings = std::min(failures_++, 20);
  const absl::Duration ceiling = std::min(options_.max, options_.first * (1 << doublings));
  const absl::Duration jitter = ceiling * dice_.Share();
  return at_least ? *at_least + jitter : jitter;
}

}  // namespace tandem::client
