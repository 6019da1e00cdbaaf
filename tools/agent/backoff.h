// How long to wait before the next attempt to connect: exponential with full jitter, and never
// sooner than the router has asked for.
//
// Deterministic by its seed. Not thread-safe.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <optional>

#include "tools/agent/random.h"

namespace tandem::client {

struct BackoffOptions {
  absl::Duration first = absl::Milliseconds(100);
  absl::Duration max = absl::Seconds(30);
};

class Backoff {
 public:
  Backoff(BackoffOptions options, std::uint64_t seed) : options_(options), dice_(seed) {}

  // The wait after one more failure: uniform in [0, ceiling], where the ceiling doubles from
  // `first` to `max`; plus `at_least` when the router named a delay, so that all agents do not
  // return at one moment.
  absl::Duration Next(std::optional<absl::Duration> at_least = std::nullopt);

  // Something got through: begin again at `first`.
  void Reset() { failures_ = 0; }

 private:
  const BackoffOptions options_;
  Dice dice_;
  int failures_ = 0;
};

}  // namespace tandem::client
