#include "services/notifier/endpoint_book.h"

#include <gtest/gtest.h>

namespace tandem::notifier {
namespace {

using Says = EndpointBook::Says;

const absl::Time kNoon = absl::FromUnixSeconds(1767268800);

EndpointKey Endpoint(const std::string& tenant, const std::string& address) {
  return {tenant, "webhook", address};
}
DeliveryKey Delivery(const std::string& tenant, int number) {
  return {tenant, "dlv-" + std::to_string(number)};
}

class EndpointBookTest : public ::testing::Test {
 protected:
  NotifierObserver observer_;
  EndpointBook book_{
      DispatchLimits{
          .in_flight_max = 6, .in_flight_per_tenant_max = 3, .in_flight_per_endpoint_max = 2},
      BreakerPolicy{.failures = 2}, observer_};
};

TEST_F(EndpointBookTest, TakesWhatHasBeenDueLongestOverAllEndpoints) {
  book_.Enqueue(Endpoint("a", "x"), Delivery("a", 1), kNoon);
  book_.Enqueue(Endpoint("b", "y"), Delivery("b", 2), kNoon - absl::Seconds(1));
  book_.Enqueue(Endpoint("a", "x"), Delivery("a", 3), kNoon + absl::Seconds(1));

  EXPECT_EQ(book_.TakeNext(kNoon), Delivery("b", 2));
  EXPECT_EQ(book_.TakeNext(kNoon), Delivery("a", 1));
  EXPECT_EQ(book_.TakeNext(kNoon), std::nullopt);
  EXPECT_EQ(book_.NextReady(), kNoon + absl::Seconds(1));
}

TEST_F(EndpointBookTest, ABusyEndpointDoesNotHoldUpAnother) {
  for (int i = 0; i < 4; ++i) book_.Enqueue(Endpoint("a", "dead"), Delivery("a", i), kNoon);
  book_.Enqueue(Endpoint("a", "alive"), Delivery("a", 9), kNoon + absl::Seconds(1));
  const absl::Time later = kNoon + absl::Seconds(1);

  EXPECT_EQ(book_.TakeNext(later), Delivery("a", 0));
  EXPECT_EQ(book_.TakeNext(later), Delivery("a", 1));
  EXPECT_EQ(book_.TakeNext(later), Delivery("a", 9)) << "the dead endpoint has its two";
  EXPECT_EQ(book_.TakeNext(later), std::nullopt);
}

TEST_F(EndpointBookTest, ABusyTenantDoesNotHoldUpAnotherAndGoesOnWhenItHasRoom) {
  for (int i = 0; i < 5; ++i) {
    book_.Enqueue(Endpoint("a", std::to_string(i)), Delivery("a", i), kNoon);
  }
  book_.Enqueue(Endpoint("b", "y"), Delivery("b", 9), kNoon + absl::Seconds(1));
  const absl::Time later = kNoon + absl::Seconds(1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(book_.TakeNext(later), Delivery("a", i));

  EXPECT_EQ(book_.TakeNext(later), Delivery("b", 9));
  EXPECT_EQ(book_.TakeNext(later), std::nullopt);

  book_.End(Endpoint("a", "0"), Says::kWorks, later);
  EXPECT_EQ(book_.TakeNext(later), Delivery("a", 3));
  EXPECT_EQ(book_.TakeNext(later), std::nullopt);
}

TEST_F(EndpointBookTest, TheTotalIsBounded) {
  for (int tenant = 0; tenant < 3; ++tenant) {
    const std::string name(1, static_cast<char>('a' + tenant));
    for (int i = 0; i < 3; ++i) {
      book_.Enqueue(Endpoint(name, std::to_string(i)), Delivery(name, i), kNoon);
    }
  }
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(book_.TakeNext(kNoon));

  EXPECT_EQ(book_.TakeNext(kNoon), std::nullopt);
  EXPECT_EQ(book_.NextReady(), absl::InfiniteFuture()) << "not before an End";
  EXPECT_EQ(book_.in_flight(), 6u);
}

TEST_F(EndpointBookTest, AnOpenBreakerMakesItsLineWaitAndThenSendsOneProbe) {
  for (int i = 0; i < 4; ++i) book_.Enqueue(Endpoint("a", "x"), Delivery("a", i), kNoon);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(book_.TakeNext(kNoon));
    book_.End(Endpoint("a", "x"), Says::kFails, kNoon);
  }
  EXPECT_EQ(book_.TakeNext(kNoon), std::nullopt);
  const absl::Time probe = kNoon + absl::Seconds(10);
  EXPECT_EQ(book_.NextReady(), probe);

  EXPECT_EQ(book_.TakeNext(probe), Delivery("a", 2));
  EXPECT_EQ(book_.TakeNext(probe), std::nullopt) << "one probe only";

  book_.End(Endpoint("a", "x"), Says::kWorks, probe);
  EXPECT_EQ(book_.TakeNext(probe), Delivery("a", 3));
}

TEST_F(EndpointBookTest, SaysUntilWhenABrokenEndpointRestsAndHowManyWait) {
  for (int i = 0; i < 4; ++i) book_.Enqueue(Endpoint("a", "x"), Delivery("a", i), kNoon);
  book_.Enqueue(Endpoint("b", "y"), Delivery("b", 1), kNoon + absl::Hours(1));
  EXPECT_FALSE(book_.RestOf(Endpoint("a", "x")).broken);
  EXPECT_EQ(book_.behind_breakers(), 0u);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(book_.TakeNext(kNoon));
    book_.End(Endpoint("a", "x"), Says::kFails, kNoon);
  }
  const EndpointBook::Rest rest = book_.RestOf(Endpoint("a", "x"));
  EXPECT_TRUE(rest.broken);
  EXPECT_EQ(rest.until, kNoon + absl::Seconds(10));
  EXPECT_EQ(rest.failures, 2u);
  EXPECT_EQ(rest.waiting, 2u);
  EXPECT_EQ(book_.behind_breakers(), 2u);

