#include "router/engine/retention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "router/core/state.h"
#include "router/engine/engine_rig.h"
#include "router/engine/snapshotter.h"
#include "router/journal/verify.h"
#include "tests/support/temporary_folder.h"

namespace tandem::engine {
namespace {

using testing::Alerts;
using testing::Ask;
using ::testing::Contains;
using testing::EachAlone;
using ::testing::ElementsAre;
using testing::kHarbor;
using testing::kMill;
using testing::kPatience;
using ::testing::Not;
using ::testing::SizeIs;

constexpr absl::Duration kDay = absl::Hours(24);

AlertsReceived Ended(std::uint64_t number, const std::string& name, absl::Time at) {
  v1::AlertBatch batch;
  batch.set_number(number);
  v1::Alert* alert = batch.add_alerts();
  v1::Label* label = alert->add_labels();
  label->set_name("alertname");
  label->set_value(name);
  alert->mutable_ends_at()->set_seconds(absl::ToUnixSeconds(at));
  auto read = codec::ReadAlertBatch(batch.SerializeAsString(), {}, at);
  TANDEM_CHECK(read.ok(), "the batch is well formed");
  return {"agent-1", *std::move(read), nullptr};
}

// A harbor with a playbook, an alert that has fired for ever since, and three hundred that came and
// went; then a long time passes, and something new happens.
class RetentionTest : public ::testing::Test {
 protected:
  RetentionTest() : store_(*journal::SnapshotStore::Open(folder_.path())) {}

