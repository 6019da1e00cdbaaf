// When a failed delivery is tried again, and when it is given up so that the escalation goes on.
//
// Pure: equal arguments and an equal state of the dice give equal answers.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <random>
#include <string>

#include "router/base/retry.h"
#include "services/notifier/attempt.h"

namespace tandem::notifier {

// What the decision hangs on besides the result.
struct AttemptHistory {
  std::uint32_t attempt = 1;   // number of the attempt that has just ended, from 1
  std::uint32_t refusals = 0;  // kRefused in a row, this one included
  absl::Time first_seen = {};
  // Its endpoint is left alone until then.
  absl::Time rests_until = absl::InfinitePast();
};

// Uniform in [0, ceiling] ("full jitter"), at least `shortest`; the ceiling is first ×
// 2^(attempt-1), at most `longest`. REQUIRES: attempt ≥ 1.
absl::Duration JitteredDelay(const RetryPolicy& policy, std::uint32_t attempt,
                             std::mt19937_64& dice);

// The time of the next attempt, or nullopt when the delivery is to be given up: refused too often,
// gone, impossible, too many attempts, or the next one would begin after the window. Retry-After
// and the rest of the endpoint count where they are longer than our own delay. REQUIRES: result.end
// is not kDelivered.
std::optional<absl::Time> NextAttempt(const RetryPolicy& policy, const AttemptResult& result,
                                      const AttemptHistory& history, absl::Time now,
                                      std::mt19937_64& dice);

// Reads `Retry-After` (RFC 9110 §10.2.3): seconds or an HTTP date. nullopt for anything else; a
// date in the past is zero.
std::optional<absl::Duration> ParseRetryAfter(const std::string& text, absl::Time now);

}  // namespace tandem::notifier
