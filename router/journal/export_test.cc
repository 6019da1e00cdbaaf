#include "router/journal/export.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>

#include "router/base/status.h"
#include "tests/support/temporary_folder.h"

namespace tandem::journal {
namespace {

using ::testing::HasSubstr;

const TenantId kPlant("plant");

class ExportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (std::uint64_t i = 1; i <= 5; ++i) {
      ASSERT_TRUE(journal_
                      ->Append({.records = {{.tenant = kPlant,
                                             .sequence = Sequence(i),
                                             .time = absl::FromUnixSeconds(1'700'000'000),
                                             .body = fmt::format("body {}", i)}}})
                      .ok());
    }
  }
  std::string Export() {
    std::string bytes;
    const auto summary =
        ExportTenant(**journal_->OpenReader(), kPlant, [&](std::string_view piece) {
          bytes.append(piece);
          return absl::OkStatus();
        });
    EXPECT_TRUE(summary.ok()) << summary.status();
    return bytes;
  }
  absl::StatusOr<ExportSummary> Verify(const std::string& bytes) {
    std::ofstream(path(), std::ios::binary | std::ios::trunc) << bytes;
    return VerifyExport(path());
  }
  std::string path() const { return folder_.File("plant.export"); }

  testing::TemporaryFolder folder_;
  std::unique_ptr<Journal> journal_ = NewMemoryJournal();
};

TEST_F(ExportTest, TellsTheWholeHistoryByItself) {
  const auto summary = Verify(Export());

  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->tenant, kPlant);
  EXPECT_EQ(summary->first, Sequence(1));
  EXPECT_EQ(summary->last, Sequence(5));
  EXPECT_EQ(summary->records, 5u);
  EXPECT_EQ(summary->head, (*journal_->OpenReader())->ReadHeads()->at(0).hash);
}

TEST_F(ExportTest, BeginsWhereThePrunedJournalBegins) {
  ASSERT_TRUE(journal_->Prune({.tenant = kPlant, .through = Sequence(3)}).ok());

  const auto summary = Verify(Export());

  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->first, Sequence(4));
  EXPECT_EQ(summary->records, 2u);
}

TEST_F(ExportTest, GivesBackTheRecords) {
  ASSERT_TRUE(Verify(Export()).ok());
  std::string bodies;

  const auto summary = ReadExport(path(), [&](const RecordRow& row) {
    bodies += row.body + ";";
    return row.sequence < Sequence(2);
  });

  EXPECT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(bodies, "body 1;body 2;");
}

TEST_F(ExportTest, NoticesEveryFlippedBit) {
  const std::string whole = Export();

  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string altered = whole;
    altered[at] = static_cast<char>(altered[at] ^ (1 << (at % 8)));
    EXPECT_FALSE(Verify(altered).ok()) << "byte " << at;
  }
}

TEST_F(ExportTest, NoticesWhereItIsCutOffOrContinued) {
  const std::string whole = Export();

  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(Verify(whole.substr(0, size)).ok()) << size << " bytes";
  }
  EXPECT_FALSE(Verify(whole + "x").ok());
}

TEST_F(ExportTest, NamesTheFirstBadRecord) {
  std::string altered = Export();
  altered[altered.find("body 3")] = 'B';

  const auto summary = Verify(altered);

  EXPECT_EQ(summary.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(MessageOf(summary.status()), HasSubstr("record 3 of tenant plant"));
}

TEST_F(ExportTest, SaysThatATenantHasNoRecords) {
  EXPECT_EQ(ExportTenant(**journal_->OpenReader(), TenantId("unknown"),
                         [](std::string_view) { return absl::OkStatus(); })
                .status()
                .code(),
            absl::StatusCode::kNotFound);
}

TEST_F(ExportTest, StopsWithTheErrorOfItsSink) {
  int calls = 0;

  const auto summary = ExportTenant(**journal_->OpenReader(), kPlant, [&](std::string_view) {
    return ++calls < 3 ? absl::OkStatus() : absl::UnavailableError("the pipe is closed");
  });

  EXPECT_EQ(summary.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(calls, 3);
}

}  // namespace
}  // namespace tandem::journal
