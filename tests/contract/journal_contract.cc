#include "tests/contract/journal_contract.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "router/base/status.h"

namespace tandem::testing {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::SizeIs;

namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);

}  // namespace

std::vector<journal::RecordRow> AllRecords(journal::Reader& reader, const TenantId& tenant,
                                           std::uint64_t from) {
  std::vector<journal::RecordRow> rows;
  const absl::Status status =
      reader.ReadRecords(tenant, Sequence(from), [&](const journal::RecordRow& row) {
        rows.push_back(row);
        return true;
      });
  EXPECT_TRUE(status.ok()) << status;
  return rows;
}

std::vector<std::string> NamesOf(const absl::StatusOr<std::vector<journal::IncidentRow>>& rows) {
  EXPECT_TRUE(rows.ok()) << rows.status();
  std::vector<std::string> names;
  if (!rows.ok()) return names;
  for (const auto& row : *rows) {
    names.push_back(fmt::format("{}/{}", row.tenant.value, row.number.value));
  }
  return names;
}

std::string DistinctBody(std::uint64_t seed, std::size_t size) {
  std::string body;
  // splitmix64 (Steele, Lea and Flood, 2014): a bijection, so no block comes twice.
  for (std::uint64_t i = 0; body.size() < size; ++i) {
    std::uint64_t z = (seed << 32) + i + 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    for (int shift = 0; shift < 64; shift += 8) body.push_back(static_cast<char>(z >> shift));
  }
  body.resize(size);
  return body;
}

journal::RecordRow MakeRecord(const TenantId& tenant, std::uint64_t sequence) {
  return {.tenant = tenant,
          .sequence = Sequence(sequence),
          .time = kStart + absl::Microseconds(sequence),
          .body = fmt::format("record {} of {}", sequence, tenant.value)};
}

journal::IncidentRow MakeIncident(const TenantId& tenant, std::uint64_t number,
                                  absl::Duration updated) {
  return {.tenant = tenant,
          .number = IncidentNumber(number),
          .owner_side = Side::kProvider,
          .owner_team = "noc",
          .rule = "catch-all",
          .updated = kStart + updated,
          .body = fmt::format("incident {} of {}", number, tenant.value)};
}

journal::EventRow MakeEvent(const TenantId& tenant, std::uint64_t sequence,
                            std::uint64_t incident) {
  return {.tenant = tenant,
          .sequence = Sequence(sequence),
          .incident = IncidentNumber(incident),
          .body = fmt::format("event {}/{} of {}", sequence, incident, tenant.value)};
}

journal::DeliveryRow MakeDelivery(const TenantId& tenant, std::uint64_t number) {
  return {.tenant = tenant,
          .number = DeliveryNumber(number),
          .open = true,
          .body = fmt::format("delivery {} of {}", number, tenant.value)};
}

void JournalContract::SetUp() {
  store_ = GetParam().make();
  Reopen();
}

void JournalContract::Reopen() {
  journal_.reset();
  auto journal = store_->Open();
  ASSERT_TRUE(journal.ok()) << journal.status();
  journal_ = *std::move(journal);
}

std::unique_ptr<journal::Reader> JournalContract::NewReader() {
  auto reader = journal_->OpenReader();
  EXPECT_TRUE(reader.ok()) << reader.status();
  return *std::move(reader);
}

void JournalContract::AppendRecords(const TenantId& tenant, int count) {
  for (int i = 1; i <= count; ++i) {
    const absl::Status status =
        journal_->Append({.records = {MakeRecord(tenant, static_cast<std::uint64_t>(i))}});
    ASSERT_TRUE(status.ok()) << status;
  }
}

