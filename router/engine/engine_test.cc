#include "router/engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "router/codec/record.h"
#include "router/engine/engine_rig.h"

namespace tandem::engine {
namespace {

using testing::Alerts;
using testing::Answered;
using testing::Ask;
using testing::Await;
using testing::EachAlone;
using ::testing::ElementsAre;
using testing::IsAnswered;
using testing::kHarbor;
using testing::kMill;
using testing::Send;
using ::testing::SizeIs;

class EngineTest : public ::testing::Test {
 protected:
  void Start(EngineOptions options = {}) {
    const absl::Status started = rig_.StartWithTenants(std::move(options));
    ASSERT_TRUE(started.ok()) << started;
  }
  Engine& engine() { return *rig_.engine; }
  testing::TestJournal& journal() { return rig_.journal; }

  // Waits until the engine is in this health.
  bool Becomes(EngineHealth health) {
    const auto until = std::chrono::steady_clock::now() + testing::kPatience;
    while (engine().health() != health) {
      if (std::chrono::steady_clock::now() > until) return false;
      engine().Wake();
      std::this_thread::yield();
    }
    return true;
  }

  void ExpectRefused(const absl::StatusOr<Reply>& reply, absl::StatusCode code,
                     std::string_view reason) {
    ASSERT_FALSE(reply.ok());
    EXPECT_EQ(reply.status().code(), code);
    EXPECT_EQ(ReasonOf(reply.status()), reason);
    EXPECT_TRUE(RetryOf(reply.status()).has_value());
  }

  testing::Rig rig_;
};

TEST_F(EngineTest, AnswersOnlyOnceTheAppendHasReturned) {
  Start();
  journal().Hold();
  Answered answered = Send(engine(), kHarbor, Alerts(1, {"Down"}));
  journal().AwaitHeld();

  EXPECT_FALSE(IsAnswered(answered));
  EXPECT_THAT(rig_.Recovered(kHarbor)->alerts.size(), 0U);

  journal().Release();
  const auto reply = Await(std::move(answered));
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->sequence, Sequence(1));
  EXPECT_THAT(rig_.Recovered(kHarbor)->alerts.size(), 1U);
}

TEST_F(EngineTest, CommitsWhatCameMeanwhileAsOneGroupAndAnswersInOrder) {
  Start();
  journal().Hold();
  Answered first = Send(engine(), kHarbor, Alerts(1, {"A"}));
  journal().AwaitHeld();
  std::vector<int> order;
  std::vector<Answered> others;
  for (const int number : {2, 3, 4}) {
    auto promise = std::make_shared<std::promise<absl::StatusOr<Reply>>>();
    others.push_back(promise->get_future());
    engine().Submit({kHarbor, Alerts(static_cast<std::uint64_t>(number), {"B"}),
                     [promise, number, &order](absl::StatusOr<Reply> reply) {
                       order.push_back(number);
                       promise->set_value(std::move(reply));
                     }});
  }
  const int before = journal().appends();
  journal().Release();

  EXPECT_TRUE(Await(std::move(first)).ok());
  for (Answered& answered : others) EXPECT_TRUE(Await(std::move(answered)).ok());
  EXPECT_EQ(journal().appends(), before + 1);
  EXPECT_THAT(order, ElementsAre(2, 3, 4));
}

TEST_F(EngineTest, AnswersARepeatedBatchWithoutWritingIt) {
  Start();
  ASSERT_TRUE(Ask(engine(), kHarbor, Alerts(1, {"A"})).ok());
  const int before = journal().appends();

  const auto again = Ask(engine(), kHarbor, Alerts(1, {"A"}));

  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->repeated);
  EXPECT_EQ(again->sequence, Sequence());
  EXPECT_EQ(journal().appends(), before);
}

