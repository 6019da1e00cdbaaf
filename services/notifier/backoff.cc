#include "services/notifier/backoff.h"

#include <absl/strings/numbers.h>

#include <algorithm>

#include "router/base/check.h"

namespace tandem::notifier {

absl::Duration JitteredDelay(const RetryPolicy& policy, std::uint32_t attempt,
                             std::mt19937_64& dice) {
  const absl::Duration ceiling = RetryCeiling(policy, attempt);
  // By hand: what the standard's distributions make of a seed differs from library to library.
  const auto span = static_cast<std::uint64_t>(ceiling / absl::Microseconds(1)) + 1;
  const absl::Duration delay = absl::Microseconds(static_cast<std::int64_t>(dice() % span));
  return std::max(delay, policy.shortest);
}

std::optional<absl::Time> NextAttempt(const RetryPolicy& policy, const AttemptResult& result,
                                      const AttemptHistory& history, absl::Time now,
                                      std::mt19937_64& dice) {
  switch (result.end) {
    case AttemptEnd::kDelivered:
      TANDEM_CHECK(false, "what was delivered is not tried again");
    case AttemptEnd::kGone:
    case AttemptEnd::kNever:
      return std::nullopt;
    case AttemptEnd::kRefused:
      if (history.refusals >= policy.refusals_max) return std::nullopt;
      break;
    case AttemptEnd::kFailed:
    case AttemptEnd::kNotReady:
    case AttemptEnd::kCancelled:
      break;
  }
  if (history.attempt >= policy.attempts_max) return std::nullopt;
  absl::Duration delay = JitteredDelay(policy, history.attempt, dice);
  if (result.retry_after) {
    delay = std::max(delay, std::min(*result.retry_after, policy.longest));
  }
  const absl::Time next = std::max(now + delay, history.rests_until);
  if (next > history.first_seen + policy.window) return std::nullopt;
  return next;
}

std::optional<absl::Duration> ParseRetryAfter(const std::string& text, absl::Time now) {
  constexpr std::int64_t kSecondsMax = 10 * 365 * 86400LL;  // beyond: rubbish
  std::int64_t seconds = 0;
  if (absl::SimpleAtoi(text, &seconds)) {
    if (seconds < 0 || seconds > kSecondsMax) return std::nullopt;
    return absl::Seconds(seconds);
  }
  absl::Time date;
  std::string error;
  if (!absl::ParseTime("%a, %d %b %Y %H:%M:%S GMT", text, absl::UTCTimeZone(), &date, &error)) {
    return std::nullopt;
  }
  return std::max(date - now, absl::ZeroDuration());
}

}  // namespace tandem::notifier
