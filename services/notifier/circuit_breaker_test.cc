#include "services/notifier/circuit_breaker.h"

#include <gtest/gtest.h>

namespace tandem::notifier {
namespace {

const absl::Time kNoon = absl::FromUnixSeconds(1767268800);

CircuitBreaker OpenedAtNoon() {
  CircuitBreaker breaker{BreakerPolicy{}};
  for (int i = 0; i < 5; ++i) {
    breaker.Begin(kNoon);
    breaker.Failed(kNoon);
  }
  return breaker;
}

TEST(CircuitBreaker, OpensAfterFailuresInARowOnly) {
  CircuitBreaker breaker{BreakerPolicy{}};
  for (int i = 0; i < 4; ++i) breaker.Failed(kNoon);
  breaker.Succeeded();
  for (int i = 0; i < 4; ++i) breaker.Failed(kNoon);
  EXPECT_EQ(breaker.state(), BreakerState::kClosed);
  EXPECT_EQ(breaker.NextAdmission(kNoon), kNoon);

  breaker.Failed(kNoon);
  EXPECT_EQ(breaker.state(), BreakerState::kOpen);
  EXPECT_EQ(breaker.NextAdmission(kNoon), kNoon + absl::Seconds(10));
}

TEST(CircuitBreaker, AfterItsRestAdmitsOneProbe) {
  CircuitBreaker breaker = OpenedAtNoon();
  const absl::Time later = kNoon + absl::Seconds(10);
  ASSERT_EQ(breaker.NextAdmission(later), later);

  breaker.Begin(later);
  EXPECT_EQ(breaker.state(), BreakerState::kHalfOpen);
  EXPECT_EQ(breaker.NextAdmission(later), absl::InfiniteFuture());
}

TEST(CircuitBreaker, ASuccessfulProbeClosesItAndResetsTheRest) {
  CircuitBreaker breaker = OpenedAtNoon();
  breaker.Begin(kNoon + absl::Seconds(10));
  breaker.Succeeded();

  EXPECT_EQ(breaker.state(), BreakerState::kClosed);
  for (int i = 0; i < 5; ++i) breaker.Failed(kNoon);
  EXPECT_EQ(breaker.NextAdmission(kNoon), kNoon + absl::Seconds(10));
}

TEST(CircuitBreaker, AFailedProbeDoublesTheRestUpToItsLimit) {
  CircuitBreaker breaker = OpenedAtNoon();
  absl::Time now = kNoon;
  for (const int seconds : {10, 20, 40, 80, 120, 120}) {
    const absl::Time next = breaker.NextAdmission(now);
    EXPECT_EQ(next - now, absl::Seconds(seconds));
    now = next;
    breaker.Begin(now);
    breaker.Failed(now);
  }
}

TEST(CircuitBreaker, LateFailuresOfEarlierAttemptsDoNotProlongTheRest) {
  CircuitBreaker breaker = OpenedAtNoon();
  breaker.Failed(kNoon + absl::Seconds(9));

  EXPECT_EQ(breaker.NextAdmission(kNoon), kNoon + absl::Seconds(10));
}

TEST(CircuitBreaker, AnAbandonedProbeMakesRoomForTheNext) {
  CircuitBreaker breaker = OpenedAtNoon();
  const absl::Time later = kNoon + absl::Seconds(10);
  breaker.Begin(later);
  breaker.Abandoned();

  EXPECT_EQ(breaker.NextAdmission(later), later);
}

TEST(CircuitBreaker, HoldsWhileTheEndpointAskedForAPause) {
  CircuitBreaker breaker{BreakerPolicy{}};
  breaker.HoldUntil(kNoon + absl::Seconds(30));
  breaker.HoldUntil(kNoon + absl::Seconds(20));

  EXPECT_EQ(breaker.state(), BreakerState::kClosed);
  EXPECT_EQ(breaker.NextAdmission(kNoon), kNoon + absl::Seconds(30));
}

}  // namespace
}  // namespace tandem::notifier
