#include "services/notifier/backoff.h"

#include <gtest/gtest.h>

namespace tandem::notifier {
namespace {

const absl::Time kNoon = absl::FromUnixSeconds(1767268800);
const RetryPolicy kPolicy;

std::optional<absl::Time> After(AttemptEnd end, AttemptHistory history,
                                std::optional<absl::Duration> retry_after = std::nullopt) {
  std::mt19937_64 dice(7);
  if (history.first_seen == absl::Time()) history.first_seen = kNoon;
  return NextAttempt(kPolicy, {.end = end, .retry_after = retry_after}, history, kNoon, dice);
}

TEST(JitteredDelay, StaysBetweenTheFloorAndADoublingCeiling) {
  std::mt19937_64 dice(1);
  for (std::uint32_t attempt = 1; attempt <= 40; ++attempt) {
    const absl::Duration ceiling = attempt > 6 ? kPolicy.longest : absl::Seconds(1LL << attempt);
    for (int i = 0; i < 200; ++i) {
      const absl::Duration delay = JitteredDelay(kPolicy, attempt, dice);
      EXPECT_GE(delay, kPolicy.shortest);
      EXPECT_LE(delay, std::min(ceiling, kPolicy.longest)) << attempt;
    }
  }
}

TEST(JitteredDelay, SpreadsOverTheWholeRangeAndRepeatsWithItsSeed) {
  std::mt19937_64 dice(1);
  std::mt19937_64 again(1);
  absl::Duration least = absl::InfiniteDuration();
  absl::Duration most;
  for (int i = 0; i < 1000; ++i) {
    const absl::Duration delay = JitteredDelay(kPolicy, 5, dice);
    EXPECT_EQ(delay, JitteredDelay(kPolicy, 5, again));
    least = std::min(least, delay);
    most = std::max(most, delay);
  }
  EXPECT_LT(least, absl::Seconds(2));
  EXPECT_GT(most, absl::Seconds(30));
}

TEST(NextAttempt, GivesUpAtOnceWhenNoAttemptCanSucceed) {
  EXPECT_EQ(After(AttemptEnd::kGone, {}), std::nullopt);
  EXPECT_EQ(After(AttemptEnd::kNever, {}), std::nullopt);
}

TEST(NextAttempt, TriesARefusalABoundedNumberOfTimes) {
  EXPECT_TRUE(After(AttemptEnd::kRefused, {.refusals = 1}));
  EXPECT_TRUE(After(AttemptEnd::kRefused, {.refusals = 2}));
  EXPECT_EQ(After(AttemptEnd::kRefused, {.refusals = 3}), std::nullopt);
  EXPECT_TRUE(After(AttemptEnd::kFailed, {.refusals = 3}));
}

TEST(NextAttempt, HonoursRetryAfterWithinTheLongestDelay) {
  EXPECT_EQ(After(AttemptEnd::kFailed, {}, absl::Seconds(45)), kNoon + absl::Seconds(45));
  EXPECT_EQ(After(AttemptEnd::kFailed, {}, absl::Hours(9)), kNoon + kPolicy.longest);
  EXPECT_LE(*After(AttemptEnd::kFailed, {}, absl::ZeroDuration()), kNoon + kPolicy.first);
}

TEST(NextAttempt, DoesNotComeWhileTheEndpointRests) {
  const absl::Time rested = kNoon + absl::Seconds(50);
  EXPECT_EQ(After(AttemptEnd::kFailed, {.rests_until = rested}), rested);
  EXPECT_GT(*After(AttemptEnd::kFailed, {.rests_until = kNoon}), kNoon);
  EXPECT_EQ(
      After(AttemptEnd::kFailed, {.first_seen = rested - absl::Minutes(11), .rests_until = rested}),
      std::nullopt);
}

TEST(NextAttempt, GivesUpWhenTheNextAttemptWouldBeginAfterTheWindow) {
  const AttemptHistory old{.attempt = 12, .first_seen = kNoon - absl::Minutes(10)};
  EXPECT_EQ(After(AttemptEnd::kFailed, old), std::nullopt);

  const AttemptHistory young{.attempt = 1, .first_seen = kNoon - absl::Minutes(9)};
  EXPECT_TRUE(After(AttemptEnd::kFailed, young));
}

TEST(NextAttempt, GivesUpAfterTooManyAttemptsWhateverTheClockSays) {
  EXPECT_TRUE(After(AttemptEnd::kFailed, {.attempt = 31}));
  EXPECT_EQ(After(AttemptEnd::kFailed, {.attempt = 32}), std::nullopt);
}

TEST(NextAttempt, TheWholeScheduleTakesAboutTenMinutes) {
  std::mt19937_64 dice(42);
  absl::Time now = kNoon;
  std::uint32_t attempt = 1;
  while (const auto next = NextAttempt(kPolicy, {.end = AttemptEnd::kFailed},
                                       {.attempt = attempt, .first_seen = kNoon}, now, dice)) {
    now = *next;
    ++attempt;
  }
  EXPECT_GE(attempt, 8u);
  EXPECT_LE(attempt, 32u);
  EXPECT_GE(now - kNoon, absl::Minutes(8));
  EXPECT_LE(now - kNoon, absl::Minutes(10));
}

TEST(ParseRetryAfter, ReadsSecondsAndDates) {
  EXPECT_EQ(ParseRetryAfter("120", kNoon), absl::Seconds(120));
  EXPECT_EQ(ParseRetryAfter("0", kNoon), absl::ZeroDuration());
  EXPECT_EQ(ParseRetryAfter("Thu, 01 Jan 2026 12:00:30 GMT", kNoon), absl::Seconds(30));
  EXPECT_EQ(ParseRetryAfter("Thu, 01 Jan 2026 11:00:00 GMT", kNoon), absl::ZeroDuration());
}

TEST(ParseRetryAfter, IgnoresRubbish) {
  for (const char* text :
       {"", "soon", "-1", "1.5", "99999999999", "9999999999999999999999", "2026-01-01T12:00:00Z"}) {
    EXPECT_EQ(ParseRetryAfter(text, kNoon), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace tandem::notifier
