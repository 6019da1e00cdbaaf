// The power fails at any moment: whatever of the unsynced bytes arrives, every acknowledged record
// is there, and the journal opens. TANDEM_SEED and TANDEM_POWER_CUTS repeat or extend a run.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "tests/support/fault_run.h"
#include "tests/support/fault_trace.h"
#include "tests/support/temporary_folder.h"

namespace tandem::testing {
namespace {

std::uint64_t Setting(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::stoull(value);
}

class PowerCut : public ::testing::Test {
 protected:
  // Runs the probe; its changes join those of the runs before.
  ProbeResult Run(std::vector<std::string> arguments, const std::string& fault = "") {
    return RunProbe({.path = folder_.File("journal.db"),
                     .arguments = std::move(arguments),
                     .settings = {{"TANDEM_FAULT", fault},
                                  {"TANDEM_FAULT_TRACE", folder_.File("trace")},
                                  {"TANDEM_FAULT_TRACE_PART", "/journal.db"}}});
  }

  // Cuts the power at `cuts` random places; the first thing that is wrong, or "".
  std::string CutAtRandom(std::uint64_t cuts) {
    const std::vector<DiskChange> changes = ReadTrace(folder_.File("trace"));
    const std::uint64_t seed = Setting("TANDEM_SEED", std::random_device()());
    std::mt19937_64 dice(seed);
    for (std::uint64_t i = 0; i < cuts; ++i) {
      const std::size_t count = dice() % (changes.size() + 1);
      const std::string wrong = Cut(changes, count, dice);
      if (!wrong.empty()) {
        return fmt::format("TANDEM_SEED={}, cut {} behind change {} of {}: {}", seed, i, count,
                           changes.size(), wrong);
      }
    }
    fmt::print("seed {}: {} cuts in {} changes, acknowledged records lost: 0\n", seed, cuts,
               changes.size());
    return "";
  }

 private:
  std::string Cut(const std::vector<DiskChange>& changes, std::size_t count,
                  std::mt19937_64& dice) {
    std::uint64_t acked = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (changes[i].kind == DiskChange::kOutput && changes[i].data.starts_with("acked ")) {
        acked = std::stoull(changes[i].data.substr(6));
      }
    }
    const TemporaryFolder after;
    for (const auto& [path, bytes] : CutPower(changes, count, dice)) {
      const std::string name = std::filesystem::path(path).filename();
      // The index of the log is made anew, the lock was the dead process's.
      if (name.ends_with("-shm") || name.ends_with(".lock")) continue;
      std::ofstream(after.File(name), std::ios::binary) << bytes;
    }
    return WhatIsWrongWith(after.File("journal.db"), acked);
  }

 protected:
  const std::uint64_t cuts_ = Setting("TANDEM_POWER_CUTS", 150);
  TemporaryFolder folder_;
};

TEST_F(PowerCut, LosesNothingThatWasAcknowledged) {
  ASSERT_EQ(Run({"--count=40"}).exit_code, 0);
  ASSERT_EQ(Run({"--count=40", "--bytes=20000"}).exit_code, 0);

  EXPECT_EQ(CutAtRandom(cuts_), "");
}

TEST_F(PowerCut, LosesNothingWhileTheLogIsCheckpointed) {
  ASSERT_EQ(Run({"--count=400", "--bytes=65536"}).exit_code, 0);

  EXPECT_EQ(CutAtRandom(cuts_ / 5), "");
}

// The page cache shows what the disk may not have: what is written after the restart must not stand
// behind it in the log.
TEST_F(PowerCut, LosesNothingThatWasAcknowledgedAfterARestartFromAFailedFsync) {
  ASSERT_EQ(Run({"--count=40"}, "fsync:12:-wal").exit_code, 3);
  ASSERT_EQ(Run({"--count=40"}).exit_code, 0);

  EXPECT_EQ(CutAtRandom(cuts_), "");
}

TEST_F(PowerCut, LosesNothingThatWasAcknowledgedAroundAFullDisk) {
  ASSERT_EQ(Run({"--count=40"}, "write_enospc:300000:journal.db").exit_code, 4);
  ASSERT_EQ(Run({"--count=40"}).exit_code, 0);

  EXPECT_EQ(CutAtRandom(cuts_), "");
}

// A program that does not sync looks like a disk that lies about it. The cut must show it: as a
// record that is not there, or as damage that refuses the start.
TEST_F(PowerCut, ShowsARecordThatWasAcknowledgedBeforeItWasSynced) {
  ASSERT_EQ(Run({"--count=40"}, "fsync_lie:5:-wal").exit_code, 0);

  EXPECT_NE(CutAtRandom(cuts_), "");
}

}  // namespace
}  // namespace tandem::testing
