// What only the SQLite journal promises: settings, locks, formats, checkpoints, a full disk.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <functional>

#include "router/base/status.h"
#include "router/journal/file.h"
#include "router/journal/journal.h"
#include "router/journal/sqlite_connection.h"
#include "router/journal/sqlite_schema.h"
#include "router/journal/verify.h"
#include "tests/support/temporary_folder.h"

namespace tandem::journal {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const TenantId kPlant("plant");

class SqliteJournalTest : public ::testing::Test {
 protected:
  std::string path() const { return folder_.File("journal.db"); }

  std::unique_ptr<Journal> Open(SqliteOptions options = {}) {
    options.path = path();
    auto journal = OpenSqliteJournal(options);
    EXPECT_TRUE(journal.ok()) << journal.status();
    return journal.ok() ? *std::move(journal) : nullptr;
  }
  absl::Status OpenError(SqliteOptions options = {}) {
    options.path = path();
    return OpenSqliteJournal(options).status();
  }
  static Commit OneRecord(std::uint64_t sequence, std::string body = "body") {
    Commit commit;
    commit.records.push_back(
        {.tenant = kPlant, .sequence = Sequence(sequence), .body = std::move(body)});
    return commit;
  }
  // Runs SQL beside the journal, as an operator could.
  std::string Sql(const std::string& sql) {
    auto connection = sqlite::Connection::Open(path(), sqlite::Access::kWrite);
    EXPECT_TRUE(connection.ok()) << connection.status();
    const auto answer = connection->Ask(sql.c_str());
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? *answer : "";
  }

  testing::TemporaryFolder folder_;
};

TEST_F(SqliteJournalTest, WritesWithTheSettingsThatMakeACommitDurable) {
  auto connection = sqlite::Connection::Open(path(), sqlite::Access::kWrite);
  ASSERT_TRUE(connection.ok()) << connection.status();

  ASSERT_TRUE(sqlite::SetUpWriter(*connection, 8192).ok());

  EXPECT_EQ(*connection->Ask("PRAGMA journal_mode"), "wal");
  EXPECT_EQ(*connection->Ask("PRAGMA synchronous"), "2");
  EXPECT_EQ(*connection->Ask("PRAGMA wal_autocheckpoint"), "0");
}

// A database in memory takes no write-ahead log: the same answer as on a file system without locks.
TEST_F(SqliteJournalTest, RefusesToRunWhereTheSettingsAreNotTaken) {
  auto connection = sqlite::Connection::Open(":memory:", sqlite::Access::kWrite);
  ASSERT_TRUE(connection.ok()) << connection.status();

  EXPECT_EQ(ReasonOf(sqlite::SetUpWriter(*connection, 8192)), "JOURNAL_SETTINGS");
}

TEST_F(SqliteJournalTest, LetsNoSecondWriterIn) {
  const auto journal = Open();

  const absl::Status status = OpenError();

  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status), "JOURNAL_IN_USE");
  EXPECT_THAT(MessageOf(status), HasSubstr(fmt::format("process {}", ::getpid())));
}

TEST_F(SqliteJournalTest, LetsTheNextWriterInWhenTheFirstIsGone) {
  Open().reset();
  EXPECT_NE(Open(), nullptr);
}

TEST_F(SqliteJournalTest, RefusesANewerFormatAndLeavesItAlone) {
  Open().reset();
  Sql("PRAGMA user_version = 3");

  const absl::Status status = OpenError();

  EXPECT_EQ(ReasonOf(status), "JOURNAL_NEWER");
  EXPECT_THAT(MessageOf(status), AllOf(HasSubstr("format 3"), HasSubstr("up to 2")));
  EXPECT_EQ(ReasonOf(OpenError({.read_only = true})), "JOURNAL_NEWER");
  EXPECT_EQ(Sql("PRAGMA user_version"), "3");
}

TEST_F(SqliteJournalTest, ReadsFormat1AndBringsItUpToDateWhenItWrites) {
  ASSERT_TRUE(Open()->Append(OneRecord(1)).ok());
  Sql("DROP TABLE pruned");
  Sql("DROP TABLE event_runs");
  Sql("CREATE INDEX events_by_incident ON events(incident, record)");
  Sql("PRAGMA user_version = 1");

  const auto reader = *Open({.read_only = true})->OpenReader();
  EXPECT_TRUE(Verify(*reader, {}).FirstError().ok());
  EXPECT_TRUE(reader->ReadPruned(kPlant)->empty());
  EXPECT_EQ(Sql("PRAGMA user_version"), "1");

  const auto writer = Open();
  ASSERT_TRUE(writer->Append(OneRecord(2)).ok());
  ASSERT_TRUE(writer->Prune({.tenant = kPlant, .through = Sequence(1)}).ok());
  EXPECT_EQ(Sql("PRAGMA user_version"), "2");
  EXPECT_TRUE(Verify(**writer->OpenReader(), {}).FirstError().ok());
}

