#include <absl/cleanup/cleanup.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "router/codec/snapshot.h"
#include "router/engine/engine_rig.h"
#include "router/engine/snapshotter.h"
#include "tests/support/temporary_folder.h"

namespace tandem::engine {
namespace {

using testing::Alerts;
using testing::Ask;
using testing::EachAlone;
using testing::kHarbor;
using testing::kMill;

class RecoveryTest : public ::testing::Test {
 protected:
  RecoveryTest() : store_(*journal::SnapshotStore::Open(folder_.path())) {}

  void SetUp() override {
    ASSERT_TRUE(rig_.StartWithTenants().ok());
    Live(kHarbor, 1);
    Live(kMill, 1);
  }

  // Something of every kind, for batches from `number` on.
  void Live(const TenantId& tenant, std::uint64_t number) {
    ASSERT_TRUE(Ask(engine(), tenant, EachAlone(tenant)).ok());
    ASSERT_TRUE(Ask(engine(), tenant, Alerts(number, {"A", "B", "C"})).ok());
    core::ContextChange change{.version = number};
    change.put.push_back({.kind = "site", .id = "plant-7", .attributes = {{"kind", "factory"}}});
    ASSERT_TRUE(Ask(engine(), tenant, change).ok());
    const core::Actor ann{"ann", Side::kProvider};
    ASSERT_TRUE(Ask(engine(), tenant,
                    core::Acknowledgement{.actor = ann,
                                          .incident = IncidentNumber(1),
                                          .comment = "mine",
                                          .request_id = "r-1"})
                    .ok());
    rig_.clock.Advance(absl::Minutes(1));
    ASSERT_TRUE(Ask(engine(), tenant, Alerts(number + 1, {"C", "D"})).ok());
    ASSERT_TRUE(Ask(engine(), tenant,
                    core::Note{.actor = ann, .incident = IncidentNumber(2), .text = "seen"})
                    .ok());
  }

  Engine& engine() { return *rig_.engine; }
  std::string Digest(const TenantId& tenant, const journal::SnapshotStore* snapshots = nullptr) {
    return core::StateDigest(*rig_.Recovered(tenant, snapshots));
  }
  absl::Status WriteSnapshot(const TenantId& tenant) {
    Snapshotter snapshotter({.journal = &rig_.journal, .store = &store_});
    return snapshotter.Write(tenant);
  }