TEST_F(EngineTest, AFailedAppendRefusesEveryoneAndAcknowledgesNothingAfterwards) {
  Start();
  journal().FailAfter(0, testing::BrokenDisk());
  journal().Hold();
  Answered written = Send(engine(), kHarbor, Alerts(1, {"A"}));
  journal().AwaitHeld();
  Answered queued = Send(engine(), kHarbor, Alerts(2, {"B"}));
  Answered elsewhere = Send(engine(), kMill, Alerts(1, {"C"}));
  const std::size_t commits = rig_.commits.size();
  journal().Release();

  for (Answered* answered : {&written, &queued, &elsewhere}) {
    ExpectRefused(Await(std::move(*answered)), absl::StatusCode::kUnavailable, "JOURNAL_FAILED");
  }
  EXPECT_EQ(engine().health(), EngineHealth::kFailed);
  ExpectRefused(Ask(engine(), kHarbor, Alerts(3, {"D"})), absl::StatusCode::kUnavailable,
                "JOURNAL_FAILED");
  const int appends = journal().appends();
  rig_.clock.Advance(absl::Hours(1));
  engine().Wake();
  engine().Stop();
  EXPECT_EQ(engine().health(), EngineHealth::kFailed);
  EXPECT_EQ(rig_.fatal, 1);
  EXPECT_EQ(journal().appends(), appends);
  EXPECT_EQ(rig_.commits.size(), commits);
  EXPECT_EQ(rig_.Recovered(kHarbor)->last_sequence, Sequence());
}

TEST_F(EngineTest, AFullDiskRollsBackToWhatIsDurableAndTakesARepeatExactlyOnce) {
  Start();
  ASSERT_TRUE(Ask(engine(), kHarbor, Alerts(1, {"A"})).ok());
  journal().FailAfter(0, testing::DiskFull());

  ExpectRefused(Ask(engine(), kHarbor, Alerts(2, {"B"})), absl::StatusCode::kUnavailable,
                "DISK_FULL");
  ASSERT_TRUE(Becomes(EngineHealth::kServing));
  EXPECT_EQ(Ask(engine(), kHarbor, PositionQuery{"agent-1"})->position, 1U);

  const auto taken = Ask(engine(), kHarbor, Alerts(2, {"B"}));
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_FALSE(taken->repeated);
  EXPECT_EQ(taken->sequence, Sequence(2));
  EXPECT_TRUE(Ask(engine(), kHarbor, Alerts(2, {"B"}))->repeated);
  EXPECT_EQ(rig_.fatal, 0);
  const auto state = rig_.Recovered(kHarbor);
  EXPECT_EQ(state->alerts.size(), 2U);
  EXPECT_EQ(state->incidents.size(), 2U);
}

TEST_F(EngineTest, KnowsHowFreshTheContextIsAlsoAfterAFullDisk) {
  Start();
  // How fresh the context was to a new alert.
  const auto fire = [this](std::uint64_t number) {
    const auto reply = Ask(engine(), kMill, Alerts(number, {"Alert" + std::to_string(number)}));
    TANDEM_CHECK(reply.ok(), "the alert is taken");
    const auto reader = journal().OpenReader();
    const auto row = (*reader)->ReadRecord(kMill, reply->sequence);
    const auto record = codec::DecodeRecord((*row)->body, {});
    return std::get<core::AlertBatch>(record->input).context_age;
  };
  rig_.clock.Advance(absl::Seconds(7));
  EXPECT_EQ(fire(1), (core::ContextAge{.age = absl::Seconds(7), .heard = false}));
  engine().ContextHeard(kMill);
  rig_.clock.Advance(absl::Seconds(2));
  EXPECT_EQ(fire(2), (core::ContextAge{.age = absl::Seconds(2)}));

  journal().FailAfter(0, testing::DiskFull());
  EXPECT_FALSE(Ask(engine(), kMill, Alerts(3, {"Alert3"})).ok());
  rig_.clock.Advance(absl::Seconds(2));
  ASSERT_TRUE(Becomes(EngineHealth::kServing));

  EXPECT_EQ(fire(3), (core::ContextAge{.age = absl::Seconds(4)}));
}

TEST_F(EngineTest, AFullDiskUndoesANewTenantToo) {
  Start();
  journal().FailAfter(0, testing::DiskFull());
  const TenantId late("late");

  ExpectRefused(Ask(engine(), core::kInstallation, testing::NewTenant(late)),
                absl::StatusCode::kUnavailable, "DISK_FULL");

  EXPECT_FALSE(engine().Installation()->tenants.contains(late));
  ASSERT_TRUE(Becomes(EngineHealth::kServing));
  EXPECT_TRUE(Ask(engine(), core::kInstallation, testing::NewTenant(late)).ok());
  EXPECT_TRUE(engine().Installation()->tenants.contains(late));
}

