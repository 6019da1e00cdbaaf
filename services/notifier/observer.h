// What the notifier says about itself, for metrics. Implemented elsewhere; the default says
// nothing.
#pragma once

#include <absl/time/time.h>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "services/notifier/attempt.h"
#include "services/notifier/circuit_breaker.h"

namespace tandem::notifier {

enum class DeliveryFate {
  kDelivered,
  kGivenUp,
  kWithdrawn,  // the router did not want it any more
};

struct NotifierLoad {
  std::size_t held = 0;       // deliveries
  std::size_t in_flight = 0;  // attempts
  // Of the held ones: due, or soon to be, at endpoints that are left alone for their failures.
  std::size_t behind_breakers = 0;
};

// "delivered", "failed", …: label values of metrics.
std::string_view ToText(AttemptEnd end);
std::string_view ToText(DeliveryFate fate);
std::string_view ToText(BreakerState state);

// Called on the notifier's thread; must not block. No tenant, contact or address is passed: they
// would be labels without a bound.
class NotifierObserver {
 public:
  virtual ~NotifierObserver() = default;

  virtual void OnAttemptEnded(std::string_view /*channel*/, AttemptEnd /*end*/,
                              absl::Duration /*latency*/) {}
  virtual void OnDeliveryEnded(std::string_view /*channel*/, DeliveryFate /*fate*/) {}
  // One endpoint went from one state to another. All begin closed.
  virtual void OnBreakerChanged(BreakerState /*from*/, BreakerState /*to*/) {}
  // After each change.
  virtual void OnLoad(const NotifierLoad& /*load*/) {}
  // Whether open deliveries reach the notifier.
  virtual void OnWatch(bool /*connected*/) {}
};

enum class LogLevel { kInfo, kWarning, kError };
// Called on the notifier's thread. Lines carry ids, never addresses (they may hold a secret) and
// never content.
using Log = std::function<void(LogLevel, const std::string&)>;

}  // namespace tandem::notifier
