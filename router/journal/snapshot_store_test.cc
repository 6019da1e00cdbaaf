#include "router/journal/snapshot_store.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "router/base/status.h"
#include "tests/support/temporary_folder.h"

namespace tandem::journal {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SnapshotStoreTest : public ::testing::Test {
 protected:
  SnapshotStore Open() {
    auto store = SnapshotStore::Open(folder_.path());
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }
  Snapshot Make(std::uint64_t sequence) {
    Snapshot snapshot{.tenant = TenantId("plant"), .sequence = Sequence(sequence)};
    snapshot.hash.fill(static_cast<std::uint8_t>(sequence));
    snapshot.payload = "state at " + std::to_string(sequence) + std::string(10'000, 'x');
    return snapshot;
  }
  std::string PathOf(std::uint64_t sequence) {
    return folder_.File("snapshots/plant-" + std::to_string(sequence) + ".snap");
  }
  std::string Read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  void Write(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }

  testing::TemporaryFolder folder_;
};

TEST_F(SnapshotStoreTest, LoadsNothingWhereNothingWasSaved) {
  const auto loaded = Open().Load(TenantId("plant"));

  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_FALSE(loaded->snapshot.has_value());
  EXPECT_THAT(loaded->skipped, IsEmpty());
}

TEST_F(SnapshotStoreTest, GivesBackTheNewestOne) {
  ASSERT_TRUE(Open().Save(Make(9)).ok());
  ASSERT_TRUE(Open().Save(Make(10)).ok());

  const auto loaded = Open().Load(TenantId("plant"));

  ASSERT_TRUE(loaded.ok() && loaded->snapshot);
  EXPECT_EQ(loaded->snapshot->sequence, Sequence(10));
  EXPECT_EQ(loaded->snapshot->hash, Make(10).hash);
  EXPECT_EQ(loaded->snapshot->payload, Make(10).payload);
}

TEST_F(SnapshotStoreTest, TakesAnEmptyAndALargePayload) {
  Snapshot snapshot = Make(1);
  snapshot.payload.clear();
  ASSERT_TRUE(Open().Save(snapshot).ok());
  EXPECT_EQ(Open().Load(TenantId("plant"))->snapshot->payload, "");

  snapshot.sequence = Sequence(2);
  for (std::uint32_t i = 0; i < 3'000'000; ++i) {
    snapshot.payload.push_back(static_cast<char>((i * 2'654'435'761u) >> 24));
  }
  ASSERT_TRUE(Open().Save(snapshot).ok());
  EXPECT_TRUE(Open().Load(TenantId("plant"))->snapshot->payload == snapshot.payload);
}

TEST_F(SnapshotStoreTest, KeepsTheNewestTwoOfATenantAndTouchesNoOther) {
  Snapshot other = Make(1);
  other.tenant = TenantId("plant-2");
  ASSERT_TRUE(Open().Save(other).ok());
  for (std::uint64_t i = 1; i <= 12; ++i) ASSERT_TRUE(Open().Save(Make(i)).ok());

  EXPECT_FALSE(std::filesystem::exists(PathOf(10)));
  EXPECT_TRUE(std::filesystem::exists(PathOf(11)));
  EXPECT_TRUE(std::filesystem::exists(PathOf(12)));
  EXPECT_EQ(Open().Load(other.tenant)->snapshot->sequence, Sequence(1));
}

TEST_F(SnapshotStoreTest, GoesBackToTheOlderOneWhereverTheNewerIsDamaged) {
  ASSERT_TRUE(Open().Save(Make(1)).ok());
  ASSERT_TRUE(Open().Save(Make(2)).ok());
  const std::string whole = Read(PathOf(2));

  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    Write(PathOf(2), damaged);
    const auto loaded = Open().Load(TenantId("plant"));
    ASSERT_TRUE(loaded.ok() && loaded->snapshot) << "byte " << at;
    // A bit that zstd does not look at may be flipped, but never a wrong state be given out.
    if (loaded->snapshot->sequence == Sequence(2)) {
      EXPECT_EQ(loaded->snapshot->payload, Make(2).payload) << "byte " << at;
      continue;
    }
    ASSERT_THAT(loaded->skipped, SizeIs(1));
    EXPECT_EQ(loaded->skipped[0].code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(MessageOf(loaded->skipped[0]), HasSubstr("plant-2.snap"));
  }
}

TEST_F(SnapshotStoreTest, SkipsAFileThatIsCutOff) {
  ASSERT_TRUE(Open().Save(Make(1)).ok());
  const std::string whole = Read(PathOf(1));

  for (std::size_t size = 0; size < whole.size(); ++size) {
    Write(PathOf(1), whole.substr(0, size));
    const auto loaded = Open().Load(TenantId("plant"));
    ASSERT_TRUE(loaded.ok());
    EXPECT_FALSE(loaded->snapshot.has_value()) << size << " bytes";
    EXPECT_THAT(loaded->skipped, SizeIs(1));
  }
}

TEST_F(SnapshotStoreTest, DoesNotBelieveAFileUnderAnotherName) {
  ASSERT_TRUE(Open().Save(Make(1)).ok());
  std::filesystem::rename(PathOf(1), PathOf(7));

  EXPECT_FALSE(Open().Load(TenantId("plant"))->snapshot.has_value());
}

TEST_F(SnapshotStoreTest, LooksPastWhatACrashLeftBehind) {
  ASSERT_TRUE(Open().Save(Make(1)).ok());
  Write(PathOf(2) + ".new", "half a snapshot");

  const auto loaded = Open().Load(TenantId("plant"));

  EXPECT_EQ(loaded->snapshot->sequence, Sequence(1));
  EXPECT_THAT(loaded->skipped, IsEmpty());
  EXPECT_TRUE(Open().Save(Make(2)).ok());
}

TEST_F(SnapshotStoreTest, SaysThatTheFolderIsMissing) {
  EXPECT_EQ(SnapshotStore::Open(folder_.File("missing")).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace tandem::journal