TEST_F(EngineTest, RefusesInputWhileTheDiskIsFullAndTakesItOnceThereIsRoom) {
  Start();
  rig_.free_disk = 0;
  rig_.clock.Advance(absl::Seconds(2));
  ExpectRefused(Ask(engine(), kHarbor, Alerts(1, {"A"})), absl::StatusCode::kUnavailable,
                "DISK_FULL");
  EXPECT_EQ(engine().health(), EngineHealth::kReadOnly);
  ExpectRefused(Ask(engine(), kHarbor, Alerts(1, {"A"})), absl::StatusCode::kUnavailable,
                "DISK_FULL");

  rig_.free_disk = 1ULL << 40;
  ASSERT_TRUE(Becomes(EngineHealth::kServing));

  const auto taken = Ask(engine(), kHarbor, Alerts(1, {"A"}));
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_FALSE(taken->repeated);
}

TEST_F(EngineTest, WhatFiredBeforeTheDiskWasFullDoesNotEndBeforeItCouldBeReportedAgain) {
  Start();
  ASSERT_TRUE(Ask(engine(), kHarbor, Alerts(1, {"A", "B"})).ok());
  rig_.free_disk = 0;
  rig_.clock.Advance(absl::Seconds(2));
  ASSERT_TRUE(Becomes(EngineHealth::kReadOnly));
  rig_.clock.Advance(absl::Hours(1));
  rig_.free_disk = 1ULL << 40;
  ASSERT_TRUE(Becomes(EngineHealth::kServing));

  rig_.clock.Advance(absl::Minutes(4));
  ASSERT_TRUE(Ask(engine(), kHarbor, Alerts(2, {"A"})).ok());
  EXPECT_EQ(engine().counters().active_alerts, 2U);
  rig_.clock.Advance(absl::Minutes(1));
  ASSERT_TRUE(Ask(engine(), kHarbor, Alerts(3, {"A"})).ok());
  EXPECT_EQ(engine().counters().active_alerts, 1U);
}

TEST_F(EngineTest, WhatFiredBeforeTheMachineWasSuspendedDoesNotEndBeforeItCouldBeReportedAgain) {
  std::atomic<std::int64_t> awake{0};
  ASSERT_TRUE(
      rig_.StartWithTenants({.monotonic = [&] { return absl::Seconds(awake.load()); }}).ok());
  ASSERT_TRUE(Ask(engine(), kHarbor, Alerts(1, {"A", "B"})).ok());
  rig_.clock.Advance(absl::Hours(1));
  ASSERT_TRUE(Ask(engine(), kHarbor, Alerts(2, {"A"})).ok());
  EXPECT_EQ(engine().counters().active_alerts, 2U);

  awake += 300;
  rig_.clock.Advance(absl::Minutes(5));
  ASSERT_TRUE(Ask(engine(), kHarbor, Alerts(3, {"A"})).ok());
  EXPECT_EQ(engine().counters().active_alerts, 1U);
  engine().Stop();  // it reads `awake`
}

TEST_F(EngineTest, AnswersReadsWhileTheDiskIsFull) {
  Start();
  ASSERT_TRUE(Ask(engine(), kHarbor, EachAlone(kHarbor)).ok());
  rig_.free_disk = 0;
  rig_.clock.Advance(absl::Seconds(2));
  ASSERT_TRUE(Becomes(EngineHealth::kReadOnly));

  const auto milestones = Ask(engine(), kHarbor, MilestonesQuery{});

  ASSERT_TRUE(milestones.ok()) << milestones.status();
  EXPECT_THAT(milestones->activations, ElementsAre(Sequence(1)));
}

TEST_F(EngineTest, GoesOnAfterAFullDiskAlsoWhenNothingWatchesIt) {
  rig_.watches_disk = false;
  Start();
  journal().FailAfter(0, testing::DiskFull());
  ExpectRefused(Ask(engine(), kHarbor, Alerts(1, {"A"})), absl::StatusCode::kUnavailable,
                "DISK_FULL");

  ASSERT_TRUE(Becomes(EngineHealth::kServing));
  EXPECT_TRUE(Ask(engine(), kHarbor, Alerts(1, {"A"})).ok());
}

