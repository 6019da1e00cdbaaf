// What an operator has to give first: neither final, nor the endpoint's fault, nor a flood of
// lines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "services/notifier/dispatcher_rig.h"

namespace tandem::notifier {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kMissing[] = "the notifier has no signing secret `hook` for acme";

class NotReadyTest : public DispatcherTest {
 protected:
  NotReadyTest() { channel_.missing = kMissing; }

  // The report that no attempt can be made, answered.
  void Attempt() { router_.Answer(true); }
};

TEST_F(NotReadyTest, IsReportedOnceWithItsReasonAndWithoutAnAttempt) {
  Open(Delivery("dlv-1"));

  EXPECT_THAT(channel_.sent, IsEmpty());
  EXPECT_EQ(router_.front().detail(), kMissing);
  EXPECT_FALSE(router_.front().has_not_before()) << "it goes out as soon as it is given";
  EXPECT_THAT(router_.Story(), ElementsAre("dlv-1 FAILED 1"));
  router_.Answer(true);
  for (int look = 0; look < 6; ++look) AdvanceToAlarm();
  EXPECT_EQ(router_.pending(), 0u) << "looking again writes nothing";

  channel_.missing = "the notifier has no signing secret `other` for acme";
  AdvanceToAlarm();
  EXPECT_THAT(router_.Story(), ElementsAre("dlv-1 FAILED 1")) << "another reason is news";
  router_.Answer(true);
  channel_.missing.reset();
  AdvanceToAlarm();
  EXPECT_THAT(router_.Story(), ElementsAre("dlv-1 ATTEMPTING 1")) << "the first that is made";
}

// The secret was taken away while the announcement was on its way.
TEST_F(NotReadyTest, IsReportedAfterAnAnnouncementThatWasMadeInGoodFaith) {
  channel_.missing.reset();
  Open(Delivery("dlv-1"));
  channel_.missing = kMissing;
  router_.Answer(true);

  EXPECT_THAT(channel_.sent, IsEmpty());
  EXPECT_THAT(router_.Story(), ElementsAre("dlv-1 ATTEMPTING 1", "dlv-1 FAILED 1"));
}

TEST_F(NotReadyTest, GoesOutAtOnceWhenItIsGiven) {
  Open(Delivery("dlv-1"));
  Attempt();
  channel_.missing.reset();
  dispatcher_.OnChannelsChanged();
  router_.Answer(true);

  EXPECT_EQ(clock_.Now(), kNoon);
  EXPECT_THAT(channel_.sent, ElementsAre("dlv-1"));
}

TEST_F(NotReadyTest, GoesOutAtOnceWhenItIsGivenWhileTheReportIsOnItsWay) {
  Open(Delivery("dlv-1"));
  channel_.missing.reset();
  dispatcher_.OnChannelsChanged();
  router_.Answer(true);
  router_.Answer(true);

  EXPECT_EQ(clock_.Now(), kNoon);
  EXPECT_THAT(channel_.sent, ElementsAre("dlv-1"));
}

TEST_F(NotReadyTest, AChangeThatGivesNothingNewHastensNothing) {
  Open(Delivery("dlv-1"));
  Attempt();
  const absl::Time due = alarm_.at;
  dispatcher_.OnChannelsChanged();

  EXPECT_EQ(alarm_.at, due);
  EXPECT_EQ(router_.pending(), 0u);
}

TEST_F(NotReadyTest, AChangeHastensNoRetryOfAnEndpointThatIsAway) {
  channel_.missing.reset();
  OpenAndCall("dlv-1");
  channel_.End({.end = AttemptEnd::kFailed, .detail = "HTTP 503"});
  router_.Answer(true);
  const absl::Time due = alarm_.at;
  dispatcher_.OnChannelsChanged();

  EXPECT_EQ(alarm_.at, due);
}

TEST_F(NotReadyTest, IsGivenUpAfterTheWindowSoThatTheEscalationGoesOn) {
  Open(Delivery("dlv-1"));
  while (dispatcher_.held() > 0 && clock_.Now() < kNoon + absl::Hours(1)) {
    if (router_.pending() == 0) AdvanceToAlarm();
    while (router_.pending() > 0) router_.Answer(true);
  }

  EXPECT_THAT(observer_.fates, ElementsAre("given_up"));
  EXPECT_GT(clock_.Now(), kNoon + absl::Minutes(5)) << "not all at once";
  EXPECT_LE(clock_.Now(), kNoon + absl::Minutes(11));
  EXPECT_EQ(router_.log.back().outcome(), Outcome::GIVEN_UP);
  EXPECT_EQ(router_.log.back().detail(), kMissing);
}

TEST_F(NotReadyTest, OpensNoBreaker) {
  for (int i = 0; i < 4; ++i) {
    Open(Delivery("dlv-" + std::to_string(i)));
    Attempt();
  }
  for (int round = 0; round < 3; ++round) {
    AdvanceToAlarm();
    while (router_.pending() > 0) router_.Answer(true);
  }
  channel_.missing.reset();
  dispatcher_.OnChannelsChanged();

  EXPECT_EQ(router_.pending(), 4u) << "all of them begin at once";
}

TEST_F(NotReadyTest, WarnsOnceAMinuteForEachReason) {
  for (int i = 0; i < 4; ++i) {
    Open(Delivery("dlv-" + std::to_string(i)));
    Attempt();
  }

  ASSERT_THAT(warnings_, SizeIs(1));
  EXPECT_THAT(warnings_[0], HasSubstr(kMissing));
  while (warnings_.size() < 2 && clock_.Now() < kNoon + absl::Minutes(3)) {
    AdvanceToAlarm();
    while (router_.pending() > 0) router_.Answer(true);
  }
  ASSERT_THAT(warnings_, SizeIs(2));
  EXPECT_THAT(warnings_[1], HasSubstr("more attempts like it since"));
}

TEST_F(NotReadyTest, WarnsOnceOfAllThatIsGivenUpForOneReason) {
  for (int i = 0; i < 4; ++i) {
    Open(Delivery("dlv-" + std::to_string(i)));
    Attempt();
  }
  clock_.Advance(absl::Minutes(9) + absl::Seconds(59));
  dispatcher_.Wake();
  while (router_.pending() > 0) router_.Answer(true);
  while (dispatcher_.held() > 0 && clock_.Now() < kNoon + absl::Hours(1)) {
    AdvanceToAlarm();
    while (router_.pending() > 0) router_.Answer(true);
  }

  EXPECT_THAT(observer_.fates, SizeIs(4));
  EXPECT_EQ(
      std::count_if(warnings_.begin(), warnings_.end(),
                    [](const std::string& w) { return w.find("given up") != std::string::npos; }),
      1);
}

}  // namespace
}  // namespace tandem::notifier
