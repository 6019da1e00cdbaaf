#include "services/notifier/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/base/status.h"
#include "services/notifier/dispatcher_rig.h"

namespace tandem::notifier {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(DispatcherTest, AnnouncesTheAttemptBeforeTheCallAndReportsAfterIt) {
  Open(Delivery("dlv-1"));
  EXPECT_THAT(router_.Story(), ElementsAre("dlv-1 ATTEMPTING 1"));
  EXPECT_THAT(channel_.sent, IsEmpty()) << "not before the router has recorded it";

  router_.Answer(true);
  EXPECT_THAT(channel_.sent, ElementsAre("dlv-1"));

  channel_.End({.end = AttemptEnd::kDelivered, .detail = "HTTP 200", .latency = absl::Seconds(2)});
  EXPECT_EQ(router_.front().latency_ms(), 2000u);
  EXPECT_EQ(router_.front().detail(), "HTTP 200");
  EXPECT_THAT(router_.Story(), ElementsAre("dlv-1 SUCCEEDED 1"));

  router_.Answer(false);
  EXPECT_EQ(dispatcher_.held(), 0u);
  EXPECT_THAT(observer_.fates, ElementsAre("delivered"));
}

TEST_F(DispatcherTest, AnAnnouncementThatIsNoLongerWantedIsNotCalled) {
  Open(Delivery("dlv-1"));
  router_.Answer(false);

  EXPECT_THAT(channel_.sent, IsEmpty());
  EXPECT_EQ(dispatcher_.held(), 0u);
}

TEST_F(DispatcherTest, AFailureIsTriedAgainAtTheReportedTime) {
  OpenAndCall("dlv-1");
  channel_.End({.end = AttemptEnd::kFailed, .detail = "HTTP 503"});
  EXPECT_EQ(router_.front().outcome(), Outcome::FAILED);
  const absl::Time due = absl::FromUnixSeconds(router_.front().not_before().seconds()) +
                         absl::Nanoseconds(router_.front().not_before().nanos());
  EXPECT_GT(due, kNoon);
  EXPECT_LE(due, kNoon + absl::Seconds(2));
  router_.Answer(true);
  EXPECT_EQ(alarm_.at, due);

  clock_.Set(due - absl::Microseconds(1));
  dispatcher_.Wake();
  EXPECT_EQ(router_.pending(), 0u);

  AdvanceToAlarm();
  EXPECT_EQ(clock_.Now(), due);
  EXPECT_THAT(router_.Story(),
              ElementsAre("dlv-1 ATTEMPTING 1", "dlv-1 FAILED 1", "dlv-1 ATTEMPTING 2"));
}

TEST_F(DispatcherTest, RetryAfterHoldsTheWholeEndpoint) {
  OpenAndCall("dlv-1");
  channel_.End(
      {.end = AttemptEnd::kFailed, .detail = "HTTP 429", .retry_after = absl::Seconds(40)});
  router_.Answer(true);
  Open(Delivery("dlv-2"));
  Open(Delivery("dlv-3", "https://b/"));

  EXPECT_EQ(router_.front().delivery_id(), "dlv-3") << "another endpoint goes on";
  EXPECT_EQ(router_.pending(), 1u);
  EXPECT_EQ(alarm_.at, kNoon + absl::Seconds(40));
}

// Four fail one after the other, and the first once more: that is five in a row.
TEST_F(DispatcherTest, WhileTheBreakerIsOpenTheAnnouncedTimeIsTheOneThatIsKept) {
  for (int i = 1; i <= 4; ++i) {
    OpenAndCall("dlv-" + std::to_string(i));
    channel_.End({.end = AttemptEnd::kFailed, .detail = "HTTP 503"});
    router_.Answer(true);
  }
  AdvanceToAlarm();
  router_.Answer(true);
  channel_.End({.end = AttemptEnd::kFailed, .detail = "HTTP 503"});
  const absl::Time opened = clock_.Now();

  EXPECT_EQ(router_.front().outcome(), Outcome::FAILED);
  EXPECT_EQ(router_.front().detail(), "HTTP 503 (circuit breaker open)");
  EXPECT_EQ(absl::FromUnixSeconds(router_.front().not_before().seconds()) +
                absl::Nanoseconds(router_.front().not_before().nanos()),
            opened + absl::Seconds(10));
  ASSERT_THAT(warnings_, ElementsAre(AllOf(HasSubstr("5 times in a row"), HasSubstr("for 10s"),
                                           HasSubstr("3 more deliveries wait"))));
  router_.Answer(true);
  EXPECT_EQ(alarm_.at, opened + absl::Seconds(10)) << "nothing is tried before";
  router_.Story();
  AdvanceToAlarm();
  EXPECT_EQ(router_.pending(), 1u) << "one probe";
}

TEST_F(DispatcherTest, GivesUpWhenTheWindowHasPassedSoThatTheEscalationGoesOn) {
  OpenAndCall("dlv-1");
  while (channel_.pending() > 0) {
    channel_.End({.end = AttemptEnd::kFailed, .detail = "HTTP 503"});
    const bool failed = router_.front().outcome() == Outcome::FAILED;
    router_.Answer(failed);
    if (!failed) break;
    while (router_.pending() == 0) AdvanceToAlarm();
    if (router_.front().outcome() == Outcome::GIVEN_UP) break;
    router_.Answer(true);
  }
  EXPECT_EQ(router_.log.back().outcome(), Outcome::GIVEN_UP);
  EXPECT_LE(clock_.Now(), kNoon + absl::Minutes(10) + absl::Seconds(1));
  EXPECT_GE(clock_.Now(), kNoon + absl::Minutes(5));
}

TEST_F(DispatcherTest, WhatIsGivenUpInTheLineSaysWhyItsLastAttemptFailed) {
  OpenAndCall("dlv-1");
  channel_.End({.end = AttemptEnd::kFailed, .detail = "HTTP 503"});
  router_.Answer(true);
  clock_.Advance(absl::Minutes(11));
  dispatcher_.Wake();

  EXPECT_EQ(router_.front().outcome(), Outcome::GIVEN_UP);
  EXPECT_EQ(router_.front().detail(), "not delivered within 10m after 1 attempts: HTTP 503");
}

TEST_F(DispatcherTest, RefusalsAreTriedThreeTimes) {
  OpenAndCall("dlv-1");
  for (int i = 0; i < 2; ++i) {
    channel_.End({.end = AttemptEnd::kRefused, .detail = "HTTP 404"});
    router_.Answer(true);
    AdvanceToAlarm();
    router_.Answer(true);
  }
  channel_.End({.end = AttemptEnd::kRefused, .detail = "HTTP 404"});

  EXPECT_EQ(router_.front().outcome(), Outcome::GIVEN_UP);
  EXPECT_EQ(router_.front().attempt(), 3u);
}

TEST_F(DispatcherTest, AGoneEndpointIsGivenUpWithAllThatWaitsForItUntilLater) {
  OpenAndCall("dlv-1");
  channel_.End({.end = AttemptEnd::kGone, .detail = "HTTP 410"});
  Open(Delivery("dlv-2"));
  EXPECT_THAT(router_.Story(),
              ElementsAre("dlv-1 ATTEMPTING 1", "dlv-1 GIVEN_UP 1", "dlv-2 GIVEN_UP 1"));
  router_.Answer(false);
  router_.Answer(false);
  EXPECT_THAT(channel_.sent, ElementsAre("dlv-1"));

  clock_.Advance(absl::Hours(1));
  Open(Delivery("dlv-3"));
  EXPECT_THAT(router_.Story(), ElementsAre("dlv-3 ATTEMPTING 1"));
}

TEST_F(DispatcherTest, WhatCannotBeSentIsGivenUpWithoutAnAttempt) {
  channel_.impossible = "the message has 300000 bytes";
  Open(Delivery("dlv-1"));
  EXPECT_EQ(router_.front().detail(), "the message has 300000 bytes");

  v1::Delivery mail = Delivery("dlv-2");
  mail.set_channel("email");
  Open(mail);
  EXPECT_THAT(router_.Story(), ElementsAre("dlv-1 GIVEN_UP 1", "dlv-2 GIVEN_UP 1"));
  EXPECT_THAT(channel_.sent, IsEmpty());
}

TEST_F(DispatcherTest, AnEndedDeliveryIsNotTriedAgain) {
  OpenAndCall("dlv-1");
  channel_.End({.end = AttemptEnd::kFailed});
  router_.Answer(true);
  End("dlv-1");

  EXPECT_EQ(dispatcher_.held(), 0u);
  EXPECT_EQ(alarm_.at, absl::InfiniteFuture());
  EXPECT_THAT(observer_.fates, ElementsAre("withdrawn"));
}

TEST_F(DispatcherTest, WhatEndsDuringItsCallIsReportedAndNotTriedAgain) {
  OpenAndCall("dlv-1");
  End("dlv-1");
  channel_.End({.end = AttemptEnd::kFailed, .detail = "HTTP 503"});
  EXPECT_EQ(router_.front().outcome(), Outcome::GIVEN_UP);
  router_.Answer(false);

  EXPECT_EQ(dispatcher_.held(), 0u);
  EXPECT_EQ(alarm_.at, absl::InfiniteFuture());
}

TEST_F(DispatcherTest, AReconnectStartsNoSecondAttempt) {
  Open(Delivery("dlv-1"));
  dispatcher_.OnWatchStarted();
  Open(Delivery("dlv-1"));
  EXPECT_EQ(router_.pending(), 1u) << "announcing";

  router_.Answer(true);
  Open(Delivery("dlv-1"));
  EXPECT_EQ(channel_.pending(), 1u) << "calling";

  channel_.End({.end = AttemptEnd::kDelivered});
  Open(Delivery("dlv-1"));
  EXPECT_THAT(router_.Story(), ElementsAre("dlv-1 ATTEMPTING 1", "dlv-1 SUCCEEDED 1"));
}

TEST_F(DispatcherTest, WhatIsMissingFromANewSnapshotIsOver) {
  OpenAndCall("dlv-1");
  channel_.End({.end = AttemptEnd::kFailed});
  router_.Answer(true);
  dispatcher_.OnWatchStarted();
  Open(Delivery("dlv-2", "https://b/"));
  SnapshotEnd();

  EXPECT_EQ(dispatcher_.held(), 1u);
}

TEST_F(DispatcherTest, ANewWorkerGoesOnCountingAndWaitsAsTheOldOneSaid) {
  v1::Delivery delivery = Delivery("dlv-1");
  delivery.set_attempts(3);
  delivery.mutable_not_before()->set_seconds(absl::ToUnixSeconds(kNoon) + 20);
  Open(delivery);
  EXPECT_EQ(router_.pending(), 0u);
  EXPECT_EQ(alarm_.at, kNoon + absl::Seconds(20));

  AdvanceToAlarm();
  EXPECT_THAT(router_.Story(), ElementsAre("dlv-1 ATTEMPTING 4"));
}

TEST_F(DispatcherTest, ReportsAreRepeatedUntilTheyAreAnswered) {
  OpenAndCall("dlv-1");
  channel_.End({.end = AttemptEnd::kDelivered});
  for (int i = 0; i < 50; ++i) {
    router_.Answer(Error(absl::StatusCode::kUnavailable, "DOWN", "no router"));
    EXPECT_EQ(router_.pending(), 0u);
    const absl::Duration pause = alarm_.at - clock_.Now();
    EXPECT_GT(pause, absl::ZeroDuration());
    EXPECT_LE(pause, absl::Seconds(5));
    AdvanceToAlarm();
    ASSERT_EQ(router_.pending(), 1u);
    EXPECT_EQ(router_.front().outcome(), Outcome::SUCCEEDED);
  }
  router_.Answer(false);
  EXPECT_EQ(dispatcher_.held(), 0u);
  EXPECT_THAT(channel_.sent, ElementsAre("dlv-1")) << "the call itself is not repeated";
}

TEST_F(DispatcherTest, AReportThatTheRouterRefusesEndsTheDeliveryHere) {
  Open(Delivery("dlv-1"));
  router_.Answer(Error(absl::StatusCode::kNotFound, "NOT_FOUND", "no such delivery"));

  EXPECT_EQ(dispatcher_.held(), 0u);
  EXPECT_THAT(channel_.sent, IsEmpty());
}

TEST_F(DispatcherTest, ADeadEndpointHasFourAttemptsUnderWayAndNoneOfTheOthers) {
  for (int i = 0; i < 3; ++i) OpenAndCall("dlv-dead-" + std::to_string(i));
  OpenAndCall("dlv-alive", "https://b/");

  EXPECT_EQ(channel_.sent.back(), "dlv-alive");
}

TEST_F(DispatcherTest, WhatIsMoreThanItHoldsStaysWithTheRouterUntilThereIsRoom) {
  for (int i = 0; i < 5; ++i) Open(Delivery("dlv-" + std::to_string(i)));
  SnapshotEnd();
  EXPECT_EQ(dispatcher_.held(), 4u);

  for (int i = 0; i < 2; ++i) router_.Answer(false);
  clock_.Advance(absl::Seconds(2));
  dispatcher_.Wake();
  EXPECT_EQ(router_.asked_again, 0) << "half is still there";
  router_.Answer(false);
  EXPECT_EQ(router_.asked_again, 0) << "not more often than that";
  AdvanceToAlarm();
  EXPECT_EQ(router_.asked_again, 1);
  AdvanceTimeWithoutAnAlarm();
  EXPECT_EQ(router_.asked_again, 1) << "once, until the router has answered";

  dispatcher_.OnWatchStarted();
  Open(Delivery("dlv-3"));
  Open(Delivery("dlv-4"));
  SnapshotEnd();
  EXPECT_EQ(dispatcher_.held(), 2u);
  router_.Answer(false);
  AdvanceTimeWithoutAnAlarm();
  EXPECT_EQ(router_.asked_again, 1) << "there is no more";
}

TEST_F(DispatcherTest, WhatOneContactIsToldAboutOneIncidentKeepsItsOrder) {
  const auto about_seven = [](const std::string& id, const std::string& contact) {
    v1::Delivery delivery = Delivery(id);
    delivery.set_contact(contact);
    delivery.mutable_incident()->set_name("tenants/acme/incidents/7");
    return delivery;
  };
  Open(about_seven("dlv-resolved", "anna"));
  Open(about_seven("dlv-reopened", "anna"));
  Open(about_seven("dlv-escalated", "anna"));
  Open(about_seven("dlv-other", "ben"));
  EXPECT_THAT(router_.Story(), ElementsAre("dlv-resolved ATTEMPTING 1", "dlv-other ATTEMPTING 1"));
  router_.Answer(true);
  router_.Answer(false);
  channel_.End({.end = AttemptEnd::kFailed});
  router_.Answer(true);
  EXPECT_THAT(router_.Story(), ElementsAre("dlv-resolved FAILED 1")) << "nothing overtakes it";

  AdvanceToAlarm();
  router_.Answer(true);
  End("dlv-reopened");
  channel_.End({.end = AttemptEnd::kDelivered});
  EXPECT_THAT(router_.Story(),
              ElementsAre("dlv-resolved ATTEMPTING 2", "dlv-resolved SUCCEEDED 2"));
  router_.Answer(false);
  EXPECT_THAT(router_.Story(), ElementsAre("dlv-escalated ATTEMPTING 1"));
}

TEST_F(DispatcherTest, WhatStandsBehindADeliveryThatIsGivenUpHasItsOwnTime) {
  v1::Delivery later = Delivery("dlv-2");
  later.mutable_incident()->set_name("tenants/acme/incidents/dlv-1");
  v1::Delivery first = Delivery("dlv-1");
  first.mutable_not_before()->set_seconds(absl::ToUnixSeconds(kNoon + absl::Minutes(11)));
  Open(first);
  Open(later);
  AdvanceToAlarm();
  EXPECT_THAT(router_.Story(), ElementsAre("dlv-1 GIVEN_UP 1"));
  router_.Answer(false);

  EXPECT_THAT(router_.Story(), ElementsAre("dlv-2 ATTEMPTING 1"));
}

TEST_F(DispatcherTest, StoppingForgetsWhatStandsBehind) {
  v1::Delivery later = Delivery("dlv-2");
  later.mutable_incident()->set_name("tenants/acme/incidents/dlv-1");
  OpenAndCall("dlv-1");
  Open(later);
  dispatcher_.Stop();
  EXPECT_EQ(dispatcher_.held(), 1u);
  channel_.End({.end = AttemptEnd::kDelivered});
  router_.Answer(false);
  EXPECT_EQ(dispatcher_.held(), 0u);
  EXPECT_THAT(channel_.sent, ElementsAre("dlv-1"));
}

TEST_F(DispatcherTest, StoppingBeginsNothingAndFinishesWhatIsUnderWay) {
  OpenAndCall("dlv-1");
  Open(Delivery("dlv-2", "https://b/"));
  dispatcher_.Stop();
  Open(Delivery("dlv-3", "https://c/"));
  EXPECT_FALSE(dispatcher_.Idle());

  router_.Answer(true);
  EXPECT_THAT(channel_.sent, ElementsAre("dlv-1")) << "announced, but not called any more";
  channel_.End({.end = AttemptEnd::kDelivered});
  EXPECT_FALSE(dispatcher_.Idle());
  router_.Answer(false);
  EXPECT_TRUE(dispatcher_.Idle());
  EXPECT_EQ(dispatcher_.held(), 0u);
}

TEST_F(DispatcherTest, AbandoningDropsReportsThatNobodyAnswers) {
  OpenAndCall("dlv-1");
  OpenAndCall("dlv-2", "https://b/");
  channel_.End({.end = AttemptEnd::kDelivered});
  router_.Answer(Error(absl::StatusCode::kUnavailable, "DOWN", "no router"));
  dispatcher_.Stop();
  EXPECT_FALSE(dispatcher_.Idle());

  dispatcher_.Abandon();
  while (channel_.pending() > 0) channel_.End({.end = AttemptEnd::kCancelled});
  while (router_.pending() > 0) {
    router_.Answer(Error(absl::StatusCode::kCancelled, "CANCELLED", "stopped"));
  }
  EXPECT_TRUE(dispatcher_.Idle());
  EXPECT_THAT(observer_.fates, IsEmpty()) << "another worker will go on with them";
}

}  // namespace
}  // namespace tandem::notifier