  void SetUp() override {
    ASSERT_TRUE(
        rig_.StartWithTenants({.shard = {.resolve_timeout = 2'000 * kDay}, .snapshots = &store_})
            .ok());
    ASSERT_TRUE(Ask(engine(), kHarbor, EachAlone(kHarbor)).ok());
    held_ = Ask(engine(), kHarbor, Alerts(1, {"Held"}))->sequence;
    first_gone_ = Ask(engine(), kHarbor, Alerts(2, {"Gone0"}))->sequence;
    for (std::uint64_t i = 0; i < 300; ++i) {
      const std::string name = "Gone" + std::to_string(i);
      ASSERT_TRUE(Ask(engine(), kHarbor, Alerts(2 * i + 3, {name})).ok());
      ASSERT_TRUE(Ask(engine(), kHarbor, Ended(2 * i + 4, name, rig_.clock.Now())).ok());
    }
    Advance(absl::Hours(2));
    Advance(401 * kDay);
    ASSERT_TRUE(Ask(engine(), kHarbor, Alerts(number_, {"New"})).ok());
  }

  Engine& engine() { return *rig_.engine; }

  // Time passes, and everything that falls due is done.
  void Advance(absl::Duration by) {
    rig_.clock.Advance(by);
    const auto quiet = [&] {
      const auto state = rig_.Recovered(kHarbor);
      const auto next = core::NextDeadline(*state);
      return !next || *next > rig_.clock.Now();
    };
    while (!quiet()) ASSERT_TRUE(Ask(engine(), kHarbor, PositionQuery{"agent-1"}).ok());
  }

  void WriteTwoSnapshots() {
    Snapshotter snapshotter({.journal = &rig_.journal, .store = &store_});
    ASSERT_TRUE(snapshotter.Write(kHarbor).ok());
    ASSERT_TRUE(
        Ask(engine(), kHarbor, Alerts(++number_, {"Newer" + std::to_string(number_)})).ok());
    ASSERT_TRUE(snapshotter.Write(kHarbor).ok());
  }

  RetentionOptions Options() {
    return {.clock = &rig_.clock,
            .journal = &rig_.journal,
            .store = &store_,
            .engine = rig_.engine.get(),
            .pause = absl::ZeroDuration(),
            .need_snapshot = [this](const TenantId& tenant) { wanting_.push_back(tenant); }};
  }

  std::vector<Sequence> Records() {
    std::vector<Sequence> records;
    const auto reader = *rig_.journal.OpenReader();
    EXPECT_TRUE(reader
                    ->ReadRecords(kHarbor, Sequence(1),
                                  [&](const journal::RecordRow& row) {
                                    records.push_back(row.sequence);
                                    return true;
                                  })
                    .ok());
    return records;
  }
  std::vector<IncidentNumber> Incidents() {
    std::vector<IncidentNumber> numbers;
    const auto reader = *rig_.journal.OpenReader();
    const auto rows = reader->ListIncidents({.tenants = {kHarbor}, .limit = 10'000});
    for (const auto& row : *rows) numbers.push_back(row.number);
    std::ranges::sort(numbers);
    return numbers;
  }
  std::string Digest() { return core::StateDigest(*rig_.Recovered(kHarbor, &store_)); }

  tandem::testing::TemporaryFolder folder_;
  journal::SnapshotStore store_;
  testing::Rig rig_;
  std::vector<TenantId> wanting_;
  std::uint64_t number_ = 1'000;  // of the last batch
  Sequence held_;
  Sequence first_gone_;
};

TEST_F(RetentionTest, RemovesWhatIsOldAndKeepsWhatIsStillNeeded) {
  WriteTwoSnapshots();
  const std::string before = Digest();
  const std::size_t records = Records().size();
  ASSERT_THAT(Incidents(), SizeIs(303));

  const auto counts = Retention(Options()).Prune(kHarbor);

  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_EQ(counts->incidents, 300u);
  EXPECT_EQ(counts->records, records - Records().size());
  EXPECT_GT(counts->records, 600u);
  EXPECT_EQ(engine().counters().pruned_records.load(), counts->records);
  // The playbook, the alert that still fires; and what is new.
  EXPECT_THAT(Records(), Contains(Sequence(1)));
  EXPECT_THAT(Records(), Contains(held_));
  EXPECT_THAT(Records(), Not(Contains(first_gone_)));
  EXPECT_THAT(Incidents(),
              ElementsAre(IncidentNumber(1), IncidentNumber(302), IncidentNumber(303)));
  EXPECT_EQ(Digest(), before);
  EXPECT_TRUE(journal::Verify(**rig_.journal.OpenReader(), {}).FirstError().ok());
}

// It began before the retention and ended within it: its whole timeline is still to be seen.
TEST_F(RetentionTest, KeepsWhatAnIncidentOfTheListsTells) {
  ASSERT_TRUE(Ask(engine(), kHarbor, Ended(++number_, "Held", rig_.clock.Now())).ok());
  Advance(absl::Hours(1));  // resolved
  Advance(absl::Hours(1));  // forgotten by the state, but on the lists
  ASSERT_EQ(rig_.Recovered(kHarbor)->FindIncident(IncidentNumber(1)), nullptr);
  WriteTwoSnapshots();
  const auto events = [&] {
    const auto reader = *rig_.journal.OpenReader();
    return reader->ListIncidentEvents(kHarbor, IncidentNumber(1), Sequence(), 1'000)->size();
  };
  const std::size_t before = events();

  Retention retention(Options());
  ASSERT_GT(retention.Prune(kHarbor)->records, 600u);
  EXPECT_THAT(Records(), Contains(held_));
  EXPECT_EQ(events(), before);

  // Once it is as old itself, it goes, though it was kept before.
  Advance(401 * kDay);
  WriteTwoSnapshots();
  ASSERT_TRUE(retention.Prune(kHarbor).ok());
  EXPECT_THAT(Records(), Not(Contains(held_)));
  EXPECT_EQ(events(), 0u);
  EXPECT_TRUE(journal::Verify(**rig_.journal.OpenReader(), {}).FirstError().ok());
}

TEST_F(RetentionTest, ASecondTimeThereIsNothingLeftToDo) {
  WriteTwoSnapshots();
  Retention retention(Options());
  ASSERT_TRUE(retention.Prune(kHarbor).ok());

  const auto counts = retention.Prune(kHarbor);

  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_EQ(counts->records, 0u);
}

TEST_F(RetentionTest, TheRouterGoesOnAndStartsAnewOnAPrunedHistory) {
  WriteTwoSnapshots();
  ASSERT_TRUE(Retention(Options()).Prune(kHarbor).ok());

  EXPECT_TRUE(Ask(engine(), kHarbor, Alerts(1'002, {"Newest"})).ok());
  ASSERT_TRUE(rig_.Start({.snapshots = &store_}).ok());
  EXPECT_EQ(Ask(engine(), kHarbor, PositionQuery{"agent-1"})->position, 1'002u);
}

TEST_F(RetentionTest, APrunedHistoryWithoutItsSnapshotsIsRefused) {
  WriteTwoSnapshots();
  ASSERT_TRUE(Retention(Options()).Prune(kHarbor).ok());

  EXPECT_EQ(ReasonOf(rig_.Start()), "HISTORY_PRUNED");
}

TEST_F(RetentionTest, AsksForASnapshotInsteadOfTrustingASingleOne) {
  const std::size_t records = Records().size();
  Retention retention(Options());

  EXPECT_EQ(retention.Prune(kHarbor)->records, 0u);
  EXPECT_THAT(wanting_, ElementsAre(kHarbor));
  ASSERT_TRUE(Snapshotter({.journal = &rig_.journal, .store = &store_}).Write(kHarbor).ok());
  EXPECT_EQ(retention.Prune(kHarbor)->records, 0u);
  EXPECT_THAT(wanting_, ElementsAre(kHarbor, kHarbor));
  EXPECT_THAT(Records(), SizeIs(records));
}

TEST_F(RetentionTest, LeavesAloneWhatIsYoungerThanTheRetention) {
  WriteTwoSnapshots();
  RetentionOptions options = Options();
  options.keep = 402 * kDay;

  EXPECT_EQ(Retention(std::move(options)).Prune(kHarbor)->records, 0u);
  EXPECT_THAT(wanting_, SizeIs(0));
}

TEST_F(RetentionTest, KeepsEverythingForEver) {
  WriteTwoSnapshots();
  RetentionOptions options = Options();
  options.keep = absl::InfiniteDuration();

  Retention retention(std::move(options));

  EXPECT_EQ(retention.Prune(kHarbor)->records, 0u);
  retention.SetKeep(400 * kDay);
  EXPECT_GT(retention.Prune(kHarbor)->records, 600u);
}

TEST_F(RetentionTest, LooksAtEveryTenantByItself) {
  WriteTwoSnapshots();
  std::promise<std::uint64_t> pruned;
  RetentionOptions options = Options();
  options.first = absl::ZeroDuration();
  options.on_done = [&](const TenantId& tenant, const absl::StatusOr<journal::CutCounts>& counts) {
    if (tenant == kHarbor && counts.ok()) pruned.set_value(counts->records);
  };
  const Retention retention(std::move(options));

  auto told = pruned.get_future();
  ASSERT_EQ(told.wait_for(kPatience), std::future_status::ready);
  EXPECT_GT(told.get(), 600u);
}

TEST_F(RetentionTest, EndsWithAnErrorWhenTheEngineHasStopped) {
  WriteTwoSnapshots();
  Retention retention(Options());
  engine().Stop();

  EXPECT_EQ(retention.Prune(kHarbor).status().code(), absl::StatusCode::kUnavailable);
}

TEST(Retention, PrunesTheJournalOnDisk) {
  const tandem::testing::TemporaryFolder folder;
  const auto store = *journal::SnapshotStore::Open(folder.path());
  ManualClock clock(testing::kNoon);
  const journal::SqliteOptions options{.path = folder.File("journal.db")};
  std::unique_ptr<journal::Journal> journal = *journal::OpenSqliteJournal(options);
  std::unique_ptr<Engine> engine = *Engine::Start(journal.get(), {.clock = &clock});
  ASSERT_TRUE(Ask(*engine, core::kInstallation, testing::NewTenant(kHarbor)).ok());
  ASSERT_TRUE(Ask(*engine, kHarbor, EachAlone(kHarbor)).ok());
  for (std::uint64_t i = 1; i <= 300; ++i) {
    ASSERT_TRUE(Ask(*engine, kHarbor, Alerts(i, {"A" + std::to_string(i)})).ok());
  }
  Snapshotter snapshotter({.journal = journal.get(), .store = &store});
  for (std::uint64_t i = 301; i <= 302; ++i) {
    clock.Advance(401 * kDay);
    ASSERT_TRUE(Ask(*engine, kHarbor, Ended(i, "A1", clock.Now())).ok());
    ASSERT_TRUE(Ask(*engine, kHarbor, Alerts(i + 2, {"New" + std::to_string(i)})).ok());
    ASSERT_TRUE(snapshotter.Write(kHarbor).ok());
  }
  Retention retention({.clock = &clock,
                       .journal = journal.get(),
                       .store = &store,
                       .engine = engine.get(),
                       .pause = absl::ZeroDuration()});

  const auto counts = retention.Prune(kHarbor);
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_GT(counts->records, 0u);
  ASSERT_TRUE(Ask(*engine, kHarbor, Alerts(400, {"Newest"})).ok());
  retention.Stop();
  engine.reset();
  journal.reset();
  journal = *journal::OpenSqliteJournal(options);

  const journal::VerifyReport report = journal::Verify(**journal->OpenReader(), {});
  EXPECT_TRUE(report.FirstError().ok()) << report.FirstError();
  EXPECT_EQ(ReasonOf(Engine::Start(journal.get(), {.clock = &clock}).status()), "HISTORY_PRUNED");
  const auto anew = Engine::Start(journal.get(), {.clock = &clock, .snapshots = &store});
  ASSERT_TRUE(anew.ok()) << anew.status();
  EXPECT_EQ(Ask(**anew, kHarbor, PositionQuery{"agent-1"})->position, 400u);
}

}  // namespace
}  // namespace tandem::engine
