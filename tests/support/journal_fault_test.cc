// The SQLite journal on a disk that fails: an fsync that fails once, a disk that fills, a kill.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/support/fault_run.h"
#include "tests/support/fault_trace.h"
#include "tests/support/temporary_folder.h"

namespace tandem::testing {
namespace {

using ::testing::IsEmpty;

TEST(FailedFsync, IsTheLastThingThatTheJournalEverAcknowledgedBefore) {
  int failed_after_acks = 0;
  for (int n = 1; n <= 30; ++n) {
    const TemporaryFolder folder;
    const std::string path = folder.File("journal.db");
    const ProbeResult result =
        RunProbe({.path = path,
                  .arguments = {"--count=20"},
                  .settings = {{"TANDEM_FAULT", fmt::format("fsync:{}:journal.db", n)}}});
    if (!result.Has("fault: ")) continue;  // beyond the last one; closing may fail unseen
    EXPECT_THAT(AcksAfterAFailedFsync(result.lines), IsEmpty()) << "fsync " << n;
    EXPECT_EQ(WhatIsWrongWith(path, result.last_acked()), "") << "fsync " << n;
    if (result.last_acked() < 20) {
      EXPECT_EQ(result.exit_code, 3) << "fsync " << n;
    }
    failed_after_acks += result.last_acked() > 0 && result.last_acked() < 20;
  }
  EXPECT_GE(failed_after_acks, 15);
}

TEST(FailedFsync, OfACheckpointStopsTheJournalToo) {
  int stopped = 0;
  for (int n = 3; n <= 5; ++n) {
    const TemporaryFolder folder;
    const std::string path = folder.File("journal.db");
    const ProbeResult result =
        RunProbe({.path = path,
                  .arguments = {"--count=2000", "--bytes=65536"},
                  .settings = {{"TANDEM_FAULT", fmt::format("fsync:{}:journal.db$", n)}}});
    EXPECT_EQ(WhatIsWrongWith(path, result.last_acked()), "") << "fsync " << n;
    if (result.last_acked() == 0 || !result.Has("failed: ")) continue;
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_LT(result.last_acked(), 2'000u);
    ++stopped;
  }
  EXPECT_GE(stopped, 1);
}

// The check above is worth something only if it sees the bug that it is there for.
TEST(FailedFsync, IsNoticedWhenItIsRetried) {
  const TemporaryFolder folder;
  const ProbeResult result = RunProbe({.path = folder.File("journal.db"),
                                       .arguments = {"--count=20", "--plant=retry-fsync"},
                                       .settings = {{"TANDEM_FAULT", "fsync:8:-wal"}}});

  ASSERT_TRUE(result.Has("fault: fsync failed"));
  EXPECT_FALSE(AcksAfterAFailedFsync(result.lines).empty());
}

TEST(Commit, IsSyncedBeforeItIsAcknowledged) {
  const TemporaryFolder folder;
  const std::string trace = folder.File("trace");
  RunProbe(
      {.path = folder.File("journal.db"),
       .arguments = {"--count=50"},
       .settings = {{"TANDEM_FAULT_TRACE", trace}, {"TANDEM_FAULT_TRACE_PART", "journal.db"}}});

  int acks = 0;
  int syncs = 0;
  int writes = 0;
  for (const DiskChange& change : ReadTrace(trace)) {
    const bool is_log = change.path.ends_with("-wal");
    if (is_log && change.kind == DiskChange::kWrite) ++writes;
    if (is_log && change.kind == DiskChange::kSync) {
      ++syncs;
      writes = 0;
    }
    if (change.kind != DiskChange::kOutput || !change.data.starts_with("acked ")) continue;
    EXPECT_EQ(writes, 0) << change.data << " with bytes that were not synced";
    EXPECT_GT(syncs, acks) << change.data;
    ++acks;
  }
  EXPECT_EQ(acks, 50);
}

TEST(FullDisk, IsRefusedAndLeavesNothingBehindWhereverItStrikes) {
  int refused = 0;
  for (int bytes = 150'000; bytes < 500'000; bytes += 9'973) {
    const TemporaryFolder folder;
    const std::string path = folder.File("journal.db");
    const ProbeResult result = RunProbe(
        {.path = path,
         .arguments = {"--count=40"},
         .settings = {{"TANDEM_FAULT", fmt::format("write_enospc:{}:journal.db", bytes)}}});
    if (!result.Has("refused ")) continue;  // it was full before the journal was open, or never
    EXPECT_EQ(result.exit_code, 4) << bytes;
    EXPECT_EQ(WhatIsWrongWith(path, result.last_acked()), "") << bytes;
    ++refused;
  }
  EXPECT_GE(refused, 15);
}

TEST(FullDisk, IsLeftBehindWithoutARestartWhenThereIsRoomAgain) {
  int lifted = 0;
  for (int bytes = 150'000; bytes < 500'000; bytes += 19'937) {
    const TemporaryFolder folder;
    const std::string path = folder.File("journal.db");
    const ProbeResult result =
        RunProbe({.path = path,
                  .arguments = {"--count=40", "--lift"},
                  .settings = {{"TANDEM_FAULT", fmt::format("write_enospc:{}:journal.db", bytes)},
                               {"TANDEM_FAULT_LIFTED", folder.File("lifted")}}});
    if (!result.Has("refused ")) continue;
    EXPECT_EQ(result.exit_code, 0) << bytes;
    EXPECT_EQ(result.last_acked(), 40u) << bytes;
    EXPECT_EQ(WhatIsWrongWith(path, 40), "") << bytes;
    ++lifted;
  }
  EXPECT_GE(lifted, 8);
}

TEST(Kill, LosesNothingThatWasAcknowledged) {
  const TemporaryFolder folder;
  const std::string path = folder.File("journal.db");
  std::uint64_t acked = 0;
  for (int round = 1; round <= 25; ++round) {
    const ProbeResult result = RunProbe({.path = path,
                                         .arguments = {"--count=100000", "--bytes=3000"},
                                         .kill_after_lines = 3 * round});
    EXPECT_EQ(result.exit_code, -1);
    EXPECT_GT(result.last_acked(), acked) << "the next run goes on behind the last";
    acked = result.last_acked();
    EXPECT_EQ(WhatIsWrongWith(path, acked), "") << "round " << round;
  }
}

}  // namespace
}  // namespace tandem::testing
