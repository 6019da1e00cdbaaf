#include "router/journal/sqlite_checkpoint.h"

#include <gmock/gmock.h>

#include <absl/cleanup/cleanup.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "router/base/status.h"
#include "router/journal/sqlite_schema.h"
#include "tests/support/temporary_folder.h"

namespace tandem::journal::sqlite {
namespace {

constexpr std::int64_t kMiB = 1 << 20;

class CheckpointerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    writer_.emplace(Open());
    ASSERT_TRUE(SetUpWriter(*writer_, 4096).ok());
    ASSERT_TRUE(writer_->Execute("CREATE TABLE t(x)").ok());
    Connection connection = Open();
    ASSERT_TRUE(SetUpCheckpointer(connection).ok());
    checkpointer_.emplace(
        std::move(connection), gate_,
        CheckpointLimits{.page_bytes = 4096, .passive_bytes = kMiB / 4, .restart_bytes = 2 * kMiB},
        [this](const absl::Status&) { failed_ = true; });
    sqlite3_wal_hook(
        writer_->handle(),
        [](void* self, sqlite3*, const char*, int frames) {
          static_cast<Checkpointer*>(self)->Committed(frames);
          return SQLITE_OK;
        },
        &*checkpointer_);
  }
  Connection Open() {
    auto connection = Connection::Open(folder_.File("journal.db"), Access::kWrite);
    EXPECT_TRUE(connection.ok()) << connection.status();
    return *std::move(connection);
  }
  void Write(int commits) {
    for (int i = 0; i < commits; ++i) {
      gate_.EnterAsWriter();
      const absl::Cleanup leave = [&] { gate_.Leave(); };
      ASSERT_TRUE(writer_->Execute("INSERT INTO t VALUES(randomblob(60000))").ok());
    }
  }
  std::int64_t SizeOfLog() const {
    return static_cast<std::int64_t>(std::filesystem::file_size(folder_.File("journal.db-wal")));
  }

  testing::TemporaryFolder folder_;
  WriterGate gate_;
  std::atomic<bool> failed_ = false;
  std::optional<Connection> writer_;
  std::optional<Checkpointer> checkpointer_;
};

TEST_F(CheckpointerTest, LetsTheLogBeginAnewUnderSteadyWriting) {
  Write(700);  // 40 MiB

  EXPECT_LT(SizeOfLog(), 20 * kMiB);
  EXPECT_EQ(*writer_->Ask("SELECT count(*) FROM t"), "700");
  EXPECT_FALSE(failed_);
}

TEST_F(CheckpointerTest, WaitsForAReaderWithoutStoppingTheWriter) {
  Connection reader = Open();
  ASSERT_TRUE(reader.Execute("BEGIN").ok());
  ASSERT_EQ(*reader.Ask("SELECT count(*) FROM t"), "0");

  Write(200);  // far beyond the limit, and nobody is stuck

  EXPECT_GT(SizeOfLog(), 10 * kMiB);
  EXPECT_EQ(*reader.Ask("SELECT count(*) FROM t"), "0");
  ASSERT_TRUE(reader.Execute("COMMIT").ok());
  const std::int64_t before = SizeOfLog();
  Write(400);
  EXPECT_LT(SizeOfLog(), before + 10 * kMiB);
  EXPECT_FALSE(failed_);
}

TEST_F(CheckpointerTest, TellsWhatIsNotInTheDatabaseYet) {
  EXPECT_LT(checkpointer_->PendingBytes(), kMiB / 4);
  Write(2);
  EXPECT_GT(checkpointer_->PendingBytes(), 2 * 60'000);
  Write(50);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (checkpointer_->PendingBytes() >= kMiB && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_LT(checkpointer_->PendingBytes(), kMiB);
}

TEST(WriterGate, LetsTheCheckpointerInBetweenTwoCommitsOfABusyWriter) {
  WriterGate gate;
  std::atomic<bool> done = false;
  std::thread writer([&] {
    while (!done) {
      gate.EnterAsWriter();
      gate.Leave();
    }
  });
  for (int i = 0; i < 100; ++i) {
    gate.EnterAsCheckpointer();
    gate.Leave();
  }
  done = true;
  writer.join();
}

}  // namespace
}  // namespace tandem::journal::sqlite