TEST_P(JournalContract, IsEmptyAtFirst) {
  const auto reader = NewReader();

  EXPECT_THAT(*reader->ReadHeads(), IsEmpty());
  EXPECT_THAT(AllRecords(*reader, kPlant), IsEmpty());
  EXPECT_EQ(*reader->ReadRecord(kPlant, Sequence(1)), std::nullopt);
  EXPECT_EQ(*reader->ReadIncident(kPlant, IncidentNumber(1)), std::nullopt);
  EXPECT_THAT(*reader->ListIncidents({.tenants = {kPlant}}), IsEmpty());
  EXPECT_THAT(*reader->ListEvents(kPlant, Sequence(), 10), IsEmpty());
  EXPECT_THAT(*reader->ListIncidentEvents(kPlant, IncidentNumber(1), Sequence(), 10), IsEmpty());
  EXPECT_THAT(*reader->ListOpenDeliveries(), IsEmpty());
  EXPECT_TRUE(reader->CheckStructure().ok());
}

TEST_P(JournalContract, GivesBackEveryByteOfARecord) {
  journal::RecordRow row = MakeRecord(kPlant, 1);
  row.body = std::string("\0\xff with NUL", 11) + DistinctBody(7, 100'000);
  ASSERT_TRUE(journal_->Append({.records = {row}}).ok());

  const auto read = NewReader()->ReadRecord(kPlant, Sequence(1));

  ASSERT_TRUE(read.ok() && read->has_value());
  EXPECT_EQ((*read)->tenant, kPlant);
  EXPECT_EQ((*read)->sequence, Sequence(1));
  EXPECT_EQ((*read)->time, row.time);
  EXPECT_EQ((*read)->body, row.body);
}

TEST_P(JournalContract, TakesAnEmptyBodyAndAnEmptyCommit) {
  journal::RecordRow row = MakeRecord(kPlant, 1);
  row.body.clear();

  EXPECT_TRUE(journal_->Append({}).ok());
  EXPECT_TRUE(journal_->Append({.records = {row}}).ok());
  EXPECT_EQ((*NewReader()->ReadRecord(kPlant, Sequence(1)))->body, "");
}

TEST_P(JournalContract, ChainsTheRecordsOfEachTenantByItself) {
  ASSERT_TRUE(journal_
                  ->Append({.records = {MakeRecord(kPlant, 1), MakeRecord(kClinic, 1),
                                        MakeRecord(kPlant, 2), MakeRecord(kClinic, 2)}})
                  .ok());
  const auto reader = NewReader();

  for (const TenantId& tenant : {kPlant, kClinic}) {
    journal::Hash previous = {};
    const auto rows = AllRecords(*reader, tenant);
    ASSERT_THAT(rows, SizeIs(2));
    for (const auto& row : rows) {
      EXPECT_EQ(row.previous, previous);
      EXPECT_EQ(row.hash, journal::ChainHash(previous, tenant, row.sequence, row.time, row.body));
      previous = row.hash;
    }
  }
}

TEST_P(JournalContract, ComputesTheHashesItself) {
  journal::RecordRow row = MakeRecord(kPlant, 1);
  row.previous.fill(1);
  row.hash.fill(2);
  ASSERT_TRUE(journal_->Append({.records = {row}}).ok());

  EXPECT_EQ((*NewReader()->ReadRecord(kPlant, Sequence(1)))->hash,
            journal::ChainHash({}, kPlant, row.sequence, row.time, row.body));
}

TEST_P(JournalContract, ReadsRecordsInOrderFromAPlaceUntilTheVisitorHasEnough) {
  AppendRecords(kPlant, 20);
  std::vector<std::uint64_t> seen;

  const absl::Status status =
      NewReader()->ReadRecords(kPlant, Sequence(5), [&](const journal::RecordRow& row) {
        seen.push_back(row.sequence.value);
        return seen.size() < 3;
      });

  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(seen, ElementsAre(5, 6, 7));
}

TEST_P(JournalContract, ListsTheHeadsByTenant) {
  AppendRecords(kPlant, 2);
  AppendRecords(kClinic, 3);

  const auto heads = NewReader()->ReadHeads();

  ASSERT_TRUE(heads.ok()) << heads.status();
  EXPECT_THAT(*heads, ElementsAre(AllOf(Field(&journal::TenantHead::tenant, kClinic),
                                        Field(&journal::TenantHead::sequence, Sequence(3))),
                                  AllOf(Field(&journal::TenantHead::tenant, kPlant),
                                        Field(&journal::TenantHead::sequence, Sequence(2)))));
  EXPECT_EQ(heads->back().hash, (*NewReader()->ReadRecord(kPlant, Sequence(2)))->hash);
  EXPECT_EQ(heads->back().time, MakeRecord(kPlant, 2).time);
}

TEST_P(JournalContract, RefusesAGapAndWritesNothingOfThatCommit) {
  AppendRecords(kPlant, 1);

  const absl::Status status =
      journal_->Append({.records = {MakeRecord(kPlant, 2), MakeRecord(kPlant, 4)},
                        .incidents = {MakeIncident(kPlant, 1, absl::ZeroDuration())}});

  EXPECT_EQ(ReasonOf(status), "JOURNAL_GAP");
  const auto reader = NewReader();
  EXPECT_THAT(AllRecords(*reader, kPlant), SizeIs(1));
  EXPECT_EQ(*reader->ReadIncident(kPlant, IncidentNumber(1)), std::nullopt);
}

TEST_P(JournalContract, RefusesAFirstRecordThatIsNotNumberOne) {
  EXPECT_EQ(ReasonOf(journal_->Append({.records = {MakeRecord(kPlant, 2)}})), "JOURNAL_GAP");
  EXPECT_THAT(*NewReader()->ReadHeads(), IsEmpty());
}

TEST_P(JournalContract, RefusesARecordThatIsThereAlready) {
  AppendRecords(kPlant, 2);

  EXPECT_EQ(ReasonOf(journal_->Append({.records = {MakeRecord(kPlant, 2)}})), "JOURNAL_GAP");
}

TEST_P(JournalContract, TakesNothingMoreAfterAFinalError) {
  const absl::Status first = journal_->Append({.records = {MakeRecord(kPlant, 2)}});

  EXPECT_EQ(journal_->Append({.records = {MakeRecord(kPlant, 1)}}), first);
  EXPECT_EQ(journal_->Prune({.tenant = kPlant, .through = Sequence(1)}).status(), first);
  EXPECT_THAT(AllRecords(*NewReader(), kPlant), IsEmpty());
}

TEST_P(JournalContract, AReaderSeesWhatIsCommittedAfterItWasOpened) {
  const auto reader = NewReader();
  AppendRecords(kPlant, 1);
  EXPECT_THAT(AllRecords(*reader, kPlant), SizeIs(1));
  ASSERT_TRUE(journal_->Append({.records = {MakeRecord(kPlant, 2)}}).ok());
  EXPECT_THAT(AllRecords(*reader, kPlant), SizeIs(2));
}

TEST_P(JournalContract, OneReadSeesOneStateWhileTheWriterGoesOn) {
  AppendRecords(kPlant, 3);
  std::uint64_t next = 4;
  std::vector<std::uint64_t> seen;

  const absl::Status status =
      NewReader()->ReadRecords(kPlant, Sequence(1), [&](const journal::RecordRow& row) {
        EXPECT_TRUE(journal_->Append({.records = {MakeRecord(kPlant, next++)}}).ok());
        seen.push_back(row.sequence.value);
        return true;
      });

  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(seen, ElementsAre(1, 2, 3));
}

// Each commit writes the same number as sequence, incident update, event and delivery. A reader
// that sees one of them without the others has seen half a commit.
TEST_P(JournalContract, ReadersInOtherThreadsNeverSeeHalfACommit) {
  constexpr std::uint64_t kCommits = 300;
  std::atomic<bool> done = false;
  const auto read = [&](std::unique_ptr<journal::Reader> reader) {
    std::uint64_t last = 0;
    do {
      const auto incidents = reader->ListIncidents({.tenants = {kPlant}, .limit = 2});
      ASSERT_TRUE(incidents.ok()) << incidents.status();
      if (incidents->empty()) continue;
      // Two incidents change in every commit, to the same time.
      ASSERT_EQ(incidents->size(), 2u);
      ASSERT_EQ((*incidents)[0].updated, (*incidents)[1].updated);
      const auto now =
          static_cast<std::uint64_t>(absl::ToInt64Microseconds((*incidents)[0].updated - kStart));
      ASSERT_GE(now, last);
      last = now;
      const auto heads = reader->ReadHeads();
      ASSERT_TRUE(heads.ok()) << heads.status();
      ASSERT_GE(heads->at(0).sequence.value, last);
    } while (!done);
  };
  std::thread first(read, NewReader());
  std::thread second(read, NewReader());

  for (std::uint64_t i = 1; i <= kCommits; ++i) {
    const auto updated = absl::Microseconds(i);
    ASSERT_TRUE(journal_
                    ->Append({.records = {MakeRecord(kPlant, i)},
                              .incidents = {MakeIncident(kPlant, 1, updated),
                                            MakeIncident(kPlant, 2, updated)},
                              .events = {MakeEvent(kPlant, i, 1)}})
                    .ok());
  }
  done = true;
  first.join();
  second.join();
}

TEST_P(JournalContract, AnIncidentIsReplacedByItsNewerSelf) {
  journal::IncidentRow row = MakeIncident(kPlant, 7, absl::Seconds(1));
  ASSERT_TRUE(journal_->Append({.incidents = {row}}).ok());
  row = {.tenant = kPlant,
         .number = IncidentNumber(7),
         .state = IncidentState::kAcknowledged,
         .severity = Severity::kCritical,
         .owner_side = Side::kCustomer,
         .owner_team = "plant-it",
         .rule = "mes",
         .updated = kStart + absl::Seconds(2),
         .body = "newer"};
  ASSERT_TRUE(journal_->Append({.incidents = {row}}).ok());

  const auto reader = NewReader();
  const auto read = reader->ReadIncident(kPlant, IncidentNumber(7));

  ASSERT_TRUE(read.ok() && read->has_value());
  EXPECT_EQ((*read)->state, row.state);
  EXPECT_EQ((*read)->severity, row.severity);
  EXPECT_EQ((*read)->owner_side, row.owner_side);
  EXPECT_EQ((*read)->owner_team, row.owner_team);
  EXPECT_EQ((*read)->rule, row.rule);
  EXPECT_EQ((*read)->updated, row.updated);
  EXPECT_EQ((*read)->body, row.body);
  EXPECT_THAT(NamesOf(reader->ListIncidents({.tenants = {kPlant}})), ElementsAre("plant/7"));
}

TEST_P(JournalContract, ListsTheNewestIncidentsFirstThenByTenantThenTheHigherNumber) {
  ASSERT_TRUE(journal_
                  ->Append({.incidents = {MakeIncident(kPlant, 1, absl::Seconds(5)),
                                          MakeIncident(kPlant, 2, absl::Seconds(9)),
                                          MakeIncident(kPlant, 3, absl::Seconds(5)),
                                          MakeIncident(kClinic, 8, absl::Seconds(5)),
                                          MakeIncident(kClinic, 9, absl::Seconds(1))}})
                  .ok());
  const auto reader = NewReader();

  EXPECT_THAT(NamesOf(reader->ListIncidents({.tenants = {kPlant, kClinic, kPlant}})),
              ElementsAre("plant/2", "clinic/8", "plant/3", "plant/1", "clinic/9"));
  EXPECT_THAT(NamesOf(reader->ListIncidents({.tenants = {kClinic, TenantId("unknown")}})),
              ElementsAre("clinic/8", "clinic/9"));
  EXPECT_THAT(NamesOf(reader->ListIncidents({.tenants = {kPlant, kClinic}, .limit = 2})),
              ElementsAre("plant/2", "clinic/8"));
}

TEST_P(JournalContract, FiltersIncidentsByEveryWordOfTheQuery) {
  journal::IncidentRow mes = MakeIncident(kPlant, 2, absl::Seconds(2));
  mes.state = IncidentState::kResolved;
  mes.severity = Severity::kCritical;
  mes.owner_side = Side::kCustomer;
  mes.owner_team = "plant-it";
  mes.rule = "mes";
  ASSERT_TRUE(
      journal_->Append({.incidents = {MakeIncident(kPlant, 1, absl::Seconds(1)), mes}}).ok());
  const auto reader = NewReader();
  const auto list = [&](journal::IncidentQuery query) {
    query.tenants = {kPlant};
    return NamesOf(reader->ListIncidents(query));
  };

  EXPECT_THAT(list({.states = {IncidentState::kResolved}}), ElementsAre("plant/2"));
  EXPECT_THAT(list({.severities = {Severity::kCritical}}), ElementsAre("plant/2"));
  EXPECT_THAT(list({.sides = {Side::kCustomer}}), ElementsAre("plant/2"));
  EXPECT_THAT(list({.teams = {"plant-it", "biomed"}}), ElementsAre("plant/2"));
  EXPECT_THAT(list({.rules = {"mes"}}), ElementsAre("plant/2"));
  EXPECT_THAT(list({.states = {IncidentState::kOpen, IncidentState::kResolved}}),
              ElementsAre("plant/2", "plant/1"));
  EXPECT_THAT(list({.severities = {Severity::kCritical}, .teams = {"noc"}}), IsEmpty());
}

// Every page size must yield the whole list, whatever ties and states lie at the borders.
TEST_P(JournalContract, PagesThroughIncidentsWithoutGapOrRepetition) {
  std::vector<journal::IncidentRow> rows;
  for (std::uint64_t i = 1; i <= 30; ++i) {
    rows.push_back(MakeIncident(i % 3 == 0 ? kClinic : kPlant, i, absl::Seconds(i / 7)));
    rows.back().state = static_cast<IncidentState>(1 + i % 2);
  }
  ASSERT_TRUE(journal_->Append({.incidents = rows}).ok());
  const auto reader = NewReader();
  const std::vector<std::string> all =
      NamesOf(reader->ListIncidents({.tenants = {kPlant, kClinic}, .limit = 100}));
  ASSERT_THAT(all, SizeIs(30));

  for (std::uint32_t limit = 1; limit <= 31; ++limit) {
    journal::IncidentQuery query{.tenants = {kPlant, kClinic}, .limit = limit};
    std::vector<std::string> paged;
    for (;;) {
      const auto page = reader->ListIncidents(query);
      const auto names = NamesOf(page);
      if (names.empty()) break;
      ASSERT_LE(names.size(), limit);
      paged.insert(paged.end(), names.begin(), names.end());
      query.after = {page->back().updated, page->back().tenant, page->back().number};
    }
    EXPECT_EQ(paged, all) << "with pages of " << limit;
  }
}

TEST_P(JournalContract, ListsTheEventsOfAnIncidentInOrder) {
  ASSERT_TRUE(journal_
                  ->Append({.events = {MakeEvent(kPlant, 1, 5), MakeEvent(kPlant, 2, 5),
                                       MakeEvent(kPlant, 2, 6), MakeEvent(kPlant, 3, 5),
                                       MakeEvent(kClinic, 3, 5)}})
                  .ok());
  const auto reader = NewReader();

  EXPECT_THAT(PlacesOf(reader->ListIncidentEvents(kPlant, IncidentNumber(5), Sequence(), 10)),
              ElementsAre(std::pair(1, 5), std::pair(2, 5), std::pair(3, 5)));
  EXPECT_THAT(PlacesOf(reader->ListIncidentEvents(kPlant, IncidentNumber(5), Sequence(1), 1)),
              ElementsAre(std::pair(2, 5)));
  EXPECT_EQ((*reader->ListIncidentEvents(kClinic, IncidentNumber(5), Sequence(), 1))[0].body,
            MakeEvent(kClinic, 3, 5).body);
}

TEST_P(JournalContract, PagesThroughALongTimelineWithGapsAsThroughAShortOne) {
  std::vector<std::pair<int, int>> all;
  for (int record = 1; record <= 400; ++record) {
    // Dense, then seldom, then dense again; and another incident in every record.
    const bool has = record < 70 || record % 97 == 0 || record > 340;
    journal::Commit commit{.events = {MakeEvent(kPlant, record, 6)}};
    if (has) commit.events.insert(commit.events.begin(), MakeEvent(kPlant, record, 5));
    if (has) all.emplace_back(record, 5);
    ASSERT_TRUE(journal_->Append(commit).ok());
  }
  const auto reader = NewReader();
  for (const std::uint32_t limit : {1U, 7U, 32U, 1'000U}) {
    std::vector<std::pair<int, int>> paged;
    for (;;) {
      const Sequence after(paged.empty() ? 0 : static_cast<std::uint64_t>(paged.back().first));
      const auto page =
          PlacesOf(reader->ListIncidentEvents(kPlant, IncidentNumber(5), after, limit));
      paged.insert(paged.end(), page.begin(), page.end());
      if (page.size() < limit) break;
    }
    EXPECT_EQ(paged, all) << "with pages of " << limit;
  }
}

TEST_P(JournalContract, ListsEventsByWholeRecords) {
  ASSERT_TRUE(journal_
                  ->Append({.events = {MakeEvent(kPlant, 1, 3), MakeEvent(kPlant, 1, 1),
                                       MakeEvent(kPlant, 1, 2), MakeEvent(kPlant, 4, 1),
                                       MakeEvent(kPlant, 4, 2), MakeEvent(kPlant, 5, 1)}})
                  .ok());
  const auto reader = NewReader();
  const std::vector<std::pair<int, int>> first = {{1, 1}, {1, 2}, {1, 3}};

  EXPECT_EQ(PlacesOf(reader->ListEvents(kPlant, Sequence(), 1)), first);
  EXPECT_EQ(PlacesOf(reader->ListEvents(kPlant, Sequence(), 3)), first);
  EXPECT_EQ(PlacesOf(reader->ListEvents(kPlant, Sequence(), 4)), first);
  EXPECT_THAT(PlacesOf(reader->ListEvents(kPlant, Sequence(), 5)), SizeIs(5));
  EXPECT_THAT(PlacesOf(reader->ListEvents(kPlant, Sequence(), 6)), SizeIs(6));
  EXPECT_THAT(PlacesOf(reader->ListEvents(kPlant, Sequence(1), 2)),
              ElementsAre(std::pair(4, 1), std::pair(4, 2)));
  EXPECT_THAT(PlacesOf(reader->ListEvents(kPlant, Sequence(5), 2)), IsEmpty());
  EXPECT_THAT(PlacesOf(reader->ListEvents(kClinic, Sequence(), 2)), IsEmpty());
}

TEST_P(JournalContract, KeepsADeliveryUntilItIsClosed) {
  journal::DeliveryRow closed = MakeDelivery(kPlant, 1);
  ASSERT_TRUE(journal_
                  ->Append({.deliveries = {closed, MakeDelivery(kPlant, 10),
                                           MakeDelivery(kPlant, 2), MakeDelivery(kClinic, 3)}})
                  .ok());
  journal::DeliveryRow changed = MakeDelivery(kPlant, 2);
  changed.body = "attempt 2";
  closed.open = false;
  ASSERT_TRUE(journal_->Append({.deliveries = {closed, changed}}).ok());

  const auto open = NewReader()->ListOpenDeliveries();

  ASSERT_TRUE(open.ok()) << open.status();
  ASSERT_THAT(*open, SizeIs(3));
  EXPECT_EQ((*open)[0].tenant, kClinic);
  EXPECT_EQ((*open)[1].number, DeliveryNumber(2));
  EXPECT_EQ((*open)[1].body, "attempt 2");
  EXPECT_EQ((*open)[2].number, DeliveryNumber(10));
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(JournalContract);

}  // namespace tandem::testing
