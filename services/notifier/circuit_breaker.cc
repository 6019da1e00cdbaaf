#include "services/notifier/circuit_breaker.h"

#include <algorithm>

#include "router/base/check.h"

namespace tandem::notifier {

absl::Time CircuitBreaker::NextAdmission(absl::Time now) const {
  const absl::Time earliest = std::max(now, hold_until_);
  switch (state_) {
    case BreakerState::kClosed:
      return earliest;
    case BreakerState::kOpen:
      return std::max(earliest, open_until_);
    case BreakerState::kHalfOpen:
      break;
  }
  return probing_ ? absl::InfiniteFuture() : earliest;
}

void CircuitBreaker::Begin(absl::Time now) {
  TANDEM_CHECK(NextAdmission(now) <= now, "an attempt begins only when it is admitted");
  if (state_ == BreakerState::kClosed) return;
  state_ = BreakerState::kHalfOpen;
  probing_ = true;
}

void CircuitBreaker::Succeeded() {
  state_ = BreakerState::kClosed;
  failures_ = 0;
  rest_ = policy_.rest;
  probing_ = false;
}

void CircuitBreaker::Failed(absl::Time now) {
  ++failures_;
  switch (state_) {
    case BreakerState::kClosed:
      if (failures_ < policy_.failures) return;
      break;
    case BreakerState::kOpen:
      return;  // one that began before it opened
    case BreakerState::kHalfOpen:
      rest_ = std::min(rest_ * 2, policy_.rest_max);
      break;
  }
  state_ = BreakerState::kOpen;
  open_until_ = now + rest_;
  probing_ = false;
}

void CircuitBreaker::Abandoned() { probing_ = false; }

void CircuitBreaker::HoldUntil(absl::Time time) { hold_until_ = std::max(hold_until_, time); }

}  // namespace tandem::notifier