TEST_F(SqliteJournalTest, FindsTheEventsOfFormat1ByTheirIncident) {
  Commit commit = OneRecord(1);
  commit.events = {{kPlant, Sequence(1), IncidentNumber(7), "it opened"}};
  ASSERT_TRUE(Open()->Append(commit).ok());
  Sql("DROP TABLE pruned");
  Sql("DROP TABLE event_runs");
  Sql("PRAGMA user_version = 1");
  const auto events = [](Journal& journal) {
    return (*journal.OpenReader())->ListIncidentEvents(kPlant, IncidentNumber(7), Sequence(), 9);
  };
  EXPECT_EQ(ReasonOf(events(*Open({.read_only = true})).status()), "JOURNAL_OLD");

  EXPECT_EQ(events(*Open())->size(), 1U);
}

TEST_F(SqliteJournalTest, NoticesAnEventThatNoListWouldShow) {
  Commit commit = OneRecord(1);
  commit.events = {{kPlant, Sequence(1), IncidentNumber(7), "it opened"}};
  ASSERT_TRUE(Open()->Append(commit).ok());
  EXPECT_TRUE((*Open({.read_only = true})->OpenReader())->CheckStructure().ok());
  Sql("DELETE FROM event_runs");

  const absl::Status status = (*Open({.read_only = true})->OpenReader())->CheckStructure();

  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(MessageOf(status), HasSubstr("is in no run"));
}