  tandem::testing::TemporaryFolder folder_;
  journal::SnapshotStore store_;
  testing::Rig rig_;
};

TEST_F(RecoveryTest, TheFoldedHistoryIsTheStateThatWasLived) {
  Shard lived({});
  ASSERT_TRUE(lived.Recover(**rig_.journal.OpenReader(), nullptr).ok());
  absl::Time now = rig_.clock.Now();
  for (std::uint64_t number = 10; number < 20; ++number) {
    std::vector<Command> commands;
    commands.push_back({kHarbor, Alerts(number, {"A", "New" + std::to_string(number)}), {}});
    now += absl::Seconds(50);
    const Shard::Group group = lived.Run(commands, now);
    ASSERT_TRUE(rig_.journal.Append(group.commit).ok());
  }

  EXPECT_EQ(Digest(kHarbor), core::StateDigest(*lived.FindTenant(kHarbor)));
  EXPECT_EQ(Digest(kMill), core::StateDigest(*lived.FindTenant(kMill)));
}

TEST_F(RecoveryTest, ANewStartChangesNothingAndGoesOnWhereItWas) {
  const std::string harbor = Digest(kHarbor);
  const std::string mill = Digest(kMill);
  const Sequence last = rig_.Recovered(kHarbor)->last_sequence;

  ASSERT_TRUE(rig_.Start().ok());

  EXPECT_EQ(Digest(kHarbor), harbor);
  EXPECT_EQ(Digest(kMill), mill);
  EXPECT_TRUE(engine().Installation()->tenants.contains(kMill));
  EXPECT_EQ(Ask(engine(), kHarbor, PositionQuery{"agent-1"})->position, 2U);
  EXPECT_TRUE(Ask(engine(), kHarbor, Alerts(2, {"C", "D"}))->repeated);
  const auto next = Ask(engine(), kHarbor, Alerts(3, {"E"}));
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_EQ(next->sequence, last.Next());
}

TEST_F(RecoveryTest, ARequestThatWasTakenBeforeTheStartIsRepeatedAfterIt) {
  ASSERT_TRUE(rig_.Start().ok());

  const auto again = Ask(engine(), kHarbor,
                         core::Acknowledgement{.actor = {"ann", Side::kProvider},
                                               .incident = IncidentNumber(1),
                                               .comment = "mine",
                                               .request_id = "r-1"});

  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->repeated);
}

TEST_F(RecoveryTest, ADeadlineThatCameWhileNobodyRanIsActedOnAtOnce) {
  // The incident of kHarbor is acknowledged; that of kMill waits for its first step.
  rig_.engine->Stop();
  const Sequence before = rig_.Recovered(kMill)->last_sequence;
  rig_.clock.Advance(absl::Minutes(2));
  const std::size_t commits = rig_.commits.size();

  ASSERT_TRUE(rig_.Start().ok());

  rig_.commits.AwaitCommit(commits);
  EXPECT_GT(rig_.Recovered(kMill)->last_sequence, before);
}

TEST_F(RecoveryTest, WhatFiredBeforeAnOutageDoesNotEndBeforeItCouldBeReportedAgain) {
  const std::uint64_t alerts = engine().counters().active_alerts;
  rig_.engine->Stop();
  rig_.clock.Advance(absl::Hours(2));
  ASSERT_TRUE(rig_.Start().ok());
  rig_.clock.Advance(absl::Seconds(299));
  ASSERT_TRUE(Ask(engine(), kHarbor, Alerts(3, {"A"})).ok());
  EXPECT_EQ(engine().counters().active_alerts, alerts);
  const std::string lived = Digest(kHarbor);
  ASSERT_TRUE(WriteSnapshot(kHarbor).ok());
  EXPECT_EQ(Digest(kHarbor, &store_), lived);

  rig_.clock.Advance(absl::Seconds(1));
  ASSERT_TRUE(Ask(engine(), kHarbor, Alerts(4, {"A"})).ok());
  ASSERT_TRUE(Ask(engine(), kMill, Alerts(3, {"A"})).ok());
  EXPECT_EQ(engine().counters().active_alerts, 2U) << "nobody said anything of the others";
}

TEST_F(RecoveryTest, ManyShortOutagesEndNoAlertEither) {
  const std::uint64_t alerts = engine().counters().active_alerts;
  for (int start = 0; start < 20; ++start) {
    rig_.engine->Stop();
    rig_.clock.Advance(absl::Seconds(30));
    ASSERT_TRUE(rig_.Start().ok());
    rig_.clock.Advance(absl::Seconds(1));
    // Something is recorded each time, but no report.
    ASSERT_TRUE(Ask(engine(), kMill,
                    core::Note{.actor = {"ann", Side::kProvider},
                               .incident = IncidentNumber(1),
                               .text = "flapping"})
                    .ok());
    ASSERT_TRUE(Ask(engine(), kHarbor, PositionQuery{"agent-1"}).ok());
  }
  EXPECT_EQ(engine().counters().active_alerts, alerts);
}

// Histories say only by its digest that they were decided under it.
TEST(DefaultPlaybook, NeverChanges) {
  EXPECT_EQ(DefaultPlaybook(TenantId("mill"))->digest(),
            "4c7cf07ee16b9b0785b8b594c2379c7360ad3413ae1353ab9be2426db9641aab")
      << "histories that began under the former one could not be read back";
}

TEST_F(RecoveryTest, ASnapshotAndTheRecordsAfterItGiveTheSameState) {
  ASSERT_TRUE(WriteSnapshot(kHarbor).ok());
  EXPECT_EQ(Digest(kHarbor, &store_), Digest(kHarbor));

  ASSERT_TRUE(Ask(engine(), kHarbor, Alerts(9, {"A", "Z"})).ok());

  EXPECT_EQ(Digest(kHarbor, &store_), Digest(kHarbor));
  ASSERT_TRUE(rig_.Start({.snapshots = &store_}).ok());
  EXPECT_EQ(Ask(engine(), kHarbor, PositionQuery{"agent-1"})->position, 9U);
  EXPECT_TRUE(Ask(engine(), kHarbor, Alerts(10, {"A"})).ok());
  EXPECT_EQ(Digest(kHarbor, &store_), Digest(kHarbor));
}

TEST_F(RecoveryTest, ASnapshotIsTheShortCutThatIsTaken) {
  ASSERT_TRUE(WriteSnapshot(kHarbor).ok());
  // Records that a snapshot contains need not be there any more.
  const Sequence head = rig_.Recovered(kHarbor)->last_sequence;
  const std::string before = Digest(kHarbor);
  ASSERT_TRUE(rig_.journal.Prune({.tenant = kHarbor, .through = head}).ok());

  EXPECT_EQ(Digest(kHarbor, &store_), before);
}

TEST_F(RecoveryTest, ADamagedSnapshotIsPassedOver) {
  ASSERT_TRUE(WriteSnapshot(kHarbor).ok());
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder_.path())) {
    if (!file.is_regular_file()) continue;
    std::fstream bytes(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(static_cast<std::streamoff>(file.file_size() / 2));
    bytes.write("damage", 6);
  }

  EXPECT_EQ(Digest(kHarbor, &store_), Digest(kHarbor));
}

