#include "services/notifier/observer.h"

namespace tandem::notifier {

std::string_view ToText(AttemptEnd end) {
  switch (end) {
    case AttemptEnd::kDelivered:
      return "delivered";
    case AttemptEnd::kFailed:
      return "failed";
    case AttemptEnd::kRefused:
      return "refused";
    case AttemptEnd::kGone:
      return "gone";
    case AttemptEnd::kNever:
      return "impossible";
    case AttemptEnd::kNotReady:
      return "not_ready";
    case AttemptEnd::kCancelled:
      return "cancelled";
  }
  return "";
}

std::string_view ToText(DeliveryFate fate) {
  switch (fate) {
    case DeliveryFate::kDelivered:
      return "delivered";
    case DeliveryFate::kGivenUp:
      return "given_up";
    case DeliveryFate::kWithdrawn:
      return "withdrawn";
  }
  return "";
}

std::string_view ToText(BreakerState state) {
  switch (state) {
    case BreakerState::kClosed:
      return "closed";
    case BreakerState::kOpen:
      return "open";
    case BreakerState::kHalfOpen:
      return "half_open";
  }
  return "";
}

}  // namespace tandem::notifier