TEST_F(EngineTest, RefusesWithARetryDelayWhenItsMailboxIsFull) {
  Start({.mailbox = {.commands_max = 1}});
  journal().Hold();
  Answered first = Send(engine(), kHarbor, Alerts(1, {"A"}));
  journal().AwaitHeld();
  Answered queued = Send(engine(), kHarbor, Alerts(2, {"B"}));

  ExpectRefused(Ask(engine(), kHarbor, Alerts(3, {"C"})), absl::StatusCode::kResourceExhausted,
                "OVERLOADED");

  EXPECT_EQ(engine().counters().mailbox_refused, 1U);
  journal().Release();
  EXPECT_TRUE(Await(std::move(first)).ok());
  EXPECT_TRUE(Await(std::move(queued)).ok());
}

TEST_F(EngineTest, WorksOffItsQueueWhenItStopsAndRefusesWhatComesLater) {
  Start();
  journal().Hold();
  std::vector<Answered> queued;
  queued.push_back(Send(engine(), kHarbor, Alerts(1, {"A"})));
  journal().AwaitHeld();
  for (const std::uint64_t number : {2, 3}) {
    queued.push_back(Send(engine(), kHarbor, Alerts(number, {"B"})));
  }
  std::thread stopping([this] { engine().Stop(); });
  while (engine().health() != EngineHealth::kStopping) std::this_thread::yield();
  journal().Release();
  stopping.join();

  for (Answered& answered : queued) EXPECT_TRUE(Await(std::move(answered)).ok());
  ExpectRefused(Ask(engine(), kHarbor, Alerts(4, {"C"})), absl::StatusCode::kUnavailable,
                "STOPPING");
  EXPECT_EQ(rig_.Recovered(kHarbor)->last_sequence, Sequence(3));
  engine().Stop();
}

TEST_F(EngineTest, TakesNoBatchOfAStreamThatWasAbandoned) {
  Start();
  const auto abandoned = std::make_shared<std::atomic<bool>>(false);
  AlertsReceived before = Alerts(1, {"A"});
  before.abandoned = abandoned;
  ASSERT_TRUE(Ask(engine(), kHarbor, std::move(before)).ok());
  abandoned->store(true);
  AlertsReceived after = Alerts(2, {"B"});
  after.abandoned = abandoned;

  const auto refused = Ask(engine(), kHarbor, std::move(after));

  EXPECT_EQ(refused.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(refused.status()), "STREAM_ENDED");
  EXPECT_EQ(Ask(engine(), kHarbor, PositionQuery{"agent-1"})->position, 1U);
}

TEST_F(EngineTest, ActsWhenADeadlineHasComeByItsClock) {
  Start();
  ASSERT_TRUE(Ask(engine(), kHarbor, EachAlone(kHarbor)).ok());
  ASSERT_TRUE(Ask(engine(), kHarbor, Alerts(1, {"A"})).ok());
  const auto alerts = rig_.commits.AwaitCommit(3);

  rig_.clock.Advance(absl::Minutes(1));
  engine().Wake();
  const auto step = rig_.commits.AwaitCommit(4);
  ASSERT_THAT(step->deliveries, SizeIs(1));
  EXPECT_TRUE(step->deliveries.front().open);
  ASSERT_THAT(step->records, SizeIs(1));
  EXPECT_EQ(step->records.front().time, testing::kNoon + absl::Minutes(1));

  rig_.clock.Advance(absl::Minutes(5));
  engine().Wake();
  for (std::size_t i = 5; rig_.Recovered(kHarbor)->alerts.size() > 0; ++i) {
    rig_.commits.AwaitCommit(i);
  }
}

TEST_F(EngineTest, DoesNotWakeForADeadlineThatHasNotCome) {
  Start();
  ASSERT_TRUE(Ask(engine(), kHarbor, EachAlone(kHarbor)).ok());
  ASSERT_TRUE(Ask(engine(), kHarbor, Alerts(1, {"A"})).ok());
  const int before = journal().appends();

  rig_.clock.Advance(absl::Seconds(59));
  engine().Wake();
  ASSERT_TRUE(Ask(engine(), kHarbor, PositionQuery{"agent-1"}).ok());

  EXPECT_EQ(journal().appends(), before);
}

