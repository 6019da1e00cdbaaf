#include "services/context/sqlite.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "router/base/status.h"
#include "services/context/testing.h"

namespace tandem::context {
namespace {

class SqliteTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = Connection::Open(folder_.File("test.db"), Connection::Mode::kReadWrite);
    ASSERT_TRUE(opened.ok()) << opened.status();
    connection_ = *std::move(opened);
    ASSERT_TRUE(connection_->Execute("CREATE TABLE t (id INTEGER PRIMARY KEY, bytes BLOB)").ok());
  }

  absl::Status Insert(std::string_view bytes) {
    TANDEM_ASSIGN_OR_RETURN(Statement insert,
                            connection_->Prepare("INSERT INTO t (bytes) VALUES (?)"));
    return insert.BindBlob(bytes).Run();
  }
  std::string Count() { return *connection_->Ask("SELECT count(*) FROM t"); }

  TemporaryFolder folder_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(SqliteTest, TellsEmptyBytesFromNone) {
  ASSERT_TRUE(Insert("").ok());
  ASSERT_TRUE(Insert(std::string_view("a\0b", 3)).ok());
  ASSERT_TRUE(connection_->Execute("INSERT INTO t (bytes) VALUES (NULL)").ok());
  Statement read = *connection_->Prepare("SELECT bytes FROM t ORDER BY id");
  ASSERT_TRUE(*read.Step());
  EXPECT_FALSE(read.IsNull(0));
  EXPECT_EQ(read.Bytes(0), "");
  ASSERT_TRUE(*read.Step());
  EXPECT_EQ(read.Bytes(0), std::string("a\0b", 3));
  ASSERT_TRUE(*read.Step());
  EXPECT_TRUE(read.IsNull(0));
  EXPECT_FALSE(*read.Step());
}

TEST_F(SqliteTest, RollsBackWhatIsNotCommitted) {
  {
    Transaction transaction = *Transaction::Begin(*connection_, Transaction::Kind::kWrite);
    ASSERT_TRUE(Insert("x").ok());
  }
  EXPECT_EQ(Count(), "0");
  {
    Transaction transaction = *Transaction::Begin(*connection_, Transaction::Kind::kWrite);
    ASSERT_TRUE(Insert("x").ok());
    ASSERT_TRUE(transaction.Commit().ok());
  }
  EXPECT_EQ(Count(), "1");
}

TEST_F(SqliteTest, SaysThatTheDiskIsFullAndGoesOnWhenThereIsRoom) {
  ASSERT_TRUE(connection_->Ask("PRAGMA max_page_count=10").ok());
  const std::string large(200'000, 'x');
  const absl::Status full = Insert(large);
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(full), "DISK_FULL");
  EXPECT_TRUE(RetryOf(full).has_value());
  EXPECT_EQ(Count(), "0");
  ASSERT_TRUE(connection_->Ask("PRAGMA max_page_count=10000").ok());
  EXPECT_TRUE(Insert(large).ok());
}

TEST_F(SqliteTest, DoesNotMakeAFileForAReader) {
  EXPECT_FALSE(Connection::Open(folder_.File("none.db"), Connection::Mode::kReadOnly).ok());
  EXPECT_FALSE(Connection::Open(folder_.File("no/such.db"), Connection::Mode::kReadWrite).ok());
}

}  // namespace
}  // namespace tandem::context