  ASSERT_TRUE(book_.TakeNext(rest.until));
  EXPECT_EQ(book_.behind_breakers(), 1u);
  EXPECT_EQ(book_.RestOf(Endpoint("a", "x")).until, absl::InfinitePast()) << "until the probe ends";
  book_.End(Endpoint("a", "x"), Says::kWorks, rest.until);
  EXPECT_EQ(book_.behind_breakers(), 0u);
}

TEST_F(EndpointBookTest, OneTenantsBreakerSaysNothingAboutTheSameAddressOfAnother) {
  book_.Enqueue(Endpoint("a", "x"), Delivery("a", 1), kNoon);
  book_.Enqueue(Endpoint("a", "x"), Delivery("a", 2), kNoon);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(book_.TakeNext(kNoon));
    book_.End(Endpoint("a", "x"), Says::kFails, kNoon);
  }
  book_.Enqueue(Endpoint("b", "x"), Delivery("b", 1), kNoon);

  EXPECT_EQ(book_.TakeNext(kNoon), Delivery("b", 1));
}

TEST_F(EndpointBookTest, WhatIsWithdrawnIsNotTaken) {
  book_.Enqueue(Endpoint("a", "x"), Delivery("a", 1), kNoon);
  book_.Withdraw(Endpoint("a", "x"), Delivery("a", 1), kNoon);

  EXPECT_EQ(book_.TakeNext(kNoon), std::nullopt);
  EXPECT_EQ(book_.NextReady(), absl::InfiniteFuture());
}

TEST_F(EndpointBookTest, DisablingEmptiesTheLine) {
  book_.Enqueue(Endpoint("a", "x"), Delivery("a", 1), kNoon);
  book_.Enqueue(Endpoint("a", "x"), Delivery("a", 2), kNoon);

  EXPECT_EQ(book_.Disable(Endpoint("a", "x"), kNoon + absl::Hours(1)).size(), 2u);
  EXPECT_TRUE(book_.Disabled(Endpoint("a", "x"), kNoon));
  EXPECT_FALSE(book_.Disabled(Endpoint("a", "x"), kNoon + absl::Hours(1)));
  EXPECT_FALSE(book_.Disabled(Endpoint("b", "x"), kNoon));
  EXPECT_EQ(book_.TakeNext(kNoon), std::nullopt);
}

TEST_F(EndpointBookTest, APauseThatTheEndpointAskedForHolds) {
  book_.Enqueue(Endpoint("a", "x"), Delivery("a", 1), kNoon);
  book_.Hold(Endpoint("a", "x"), kNoon + absl::Seconds(30));

  EXPECT_EQ(book_.TakeNext(kNoon), std::nullopt);
  EXPECT_EQ(book_.TakeNext(kNoon + absl::Seconds(30)), Delivery("a", 1));
}

}  // namespace
}  // namespace tandem::notifier