TEST_F(EngineTest, NeverGoesBackInTimeWhenItsClockIsSetBack) {
  Start();
  ASSERT_TRUE(Ask(engine(), kHarbor, Alerts(1, {"A"})).ok());
  rig_.clock.Advance(-absl::Hours(1));

  ASSERT_TRUE(Ask(engine(), kHarbor, Alerts(2, {"B"})).ok());

  EXPECT_GE(rig_.commits.AwaitCommit(3)->records.front().time, testing::kNoon);
}

TEST_F(EngineTest, TellsPeopleInTimeAlthoughItsClockIsSetBack) {
  std::atomic<std::int64_t> seconds{0};
  ASSERT_TRUE(
      rig_.StartWithTenants({.monotonic = [&] { return absl::Seconds(seconds.load()); }}).ok());
  ASSERT_TRUE(Ask(engine(), kHarbor, EachAlone(kHarbor)).ok());
  ASSERT_TRUE(Ask(engine(), kHarbor, Alerts(1, {"A"})).ok());
  rig_.clock.Advance(-absl::Hours(1));
  engine().Wake();

  seconds += 61;  // the first step of the ladder is due after a minute
  engine().Wake();

  std::shared_ptr<const journal::Commit> paged;
  for (std::size_t i = 0; paged == nullptr || paged->deliveries.empty(); ++i) {
    paged = rig_.commits.AwaitCommit(i);
  }
  EXPECT_EQ(paged->records.front().time, testing::kNoon + absl::Seconds(61));
  EXPECT_EQ(engine().counters().clock_behind_microseconds, 3'661'000'000);
  engine().Stop();  // it reads `seconds`
}

TEST_F(EngineTest, CountsWhatAllTenantsHoldAlsoAfterItHasRecovered) {
  Start();
  ASSERT_TRUE(Ask(engine(), kHarbor, Alerts(1, {"A", "B"})).ok());
  ASSERT_TRUE(Ask(engine(), kMill, Alerts(1, {"C"})).ok());
  EXPECT_EQ(engine().counters().active_alerts, 3U);
  EXPECT_EQ(engine().counters().incidents, 3U);

  ASSERT_TRUE(rig_.Start().ok());

  EXPECT_EQ(engine().counters().active_alerts, 3U);
  EXPECT_EQ(engine().counters().incidents, 3U);
  rig_.clock.Advance(absl::Minutes(6));
  ASSERT_TRUE(Ask(engine(), kHarbor, Alerts(2, {"D"})).ok());
  EXPECT_EQ(engine().counters().active_alerts, 1U) << "the others have timed out";
}

TEST_F(EngineTest, TwoTenantsShareNothing) {
  Start();
  const std::string untouched = core::StateDigest(*rig_.Recovered(kMill));
  ASSERT_TRUE(Ask(engine(), kHarbor, EachAlone(kHarbor)).ok());
  ASSERT_TRUE(Ask(engine(), kHarbor, Alerts(7, {"A", "B"})).ok());

  EXPECT_EQ(core::StateDigest(*rig_.Recovered(kMill)), untouched);
  EXPECT_EQ(Ask(engine(), kMill, PositionQuery{"agent-1"})->position, 0U);
  const auto same = Ask(engine(), kMill, Alerts(7, {"A", "B"}));
  ASSERT_TRUE(same.ok());
  EXPECT_FALSE(same->repeated);
  EXPECT_EQ(same->sequence, Sequence(1));
  const core::Note note{.actor = {"ann", Side::kProvider},
                        .incident = IncidentNumber(2),
                        .text = "only harbor-mfg has a second incident for B"};
  ASSERT_TRUE(Ask(engine(), kHarbor, note).ok());
  EXPECT_EQ(rig_.Recovered(kMill)->last_sequence, Sequence(1));
}

TEST_F(EngineTest, KnowsNoTenantThatWasNotCreated) {
  Start();

  const auto reply = Ask(engine(), TenantId("nobody"), Alerts(1, {"A"}));

  EXPECT_EQ(reply.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(reply.status()), "TENANT_NOT_FOUND");
}

}  // namespace
}  // namespace tandem::engine
