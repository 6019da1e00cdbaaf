// One contract for both spools, and what only the one on disk can do.
#include "tools/agent/spool.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>

#include "router/base/status.h"
#include "tests/support/temporary_folder.h"
#include "tools/agent/file_spool.h"
#include "tools/agent/memory_spool.h"

namespace tandem::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const ManualClock kClock(absl::FromUnixSeconds(1'760'000'000));

BatchNumber Add(Spool& spool, const std::string& bytes) {
  const auto number =
      spool.Append({.bytes = bytes, .alerts = 2, .time = absl::FromUnixSeconds(1'760'000'000)});
  EXPECT_TRUE(number.ok()) << number.status();
  return number.value_or(BatchNumber());
}

std::vector<std::string> All(Spool& spool) {
  std::vector<std::string> all;
  for (auto batch = spool.ReadAfter(BatchNumber()); batch;
       batch = spool.ReadAfter(batch->info.number)) {
    all.push_back(batch->bytes);
  }
  return all;
}

class AnySpool : public ::testing::TestWithParam<bool> {
 protected:
  AnySpool() {
    if (GetParam()) {
      spool_ = *FileSpool::Open(
          {.directory = folder_.File("spool"), .client_id = "a", .clock = &kClock});
    } else {
      spool_ = std::make_unique<MemorySpool>();
    }
  }
  tandem::testing::TemporaryFolder folder_;
  std::unique_ptr<Spool> spool_;
};
INSTANTIATE_TEST_SUITE_P(Implementations, AnySpool, ::testing::Values(false, true),
                         [](const auto& chosen) { return chosen.param ? "File" : "Memory"; });

TEST_P(AnySpool, GivesBackInOrderWhatItWasGiven) {
  const BatchNumber one = Add(*spool_, "one");
  const BatchNumber two = Add(*spool_, "");
  ASSERT_TRUE(spool_->Sync().ok());

  EXPECT_LT(one, two);
  const auto first = spool_->ReadAfter(BatchNumber());
  ASSERT_TRUE(first);
  EXPECT_EQ(first->bytes, "one");
  EXPECT_EQ(first->info.alerts, 2u);
  EXPECT_EQ(first->info.time, kClock.Now());
  EXPECT_EQ(spool_->ReadAfter(one)->info.number, two);
  EXPECT_FALSE(spool_->ReadAfter(two));
  EXPECT_EQ(spool_->last(), two);
}

TEST_P(AnySpool, CountsWhatWaits) {
  const BatchNumber one = Add(*spool_, "12345");
  Add(*spool_, "12345");
  EXPECT_EQ(spool_->bytes(), 2 * (5 + kBatchOverheadBytes));
  EXPECT_EQ(spool_->alerts(), 4u);

  spool_->RemoveThrough(one);
  EXPECT_EQ(spool_->bytes(), 5 + kBatchOverheadBytes);
  EXPECT_EQ(spool_->alerts(), 2u);
  EXPECT_GT(spool_->Oldest()->number, one);
}

TEST_P(AnySpool, KeepsItsNumbersWhenItIsEmptied) {
  const BatchNumber one = Add(*spool_, "one");
  spool_->RemoveThrough(one);
  EXPECT_TRUE(spool_->empty());
  EXPECT_EQ(spool_->last(), one);
  EXPECT_GT(Add(*spool_, "two"), one);
}

TEST_P(AnySpool, HasNoNumberBaseUntilItIsTold) {
  EXPECT_EQ(spool_->number_base(), std::nullopt);
  ASSERT_TRUE(spool_->SetNumberBase(0).ok());
  EXPECT_EQ(spool_->number_base(), 0u);
}

class FileSpoolTest : public ::testing::Test {
 protected:
  std::unique_ptr<FileSpool> Open(std::uint64_t segment_bytes = 8u << 20) {
    auto spool = FileSpool::Open({.directory = Directory(),
                                  .client_id = "a",
                                  .clock = &kClock,
                                  .segment_bytes = segment_bytes});
    EXPECT_TRUE(spool.ok()) << spool.status();
    return spool.ok() ? *std::move(spool) : nullptr;
  }

  std::string Directory() const { return folder_.File("spool"); }

  // The spool as a kill -9 leaves it: a copy of the directory of one that is still open.
  void Crash(std::unique_ptr<FileSpool> spool) {
    std::filesystem::copy(Directory(), folder_.File("copy"));
    spool.reset();
    std::filesystem::remove_all(Directory());
    std::filesystem::rename(folder_.File("copy"), Directory());
  }

  std::vector<std::string> Segments() const {
    std::vector<std::string> paths;
    for (const auto& file : std::filesystem::directory_iterator(Directory())) {
      if (file.path().extension() == ".seg") paths.push_back(file.path().string());
    }
    std::sort(paths.begin(), paths.end());
    return paths;
  }

  // Changes the file's bytes.
  static void Edit(const std::string& path, const std::function<void(std::string&)>& edit) {
    std::ifstream in(path, std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(in)), {});
    edit(bytes);
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }

  tandem::testing::TemporaryFolder folder_;
};

TEST_F(FileSpoolTest, KeepsBatchesAndNumbersOverACleanRestart) {
  auto spool = Open();
  Add(*spool, "one");
  const BatchNumber two = Add(*spool, "two");
  ASSERT_TRUE(spool->SetNumberBase(40).ok());
  spool.reset();

  spool = Open();
  EXPECT_THAT(All(*spool), ElementsAre("one", "two"));
  EXPECT_EQ(spool->number_base(), 40u);
  EXPECT_EQ(Add(*spool, "three"), two.Next());
  EXPECT_THAT(spool->TakeDamages(), IsEmpty());
}

TEST_F(FileSpoolTest, LeavesNoSegmentBehindWhenNothingWaits) {
  auto spool = Open();
  const BatchNumber one = Add(*spool, "one");
  spool->RemoveThrough(one);
  spool.reset();

  EXPECT_THAT(Segments(), IsEmpty());
  EXPECT_EQ(Add(*Open(), "two"), one.Next());
}

TEST_F(FileSpoolTest, NeverGivesANumberTwiceAfterACrash) {
  auto spool = Open();
  BatchNumber highest;
  for (int round = 0; round < 5; ++round) {
    const BatchNumber number = Add(*spool, "x");
    EXPECT_GT(number, highest);
    highest = number;
    if (round == 2) spool->RemoveThrough(number);
    Crash(std::move(spool));
    // The worst power cut: the newest file never reached the disk.
    if (round == 3) std::filesystem::remove(Segments().back());
    spool = Open();
  }
}

TEST_F(FileSpoolTest, CutsATornTailAtEveryPossiblePlace) {
  auto spool = Open();
  Add(*spool, "one");
  Add(*spool, "the second");
  Crash(std::move(spool));
  const std::string path = Segments().front();
  std::string whole;
  Edit(path, [&](std::string& bytes) { whole = bytes; });
  const std::size_t second = whole.size() - kRecordHeaderBytes - 10;

  for (std::size_t length = second; length < whole.size(); ++length) {
    Edit(path, [&](std::string& bytes) { bytes = whole.substr(0, length); });
    Crash(Open());
    spool = Open();
    EXPECT_THAT(All(*spool), ElementsAre("one")) << length;
    EXPECT_THAT(spool->TakeDamages(), IsEmpty()) << length;
    EXPECT_EQ(std::filesystem::file_size(path), second);
    Crash(std::move(spool));
  }
}

TEST_F(FileSpoolTest, TakesZerosAtTheEndForATornTail) {
  auto spool = Open();
  Add(*spool, "one");
  Crash(std::move(spool));
  Edit(Segments().front(), [](std::string& bytes) { bytes.append(4096, '\0'); });

  spool = Open();
  EXPECT_THAT(All(*spool), ElementsAre("one"));
  EXPECT_THAT(spool->TakeDamages(), IsEmpty());
}

// The worked example of SPOOL.md.
TEST(Segment, HasTheBytesThatItsDocumentShows) {
  const absl::Time begun = absl::FromUnixMillis(1'760'000'000'000);
  const std::string alerts("\x12\x08\x0a\x06\x0a\x01\x61\x12\x01\x62", 10);
  const std::string file =
      SegmentHeader(BatchNumber(1), begun) +
      RecordBytes(BatchNumber(1),
                  {.bytes = alerts, .alerts = 1, .time = begun + absl::Milliseconds(5)});
  std::string hex;
  for (const char c : file) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  EXPECT_EQ(hex,
            "544e4453504c3031010000000000000000c02cc899010000664b879600000000"
            "5452414c0a000000010000000000000005c02cc89901000001000000c7c56584"
            "12080a060a0161120162");
  SpoolState state;
  state.client_id = "plant-7/agent";
  state.next_number = 65537;
  state.number_base = 0;
  EXPECT_THAT(WriteSpoolState(state), HasSubstr("crc32 4d24262e"));
}

TEST_F(FileSpoolTest, NoticesEveryFlippedBit) {
  auto spool = Open();
  Add(*spool, "one");
  Add(*spool, "two");
  Crash(std::move(spool));
  const std::string path = Segments().front();
  std::string whole;
  Edit(path, [&](std::string& bytes) { whole = bytes; });

  for (std::size_t at = 0; at < whole.size(); ++at) {
    if (at >= 28 && at < 32) continue;  // the header's reserved bytes
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      const SegmentScan scan = ScanSegment(flipped, BatchNumber(1));
      EXPECT_LT(scan.records.size(), 2u) << at << " bit " << bit;
      EXPECT_NE(scan.end, SegmentEnd::kClean) << at << " bit " << bit;
    }
  }
}

TEST_F(FileSpoolTest, ReportsDamageAndGoesOnWithTheNextSegment) {
  auto spool = Open(/*segment_bytes=*/140);  // three batches a file
  for (int i = 1; i <= 9; ++i) Add(*spool, fmt::format("batch-{}", i));
  const BatchNumber last = spool->last();
  Crash(std::move(spool));
  ASSERT_EQ(Segments().size(), 3u);
  const std::string damaged = Segments()[1];
  Edit(damaged, [](std::string& bytes) { bytes[bytes.find("batch-5")] ^= 1; });

  spool = Open();
  EXPECT_THAT(All(*spool), ElementsAre("batch-1", "batch-2", "batch-3", "batch-4", "batch-7",
                                       "batch-8", "batch-9"));
  const auto damages = spool->TakeDamages();
  ASSERT_EQ(damages.size(), 1u);
  EXPECT_EQ(damages[0].file, damaged);
  EXPECT_THAT(damages[0].problem, HasSubstr("checksum"));
  EXPECT_TRUE(std::filesystem::exists(damaged + ".damaged"));
  EXPECT_GT(Add(*spool, "more"), last);
}

TEST_F(FileSpoolTest, SkipsABatchThatIsDamagedWhileItWaits) {
  auto spool = Open();
  Add(*spool, "one");
  Add(*spool, "two");
  Add(*spool, "three");
  Edit(Segments().front(), [](std::string& bytes) { bytes[bytes.find("two")] ^= 1; });

  EXPECT_THAT(All(*spool), ElementsAre("one", "three"));
  EXPECT_EQ(spool->TakeDamages().size(), 1u);
  EXPECT_EQ(spool->alerts(), 4u);
}

TEST_F(FileSpoolTest, DeletesSegmentsAsReceiptsCome) {
  auto spool = Open(/*segment_bytes=*/140);
  for (int i = 1; i <= 9; ++i) Add(*spool, fmt::format("batch-{}", i));
  EXPECT_EQ(Segments().size(), 3u);

  spool->RemoveThrough(BatchNumber(5));
  EXPECT_EQ(Segments().size(), 2u);
  spool->RemoveThrough(BatchNumber(9));
  EXPECT_EQ(Segments().size(), 1u) << "the file that is written to stays";
}

TEST_F(FileSpoolTest, GoesOnWithoutTheStateFile) {
  auto spool = Open();
  const BatchNumber one = Add(*spool, "one");
  ASSERT_TRUE(spool->SetNumberBase(7).ok());
  Crash(std::move(spool));
  Edit(Directory() + "/STATE", [](std::string& text) { text[20] ^= 1; });

  spool = Open();
  EXPECT_THAT(All(*spool), ElementsAre("one"));
  EXPECT_EQ(spool->number_base(), std::nullopt);
  EXPECT_EQ(spool->TakeDamages().size(), 1u);
  EXPECT_GT(Add(*spool, "two"), one.Next()) << "numbers may have been given that no file shows";
}

TEST_F(FileSpoolTest, BelongsToOneProcessAndOneClient) {
  auto spool = Open();
  const auto second =
      FileSpool::Open({.directory = Directory(), .client_id = "a", .clock = &kClock});
  EXPECT_EQ(ReasonOf(second.status()), "SPOOL_IN_USE");
  Add(*spool, "one");
  spool.reset();

  const auto other =
      FileSpool::Open({.directory = Directory(), .client_id = "b", .clock = &kClock});
  EXPECT_EQ(ReasonOf(other.status()), "SPOOL_OF_ANOTHER_CLIENT");
  EXPECT_THAT(All(*Open()), ElementsAre("one"));
}

}  // namespace
}  // namespace tandem::client
