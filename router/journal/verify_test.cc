#include "router/journal/verify.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <functional>

#include "router/base/status.h"

namespace tandem::journal {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

const TenantId kPlant("plant");

// Hands out the records of a reader with one of them altered, left out or repeated.
class LyingReader final : public Reader {
 public:
  LyingReader(Reader& truth, std::function<bool(RecordRow&)> alter)
      : truth_(truth), alter_(std::move(alter)) {}

  absl::Status ReadRecords(const TenantId& tenant, Sequence from,
                           absl::FunctionRef<bool(const RecordRow&)> visit) override {
    return truth_.ReadRecords(tenant, from, [&](const RecordRow& row) {
      RecordRow altered = row;
      return alter_(altered) ? visit(altered) : true;
    });
  }
  absl::StatusOr<std::optional<RecordRow>> ReadRecord(const TenantId& tenant,
                                                      Sequence sequence) override {
    return truth_.ReadRecord(tenant, sequence);
  }
  absl::StatusOr<std::vector<TenantHead>> ReadHeads() override { return truth_.ReadHeads(); }
  absl::StatusOr<std::vector<PrunedRange>> ReadPruned(const TenantId& tenant) override {
    return truth_.ReadPruned(tenant);
  }
  absl::StatusOr<std::optional<IncidentRow>> ReadIncident(const TenantId& tenant,
                                                          IncidentNumber number) override {
    return truth_.ReadIncident(tenant, number);
  }
  absl::StatusOr<std::vector<IncidentRow>> ListIncidents(const IncidentQuery& query) override {
    return truth_.ListIncidents(query);
  }
  absl::StatusOr<std::vector<EventRow>> ListIncidentEvents(const TenantId& tenant,
                                                           IncidentNumber incident, Sequence after,
                                                           std::uint32_t limit) override {
    return truth_.ListIncidentEvents(tenant, incident, after, limit);
  }
  absl::StatusOr<std::vector<EventRow>> ListEvents(const TenantId& tenant, Sequence after,
                                                   std::uint32_t limit) override {
    return truth_.ListEvents(tenant, after, limit);
  }
  absl::StatusOr<std::vector<DeliveryRow>> ListOpenDeliveries() override {
    return truth_.ListOpenDeliveries();
  }

 private:
  Reader& truth_;
  const std::function<bool(RecordRow&)> alter_;
};

class VerifyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (std::uint64_t i = 1; i <= 2'500; ++i) {
      Commit commit;
      commit.records.push_back({.tenant = kPlant,
                                .sequence = Sequence(i),
                                .time = absl::FromUnixSeconds(1'700'000'000),
                                .body = fmt::format("body {}", i)});
      ASSERT_TRUE(journal_->Append(commit).ok());
    }
    reader_ = *journal_->OpenReader();
  }
  absl::Status VerifyAltered(std::function<bool(RecordRow&)> alter) {
    LyingReader reader(*reader_, std::move(alter));
    const VerifyReport report = Verify(reader, {});
    EXPECT_THAT(report.tenants, SizeIs(1));
    return report.FirstError();
  }

  std::unique_ptr<Journal> journal_ = NewMemoryJournal();
  std::unique_ptr<Reader> reader_;
};

TEST_F(VerifyTest, ReportsEveryTenantOfASoundJournal) {
  Commit commit;
  commit.records.push_back(
      {.tenant = TenantId("clinic"), .sequence = Sequence(1), .body = "12345"});
  ASSERT_TRUE(journal_->Append(commit).ok());

  const VerifyReport report = Verify(*reader_, {});

  EXPECT_TRUE(report.FirstError().ok()) << report.FirstError();
  ASSERT_THAT(report.tenants, SizeIs(2));
  EXPECT_EQ(report.tenants[0].tenant, TenantId("clinic"));
  EXPECT_EQ(report.tenants[0].bytes, 5u);
  EXPECT_EQ(report.tenants[1].first, Sequence(1));
  EXPECT_EQ(report.tenants[1].last, Sequence(2'500));
  EXPECT_EQ(report.tenants[1].records, 2'500u);
  EXPECT_EQ(report.tenants[1].head, reader_->ReadHeads()->at(1).hash);
}

TEST_F(VerifyTest, TakesAPrunedHistoryFromWhereItBegins) {
  ASSERT_TRUE(journal_->Prune({.tenant = kPlant, .through = Sequence(1'200)}).ok());

  const VerifyReport report = Verify(*reader_, {});

  EXPECT_TRUE(report.FirstError().ok()) << report.FirstError();
  EXPECT_EQ(report.tenants[0].first, Sequence(1'201));
  EXPECT_EQ(report.tenants[0].records, 1'300u);
}

TEST_F(VerifyTest, NamesARecordWhoseBodyWasAltered) {
  const absl::Status status = VerifyAltered([](RecordRow& row) {
    if (row.sequence == Sequence(1'777)) row.body[0] = 'B';
    return true;
  });

  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(FactsOf(status)["sequence"], "1777");
}

// Whoever alters a record and computes its hash anew is found at the record after it.
TEST_F(VerifyTest, NamesTheRecordBehindOneThatWasReplaced) {
  const absl::Status status = VerifyAltered([](RecordRow& row) {
    if (row.sequence == Sequence(10)) {
      row.body = "forged";
      row.hash = ChainHash(row.previous, row.tenant, row.sequence, row.time, row.body);
    }
    return true;
  });

  EXPECT_EQ(FactsOf(status)["sequence"], "11");
  EXPECT_THAT(MessageOf(status), HasSubstr("chained"));
}

TEST_F(VerifyTest, NamesARecordThatIsMissing) {
  const absl::Status status =
      VerifyAltered([](const RecordRow& row) { return row.sequence != Sequence(1'001); });

  EXPECT_EQ(FactsOf(status)["sequence"], "1001");
  EXPECT_THAT(MessageOf(status), HasSubstr("missing"));
}

TEST_F(VerifyTest, NamesAMissingEnd) {
  const absl::Status status =
      VerifyAltered([](const RecordRow& row) { return row.sequence <= Sequence(2'400); });

  EXPECT_EQ(FactsOf(status)["sequence"], "2401");
}

TEST_F(VerifyTest, NoticesARecordOfAnotherTenantInThisHistory) {
  Commit commit;
  commit.records.push_back({.tenant = TenantId("clinic"), .sequence = Sequence(1), .body = "x"});
  ASSERT_TRUE(journal_->Append(commit).ok());
  const RecordRow foreign = **reader_->ReadRecord(TenantId("clinic"), Sequence(1));

  LyingReader reader(*reader_, [&](RecordRow& row) {
    if (row.tenant == kPlant && row.sequence == Sequence(1)) {
      row = foreign;
      row.tenant = kPlant;
    }
    return true;
  });

  EXPECT_EQ(Verify(reader, {.tenants = {kPlant}}).FirstError().code(), absl::StatusCode::kDataLoss);
}

TEST_F(VerifyTest, SaysThatATenantHasNoRecords) {
  const VerifyReport report = Verify(*reader_, {.tenants = {TenantId("unknown")}});

  ASSERT_THAT(report.tenants, SizeIs(1));
  EXPECT_EQ(report.FirstError().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace tandem::journal