TEST_F(RecoveryTest, ASnapshotOfAnotherHistoryIsPassedOver) {
  const auto state = rig_.Recovered(kMill);
  ASSERT_TRUE(store_
                  .Save({.tenant = kHarbor,
                         .sequence = Sequence(3),
                         .hash = {1, 2, 3},
                         .payload = codec::EncodeSnapshot(*state)})
                  .ok());

  EXPECT_EQ(Digest(kHarbor, &store_), Digest(kHarbor));
}

TEST_F(RecoveryTest, ASnapshotBeyondTheEndOfTheHistoryIsPassedOver) {
  ASSERT_TRUE(store_
                  .Save({.tenant = kHarbor,
                         .sequence = Sequence(1000),
                         .hash = {},
                         .payload = codec::EncodeSnapshot(*rig_.Recovered(kHarbor))})
                  .ok());

  EXPECT_EQ(Digest(kHarbor, &store_), Digest(kHarbor));
}

TEST_F(RecoveryTest, ASnapshotThatThisReleaseCannotReadIsPassedOver) {
  const auto reader = *rig_.journal.OpenReader();
  const auto record = *reader->ReadRecord(kHarbor, Sequence(2));
  ASSERT_TRUE(store_
                  .Save({.tenant = kHarbor,
                         .sequence = Sequence(2),
                         .hash = record->hash,
                         .payload = "\xFF\xFF no snapshot"})
                  .ok());

  EXPECT_EQ(Digest(kHarbor, &store_), Digest(kHarbor));
}

TEST_F(RecoveryTest, AnOlderSnapshotIsTakenWhereTheNewerCannotBeRead) {
  const auto save = [&](const core::TenantState& state, std::string payload) {
    const auto record = *(*rig_.journal.OpenReader())->ReadRecord(kHarbor, state.last_sequence);
    ASSERT_TRUE(store_
                    .Save({.tenant = kHarbor,
                           .sequence = state.last_sequence,
                           .hash = record->hash,
                           .payload = std::move(payload)})
                    .ok());
  };
  const auto older = rig_.Recovered(kHarbor);
  save(*older, codec::EncodeSnapshot(*older));
  ASSERT_TRUE(Ask(*rig_.engine, kHarbor, Alerts(1'000, {"Later"})).ok());
  save(*rig_.Recovered(kHarbor), "\xFF\xFF of a newer release");
  const std::string before = Digest(kHarbor);
  ASSERT_TRUE(
      rig_.journal.Prune({.tenant = kHarbor, .through = Sequence(older->last_sequence.value - 1)})
          .ok());

  EXPECT_EQ(Digest(kHarbor, &store_), before);
}

TEST_F(RecoveryTest, ASnapshotIsWrittenForWhatEarlierProcessesLeftBehind) {
  std::promise<absl::Status> written;
  std::atomic<bool> first{true};
  const Snapshotter snapshotter({.journal = &rig_.journal,
                                 .store = &store_,
                                 .records_between = 2,
                                 .on_done = [&](const TenantId&, const absl::Status& status) {
                                   if (first.exchange(false)) written.set_value(status);
                                 }});

  auto done = written.get_future();
  ASSERT_EQ(done.wait_for(testing::kPatience), std::future_status::ready);
  EXPECT_TRUE(done.get().ok());
}

TEST_F(RecoveryTest, SnapshotsAreWrittenBesideTheEngineWhenEnoughHasHappened) {
  std::promise<absl::Status> written;
  testing::Rig rig;
  Snapshotter snapshotter(
      {.journal = &rig.journal,
       .store = &store_,
       .records_between = 3,
       .on_done = [&](const TenantId&, const absl::Status& status) { written.set_value(status); }});
  const absl::Cleanup sinks_outlive_the_engine = [&] { rig.engine.reset(); };
  ASSERT_TRUE(rig.StartWithTenants({.sinks = {&snapshotter}}).ok());
  for (const std::uint64_t number : {1, 2, 3}) {
    ASSERT_TRUE(Ask(*rig.engine, kHarbor, Alerts(number, {"A"})).ok());
  }

  auto done = written.get_future();
  ASSERT_EQ(done.wait_for(testing::kPatience), std::future_status::ready);
  EXPECT_TRUE(done.get().ok());
  const auto loaded = store_.Load(kHarbor);
  ASSERT_TRUE(loaded.ok());
  ASSERT_TRUE(loaded->snapshot.has_value());
  EXPECT_EQ(loaded->snapshot->sequence, Sequence(3));
}

}  // namespace
}  // namespace tandem::engine
