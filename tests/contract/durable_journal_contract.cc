#include <gmock/gmock.h>

#include "router/base/status.h"
#include "tests/contract/journal_contract.h"

namespace tandem::testing {

using ::testing::ElementsAre;
using ::testing::SizeIs;

std::vector<std::pair<int, int>> PlacesOf(
    const absl::StatusOr<std::vector<journal::EventRow>>& rows) {
  EXPECT_TRUE(rows.ok()) << rows.status();
  std::vector<std::pair<int, int>> places;
  if (!rows.ok()) return places;
  for (const auto& row : *rows) places.emplace_back(row.sequence.value, row.incident.value);
  return places;
}

TEST_P(DurableJournalContract, IsTheSameAfterItWasOpenedAnew) {
  AppendRecords(kPlant, 3);
  ASSERT_TRUE(journal_
                  ->Append({.records = {MakeRecord(kPlant, 4)},
                            .incidents = {MakeIncident(kPlant, 1, absl::Seconds(1))},
                            .events = {MakeEvent(kPlant, 4, 1)},
                            .deliveries = {MakeDelivery(kPlant, 1)}})
                  .ok());
  const journal::Hash head = NewReader()->ReadHeads()->at(0).hash;

  Reopen();

  const auto reader = NewReader();
  EXPECT_THAT(AllRecords(*reader, kPlant), SizeIs(4));
  EXPECT_EQ(reader->ReadHeads()->at(0).hash, head);
  EXPECT_THAT(NamesOf(reader->ListIncidents({.tenants = {kPlant}})), SizeIs(1));
  EXPECT_THAT(PlacesOf(reader->ListEvents(kPlant, Sequence(), 10)), SizeIs(1));
  EXPECT_THAT(*reader->ListOpenDeliveries(), SizeIs(1));
  EXPECT_EQ(ReasonOf(journal_->Append({.records = {MakeRecord(kPlant, 4)}})), "JOURNAL_GAP");
  Reopen();
  EXPECT_TRUE(journal_->Append({.records = {MakeRecord(kPlant, 5)}}).ok());
}

TEST_P(DurableJournalContract, NoticesADamagedByteOfABodyWhereverItLies) {
  constexpr std::size_t kSize = 60'000;
  journal::RecordRow row = MakeRecord(kPlant, 2);
  row.body = DistinctBody(2, kSize);
  AppendRecords(kPlant, 1);
  ASSERT_TRUE(journal_->Append({.records = {row}}).ok());
  ASSERT_TRUE(journal_->Append({.records = {MakeRecord(kPlant, 3)}}).ok());
  journal_.reset();

  int noticed = 0;
  for (std::size_t offset = 0; offset < kSize; offset += 997) {
    if (!store_->DamageBody(kPlant, Sequence(2), offset)) continue;
    Reopen();
    const auto reader = NewReader();
    const auto read = reader->ReadRecord(kPlant, Sequence(2));
    EXPECT_EQ(read.status().code(), absl::StatusCode::kDataLoss) << "byte " << offset;
    EXPECT_EQ(FactsOf(read.status())["tenant"], "plant");
    EXPECT_EQ(FactsOf(read.status())["sequence"], "2");
    std::vector<std::uint64_t> seen;
    const absl::Status all =
        reader->ReadRecords(kPlant, Sequence(1), [&](const journal::RecordRow& record) {
          seen.push_back(record.sequence.value);
          return true;
        });
    EXPECT_EQ(all.code(), absl::StatusCode::kDataLoss) << "byte " << offset;
    EXPECT_THAT(seen, ElementsAre(1));
    EXPECT_TRUE(reader->ReadRecord(kPlant, Sequence(3)).ok());
    journal_.reset();
    ASSERT_TRUE(store_->DamageBody(kPlant, Sequence(2), offset));  // repairs it
    ++noticed;
  }
  EXPECT_GT(noticed, 50);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DurableJournalContract);

}  // namespace tandem::testing