// A chain alone cannot show that its beginning was taken away.
TEST_F(SqliteJournalTest, RecordsThatWereDeletedByHandAreMissing) {
  {
    const auto writer = Open();
    for (std::uint64_t i = 1; i <= 9; ++i) ASSERT_TRUE(writer->Append(OneRecord(i)).ok());
    ASSERT_TRUE(writer->Prune({.tenant = kPlant, .through = Sequence(2)}).ok());
  }
  const auto first_error = [&] {
    return Verify(**Open({.read_only = true})->OpenReader(), {}).FirstError();
  };
  EXPECT_TRUE(first_error().ok()) << first_error();
  Sql("DELETE FROM records WHERE id = (SELECT min(id) FROM records)");

  EXPECT_EQ(first_error().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(MessageOf(first_error()), HasSubstr("missing"));
}

TEST_F(SqliteJournalTest, RefusesTheDatabaseOfAnotherProgramAndLeavesItAlone) {
  Sql("CREATE TABLE theirs(x)");

  EXPECT_EQ(ReasonOf(OpenError()), "JOURNAL_FOREIGN");
  EXPECT_EQ(Sql("PRAGMA journal_mode"), "delete");
}

TEST_F(SqliteJournalTest, RefusesAFileThatIsNoDatabase) {
  ASSERT_TRUE(ReplaceFile(path(), {std::string(5'000, 'x')}).ok());

  EXPECT_EQ(OpenError().code(), absl::StatusCode::kDataLoss);
}

TEST_F(SqliteJournalTest, SaysThatTheFolderIsMissing) {
  const absl::Status status = OpenSqliteJournal({.path = folder_.File("no/journal.db")}).status();

  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(MessageOf(status), HasSubstr("no/journal.db"));
}

TEST_F(SqliteJournalTest, ReadsBesideALiveWriterWithoutItsLock) {
  const auto writer = Open();
  ASSERT_TRUE(writer->Append(OneRecord(1)).ok());
  const auto beside = Open({.read_only = true});
  ASSERT_TRUE(writer->Append(OneRecord(2)).ok());

  const VerifyReport report = Verify(**beside->OpenReader(), {});

  EXPECT_TRUE(report.FirstError().ok()) << report.FirstError();
  EXPECT_EQ(report.tenants.at(0).last, Sequence(2));
  EXPECT_EQ(ReasonOf(beside->Append(OneRecord(3))), "JOURNAL_READ_ONLY");
  EXPECT_EQ(ReasonOf(beside->Prune({.tenant = kPlant, .through = Sequence(1)}).status()),
            "JOURNAL_READ_ONLY");
}

TEST_F(SqliteJournalTest, DoesNotCreateWhatItWasToRead) {
  EXPECT_EQ(OpenError({.read_only = true}).code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(SqliteJournalTest, RefusesInputWhileTheDiskIsNearlyFullAndThenGoesOn) {
  const std::uint64_t free_space = *FreeSpace(folder_.path());
  {
    const auto journal = Open({.free_space_min = 2 * free_space});
    const absl::Status status = journal->Append(OneRecord(1));
    EXPECT_TRUE(IsDiskFull(status)) << status;
    EXPECT_TRUE(IsDiskFull(journal->Append(OneRecord(1))));
    EXPECT_TRUE((*journal->OpenReader())->ReadHeads()->empty());
  }
  EXPECT_TRUE(Open()->Append(OneRecord(1)).ok());
}

TEST_F(SqliteJournalTest, LetsNobodyElseReadItsFiles) {
  const auto journal = Open();
  ASSERT_TRUE(journal->Append(OneRecord(1)).ok());

  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
    const auto rights = std::filesystem::status(path() + suffix).permissions();
    EXPECT_EQ(rights & std::filesystem::perms::others_all, std::filesystem::perms::none) << suffix;
  }
}

TEST_F(SqliteJournalTest, NoticesAnAlteredRowOfTheReadModel) {
  {
    Commit commit = OneRecord(1);
    commit.incidents.push_back(
        {.tenant = kPlant, .number = IncidentNumber(7), .owner_team = "noc", .body = "incident"});
    commit.events.push_back({.tenant = kPlant,
                             .sequence = Sequence(1),
                             .incident = IncidentNumber(7),
                             .body = "event"});
    commit.deliveries.push_back(
        {.tenant = kPlant, .number = DeliveryNumber(3), .body = "delivery"});
    ASSERT_TRUE(Open()->Append(commit).ok());
  }
  for (const char* sql :
       {"UPDATE incidents SET owner_team = 'NOC'", "UPDATE events SET body = cast('Event' AS BLOB)",
        "UPDATE deliveries SET seal = seal + 1"}) {
    const std::string copy = folder_.File("copy.db");
    std::filesystem::copy_file(path(), copy, std::filesystem::copy_options::overwrite_existing);
    Sql(sql);
    const auto journal = Open();
    const absl::Status status = Verify(**journal->OpenReader(), {}).FirstError();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << sql;
    EXPECT_THAT(MessageOf(status), HasSubstr("of tenant plant")) << sql;
    std::filesystem::copy_file(copy, path(), std::filesystem::copy_options::overwrite_existing);
  }
}

TEST_F(SqliteJournalTest, RefusesToStartOnADamagedHeadAndNamesIt) {
  {
    const auto journal = Open();
    ASSERT_TRUE(journal->Append(OneRecord(1)).ok());
    ASSERT_TRUE(journal->Append(OneRecord(2)).ok());
  }
  Sql("UPDATE records SET time_us = time_us + 1 WHERE id & 0xffffffffff = 2");

  const absl::Status status = OpenError();

  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(FactsOf(status)["tenant"], "plant");
  EXPECT_EQ(FactsOf(status)["sequence"], "2");
}

// The plans behind the lists that people wait for.
TEST_F(SqliteJournalTest, ListsThroughItsIndexesWithoutSorting) {
  Open().reset();
  const auto plan = [&](const std::string& query) {
    auto connection = sqlite::Connection::Open(path(), sqlite::Access::kRead);
    auto statement = connection->Prepare(("EXPLAIN QUERY PLAN " + query).c_str());
    std::string text;
    while (*statement->Step()) text += std::string(statement->Bytes(3)) + "\n";
    return text;
  };

  EXPECT_THAT(plan("SELECT body FROM incidents WHERE tenant = 1 AND state = 1 "
                   "AND (updated_us, id) < (5, 6) ORDER BY updated_us DESC, id DESC"),
              AllOf(HasSubstr("USING INDEX incidents_by_update (tenant=? AND state=? AND"),
                    Not(HasSubstr("TEMP B-TREE"))));
  EXPECT_EQ(plan("SELECT run FROM event_runs WHERE incident = 1 AND run >= 2 ORDER BY run"),
            "SEARCH event_runs USING PRIMARY KEY (incident=? AND run>?)\n");
  EXPECT_EQ(plan("SELECT body FROM events WHERE record = 1 AND incident = 2"),
            "SEARCH events USING PRIMARY KEY (record=? AND incident=?)\n");
  EXPECT_EQ(plan("SELECT body FROM events WHERE record > 1 AND record <= 2 "
                 "ORDER BY record, incident"),
            "SEARCH events USING PRIMARY KEY (record>? AND record<?)\n");
}

}  // namespace
}  // namespace tandem::journal
