// Whether an endpoint is worth an attempt now: after several failures in a row it is left alone for
// a while, then asked with a single delivery.
//
// A value per endpoint; time is an argument and may stand still, not run back. Not thread-safe.
#pragma once

#include <absl/time/time.h>

#include <cstdint>

namespace tandem::notifier {

struct BreakerPolicy {
  std::uint32_t failures = 5;                  // in a row, then it opens
  absl::Duration rest = absl::Seconds(10);     // first pause; doubles with each failed probe
  absl::Duration rest_max = absl::Minutes(2);  // well below the retry window: several probes fit
};

enum class BreakerState { kClosed, kOpen, kHalfOpen };

class CircuitBreaker {
 public:
  explicit CircuitBreaker(const BreakerPolicy& policy) : policy_(policy), rest_(policy.rest) {}

  BreakerState state() const { return state_; }
  // Failed attempts since the last one that succeeded.
  std::uint32_t failures() const { return failures_; }

  // The earliest time at which an attempt may begin: `now` when one may begin at once,
  // InfiniteFuture while the one probe of a half-open breaker is under way.
  absl::Time NextAdmission(absl::Time now) const;

  // An attempt begins. REQUIRES: NextAdmission(now) <= now.
  void Begin(absl::Time now);
  // How it ended. Attempts that began before the breaker opened may end after it.
  void Succeeded();
  void Failed(absl::Time now);
  // It never got so far that it said anything about the endpoint.
  void Abandoned();

  // The endpoint asked for a pause (Retry-After).
  void HoldUntil(absl::Time time);

 private:
  BreakerPolicy policy_;
  BreakerState state_ = BreakerState::kClosed;
  std::uint32_t failures_ = 0;  // in a row
  absl::Duration rest_;
  absl::Time open_until_;
  absl::Time hold_until_ = absl::InfinitePast();
  bool probing_ = false;  // half-open, and the probe is under way
};

}  // namespace tandem::notifier
