#include "router/journal/sqlite_log.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "router/base/status.h"
#include "router/journal/journal.h"
#include "tests/support/temporary_folder.h"

namespace tandem::journal::sqlite {
namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kFrameBytes = kPageBytes + 24;
constexpr std::size_t kHeaderBytes = 32;

// A log with eight commits, as a killed process leaves it.
class CheckLogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string path = folder_.File("journal.db");
    auto journal = OpenSqliteJournal({.path = path, .page_bytes = kPageBytes});
    ASSERT_TRUE(journal.ok()) << journal.status();
    for (std::uint64_t i = 1; i <= 8; ++i) {
      ASSERT_TRUE((*journal)
                      ->Append({.records = {{.tenant = TenantId("plant"),
                                             .sequence = Sequence(i),
                                             .body = std::string(10'000, 'b')}}})
                      .ok());
    }
    std::ifstream log(path + "-wal", std::ios::binary);
    log_.assign(std::istreambuf_iterator<char>(log), std::istreambuf_iterator<char>());
    for (std::size_t at = kHeaderBytes; at + kFrameBytes <= log_.size(); at += kFrameBytes) {
      frames_.push_back(at);
      if (log_.substr(at + 4, 4) != std::string(4, '\0')) commits_.push_back(at);
    }
    ASSERT_GE(commits_.size(), 8u);
  }

  absl::Status Check(const std::string& bytes) {
    const std::string path = folder_.File("copy-wal");
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    return CheckLog(path);
  }
  std::string Flipped(std::size_t at) const {
    std::string bytes = log_;
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    return bytes;
  }

  testing::TemporaryFolder folder_;
  std::string log_;
  std::vector<std::size_t> frames_;   // where each begins
  std::vector<std::size_t> commits_;  // the frames that end a commit
};

TEST_F(CheckLogTest, FindsNothingWrongWithASoundLogOrNone) {
  EXPECT_TRUE(Check(log_).ok());
  EXPECT_TRUE(Check("").ok());
  EXPECT_TRUE(CheckLog(folder_.File("missing-wal")).ok());
}

TEST_F(CheckLogTest, NoticesAFlippedBitInEveryFrameThatACommitFollows) {
  // The last two commits may be torn, as far as the log shows.
  const std::size_t safe = commits_[commits_.size() - 3];
  for (const std::size_t frame : frames_) {
    if (frame > safe) break;
    for (const std::size_t byte : {0u, 5u, 9u, 17u, 24u, 24u + 1'000u, 24u + 4'095u}) {
      const absl::Status status = Check(Flipped(frame + byte));
      EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss)
          << "frame at " << frame << ", byte " << byte;
    }
  }
}

TEST_F(CheckLogTest, NoticesAFlippedBitInTheBodyOfTheCommitBeforeTheLast) {
  const std::size_t frame = commits_[commits_.size() - 2];

  EXPECT_EQ(Check(Flipped(frame + 24 + 7)).code(), absl::StatusCode::kDataLoss);
}

TEST_F(CheckLogTest, NoticesADamagedHeader) {
  for (std::size_t byte = 0; byte < kHeaderBytes; ++byte) {
    EXPECT_EQ(Check(Flipped(byte)).code(), absl::StatusCode::kDataLoss) << "byte " << byte;
  }
}

TEST_F(CheckLogTest, TakesALogThatEndsAnywhere) {
  for (std::size_t size = 0; size < log_.size(); size += 509) {
    EXPECT_TRUE(Check(log_.substr(0, size)).ok()) << size << " bytes";
  }
}

// A power cut may keep any of the pages that were not synced, and zeros or old bytes for the
// others.
TEST_F(CheckLogTest, TakesALogWhoseLastCommitIsTornAnywhere) {
  const std::size_t last_sound = commits_[commits_.size() - 2];
  for (const std::size_t frame : frames_) {
    if (frame <= last_sound) continue;
    for (std::size_t sector = frame & ~std::size_t{511}; sector < frame + kFrameBytes;
         sector += 512) {
      std::string torn = log_;
      const std::size_t start = std::max(sector, last_sound + kFrameBytes);
      const std::size_t size = std::min<std::size_t>(sector + 512, torn.size()) - start;
      torn.replace(start, size, std::string(size, '\0'));
      EXPECT_TRUE(Check(torn).ok()) << "sector at " << sector;
    }
  }
}

TEST_F(CheckLogTest, TakesAHeaderThatNeverArrived) {
  std::string torn = log_;
  torn.replace(0, 512, std::string(512, '\0'));

  EXPECT_TRUE(Check(torn).ok());
}

TEST_F(CheckLogTest, TheJournalRefusesToStartOnADamagedLog) {
  testing::TemporaryFolder other;
  std::filesystem::copy_file(folder_.File("journal.db"), other.File("journal.db"));
  std::ofstream(other.File("journal.db-wal"), std::ios::binary) << Flipped(frames_[2] + 99);

  const absl::Status status = OpenSqliteJournal({.path = other.File("journal.db")}).status();

  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(MessageOf(status), ::testing::HasSubstr("journal.db-wal"));
}

}  // namespace
}  // namespace tandem::journal::sqlite
