// `tandem journal` on the files of a router that is not there.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "router/base/check.h"
#include "router/journal/journal.h"
#include "tools/tandem/program.h"

namespace tandem::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class JournalCommand : public ::testing::Test {
 protected:
  // Three records each of acme and globex.
  JournalCommand() {
    std::filesystem::create_directory(folder_.path() + "/data");
    auto journal = journal::OpenSqliteJournal({.path = database()});
    TANDEM_CHECK(journal.ok(), journal.status().ToString());
    journal::Commit commit;
    for (const char* tenant : {"acme", "globex"}) {
      journal::Hash previous{};
      for (std::uint64_t i = 1; i <= 3; ++i) {
        journal::RecordRow row{.tenant = TenantId(tenant),
                               .sequence = Sequence(i),
                               .time = absl::FromUnixSeconds(1'790'000'000) + absl::Seconds(i),
                               .body = fmt::format("record {} of {}", i, tenant),
                               .previous = previous};
        row.hash = journal::ChainHash(row.previous, row.tenant, row.sequence, row.time, row.body);
        previous = row.hash;
        commit.records.push_back(row);
      }
    }
    const absl::Status status = (*journal)->Append(commit);
    TANDEM_CHECK(status.ok(), status.ToString());
  }

  std::string database() const { return folder_.path() + "/data/journal.db"; }

  Outcome Run(const std::vector<std::string>& arguments) const {
    return RunProgram(arguments, folder_.path(), "");
  }

  // Replaces the first `from` in the file by `to`, of the same length.
  static void Alter(const std::string& path, const std::string& from, const std::string& to) {
    std::ifstream in(path, std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const std::size_t at = bytes.find(from);
    TANDEM_CHECK(at != std::string::npos, "what is to be altered is there");
    bytes.replace(at, from.size(), to);
    std::ofstream(path, std::ios::binary) << bytes;
  }

  TemporaryFolder folder_;
};

TEST_F(JournalCommand, VerifiesADataFolderTenantByTenant) {
  const Outcome outcome = Run({"journal", "verify", "data"});

  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("✓ acme: 3 records (1 to 3)"), HasSubstr("✓ globex: 3 records"),
                    HasSubstr("head 3 "), HasSubstr("Nothing was altered.")));
}

TEST_F(JournalCommand, VerifiesOnlyTheTenantThatIsAskedFor) {
  const Outcome outcome =
      Run({"journal", "verify", "data/journal.db", "--tenant", "acme", "--json"});

  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("\"acme\""), Not(HasSubstr("globex"))));
}

TEST_F(JournalCommand, NamesTheRecordThatWasAltered) {
  Alter(database(), "record 2 of acme", "record 2 of ACME");

  const Outcome outcome = Run({"journal", "verify", "data"});

  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("✗ acme"), HasSubstr("✓ globex"),
                                 HasSubstr("The history is damaged")));
}

TEST_F(JournalCommand, ATenantThatIsNotThereIsNoDamage) {
  const Outcome outcome = Run({"journal", "verify", "data", "--tenant", "acmee"});

  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("acmee has no records"),
                                 HasSubstr("Nothing was looked at."), Not(HasSubstr("damaged"))));
}

TEST_F(JournalCommand, ExportsOneTenantToAFileThatIsVerifiedAlone) {
  const Outcome exported =
      Run({"journal", "export", "data", "--tenant", "acme", "--out", "acme.tdx"});
  ASSERT_EQ(exported.code, 0) << exported.err;
  EXPECT_THAT(exported.out, HasSubstr("exported acme: 3 records (1 to 3)"));

  const Outcome verified = Run({"journal", "verify", "acme.tdx"});

  EXPECT_EQ(verified.code, 0) << verified.err;
  EXPECT_THAT(verified.out, HasSubstr("verified acme: 3 records (1 to 3)"));
}

TEST_F(JournalCommand, RefusesAnExportThatWasAltered) {
  ASSERT_EQ(Run({"journal", "export", "data", "--tenant", "acme", "--out", "acme.tdx"}).code, 0);
  Alter(folder_.path() + "/acme.tdx", "record 2 of acme", "record 2 of ACME");

  const Outcome outcome = Run({"journal", "verify", "acme.tdx"});

  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("DATA_LOSS"));
}

TEST_F(JournalCommand, LeavesNoFileBehindWhenThereIsNothingToExport) {
  const Outcome outcome =
      Run({"journal", "export", "data", "--tenant", "nobody", "--out", "x.tdx"});

  EXPECT_EQ(outcome.code, 1);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/x.tdx"));
  EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/x.tdx.part"));
}

TEST_F(JournalCommand, FindsTheJournalInTheFolderThatTandemdWasGiven) {
  std::filesystem::create_directory(folder_.path() + "/all");
  std::filesystem::rename(folder_.path() + "/data", folder_.path() + "/all/router");

  EXPECT_EQ(Run({"journal", "verify", "all"}).code, 0);
  EXPECT_EQ(Run({"journal", "verify", "all/router"}).code, 0);
}

TEST_F(JournalCommand, SaysWhatItExpectedInAFolderWithoutAJournal) {
  const Outcome outcome = Run({"journal", "verify", "."});

  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("journal.db"), HasSubstr("what to do")));
}

}  // namespace
}  // namespace tandem::cli
