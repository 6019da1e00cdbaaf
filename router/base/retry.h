// When a failed delivery is tried again: the numbers that the notifier works by and that a
// walk-through reckons with.
//
// Pure; safe from any thread.
#pragma once

#include <absl/time/time.h>

#include <cstdint>

namespace tandem {

// Delays are in seconds because a person is being waited for: the next step of the escalation is
// minutes away, and it must come before the retries have lost their sense.
struct RetryPolicy {
  absl::Duration first = absl::Seconds(2);    // ceiling of the first delay; doubles each time
  absl::Duration longest = absl::Minutes(2);  // ceiling of every delay, and of Retry-After
  absl::Duration shortest = absl::Milliseconds(200);
  // From the moment that this worker first saw the delivery. With the delays above: about 16
  // attempts (half of 2+4+8+16+32+64 s, then 60 s each).
  absl::Duration window = absl::Minutes(10);
  // Over all workers, so that a worker which restarts in a loop ends too.
  std::uint32_t attempts_max = 32;
  // Answers in a row that say no.
  std::uint32_t refusals_max = 3;
};

// The longest delay behind `attempt`: first × 2^(attempt-1), at most `longest`. The delay itself is
// drawn from [0, ceiling] ("full jitter"), so half of it on average. REQUIRES: attempt ≥ 1.
absl::Duration RetryCeiling(const RetryPolicy& policy, std::uint32_t attempt);

}  // namespace tandem
