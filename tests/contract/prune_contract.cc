// What every journal promises of Prune: see Cut in router/journal/journal.h.
#include <gmock/gmock.h>

#include "router/journal/verify.h"
#include "tests/contract/journal_contract.h"

namespace tandem::testing {

using ::testing::ElementsAre;
using ::testing::SizeIs;

TEST_P(JournalContract, PrunesRecordsAndEventsButNeverTheHead) {
  AppendRecords(kClinic, 2);
  for (std::uint64_t i = 1; i <= 600; ++i) {
    ASSERT_TRUE(
        journal_->Append({.records = {MakeRecord(kPlant, i)}, .events = {MakeEvent(kPlant, i, 1)}})
            .ok());
  }
  const auto reader = NewReader();

  ASSERT_TRUE(journal_->Prune({.tenant = kPlant, .through = Sequence(590)}).ok());
  EXPECT_THAT(AllRecords(*reader, kPlant), SizeIs(10));
  EXPECT_EQ(AllRecords(*reader, kPlant)[0].sequence, Sequence(591));
  EXPECT_THAT(PlacesOf(reader->ListEvents(kPlant, Sequence(), 100)), SizeIs(10));

  ASSERT_TRUE(journal_->Prune({.tenant = kPlant, .through = Sequence(1'000'000)}).ok());
  EXPECT_THAT(AllRecords(*reader, kPlant), SizeIs(1));
  EXPECT_EQ(reader->ReadHeads()->at(1).sequence, Sequence(600));
  EXPECT_THAT(AllRecords(*reader, kClinic), SizeIs(2));

  ASSERT_TRUE(journal_->Append({.records = {MakeRecord(kPlant, 601)}}).ok());
  EXPECT_THAT(AllRecords(*reader, kPlant), SizeIs(2));
  EXPECT_TRUE(journal_->Prune({.tenant = TenantId("unknown"), .through = Sequence(5)}).ok());
}

TEST_P(JournalContract, KeepsSingleRecordsAndKnowsTheGapsBetweenThem) {
  for (std::uint64_t i = 1; i <= 600; ++i) {
    ASSERT_TRUE(
        journal_->Append({.records = {MakeRecord(kPlant, i)}, .events = {MakeEvent(kPlant, i, 1)}})
            .ok());
  }
  const auto reader = NewReader();
  const auto prune = [&](std::uint64_t first, std::uint64_t through, std::vector<Sequence> keep) {
    const auto counts = journal_->Prune({.tenant = kPlant,
                                         .first = Sequence(first),
                                         .through = Sequence(through),
                                         .keep = std::move(keep)});
    EXPECT_TRUE(counts.ok()) << counts.status();
    return counts.ok() ? counts->records : 0;
  };
  const auto gap = [](std::uint64_t first, std::uint64_t last) {
    return journal::PrunedRange{Sequence(first), Sequence(last)};
  };

  EXPECT_EQ(prune(1, 300, {Sequence(2), Sequence(290)}), 298u);
  EXPECT_THAT(*reader->ReadPruned(kPlant), ElementsAre(gap(1, 1), gap(3, 289), gap(291, 300)));
  EXPECT_THAT(AllRecords(*reader, kPlant), SizeIs(302));
  EXPECT_THAT(PlacesOf(reader->ListEvents(kPlant, Sequence(), 10)), SizeIs(10));
  EXPECT_TRUE(journal::Verify(*reader, {}).FirstError().ok());

  EXPECT_EQ(prune(301, 310, {}), 10u);  // grows the gap before it
  EXPECT_THAT(*reader->ReadPruned(kPlant), ElementsAre(gap(1, 1), gap(3, 289), gap(291, 310)));
  EXPECT_EQ(prune(2, 2, {}), 1u);  // joins the gaps on both sides
  EXPECT_THAT(*reader->ReadPruned(kPlant), ElementsAre(gap(1, 289), gap(291, 310)));
  EXPECT_EQ(prune(1, 310, {}), 1u);
  EXPECT_EQ(prune(1, 310, {}), 0u);
  EXPECT_THAT(*reader->ReadPruned(kPlant), ElementsAre(gap(1, 310)));
  EXPECT_EQ(journal::Verify(*reader, {}).tenants[0].pruned, 310u);
  EXPECT_THAT(*reader->ReadPruned(kClinic), SizeIs(0));
}

TEST_P(JournalContract, PrunesIncidentsThatWereResolvedLongAgo) {
  const auto incident = [](std::uint64_t number, IncidentState state, int second) {
    journal::IncidentRow row = MakeIncident(kPlant, number, absl::Seconds(second));
    row.state = state;
    return row;
  };
  ASSERT_TRUE(journal_
                  ->Append({.records = {MakeRecord(kPlant, 1)},
                            .incidents = {incident(1, IncidentState::kOpen, 0),
                                          incident(2, IncidentState::kResolved, 5),
                                          incident(3, IncidentState::kResolved, 10)}})
                  .ok());

  const absl::Time at_the_last = MakeIncident(kPlant, 3, absl::Seconds(10)).updated;
  const auto counts = journal_->Prune({.tenant = kPlant, .resolved_before = at_the_last});

  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_EQ(counts->incidents, 1u);
  const auto reader = NewReader();
  EXPECT_TRUE(reader->ReadIncident(kPlant, IncidentNumber(1))->has_value());
  EXPECT_FALSE(reader->ReadIncident(kPlant, IncidentNumber(2))->has_value());
  EXPECT_TRUE(reader->ReadIncident(kPlant, IncidentNumber(3))->has_value());
}

}  // namespace tandem::testing
