// One bit flips anywhere in the database: either somebody is told, or every answer is what it was.
// TANDEM_DAMAGE_STRIDE=1 tries every byte.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "router/journal/journal.h"
#include "router/journal/sha256.h"
#include "router/journal/verify.h"
#include "tests/support/temporary_folder.h"

namespace tandem::journal {
namespace {

constexpr std::uint64_t kRecords = 60;
const std::vector<TenantId> kTenants = {TenantId("clinic"), TenantId("plant")};

class DamageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string path = folder_.File("whole.db");
    auto journal = OpenSqliteJournal({.path = path, .page_bytes = 4096});
    ASSERT_TRUE(journal.ok()) << journal.status();
    for (std::uint64_t i = 1; i <= kRecords; ++i) {
      for (const TenantId& tenant : kTenants) {
        ASSERT_TRUE((*journal)->Append(CommitOf(tenant, i)).ok());
      }
    }
    ASSERT_TRUE((*journal)->Prune({.tenant = kTenants[0], .through = Sequence(20)}).ok());
    journal->reset();
    std::ifstream file(path, std::ios::binary);
    whole_.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }

  static Commit CommitOf(const TenantId& tenant, std::uint64_t i) {
    Commit commit;
    commit.records.push_back({.tenant = tenant,
                              .sequence = Sequence(i),
                              .time = absl::FromUnixSeconds(1'700'000'000),
                              .body = std::string(100 + 97 * i, static_cast<char>('a' + i % 26))});
    commit.incidents.push_back({.tenant = tenant,
                                .number = IncidentNumber(1 + i % 20),
                                .state = static_cast<IncidentState>(1 + i % 3),
                                .owner_team = "noc",
                                .rule = "catch-all",
                                .updated = absl::FromUnixMicros(static_cast<std::int64_t>(i)),
                                .body = fmt::format("incident at {}", i)});
    commit.events.push_back({.tenant = tenant,
                             .sequence = Sequence(i),
                             .incident = IncidentNumber(1 + i % 20),
                             .body = fmt::format("event {}", i)});
    commit.deliveries.push_back({.tenant = tenant,
                                 .number = DeliveryNumber(i),
                                 .open = i % 2 == 0,
                                 .body = fmt::format("delivery {}", i)});
    return commit;
  }

  // Everything that the journal answers, as one hash; an error when somebody is told.
  static absl::StatusOr<std::string> Answers(const std::string& path) {
    const auto journal = OpenSqliteJournal({.path = path, .read_only = true});
    if (!journal.ok()) return journal.status();
    const auto reader = (*journal)->OpenReader();
    if (!reader.ok()) return reader.status();
    if (const auto status = Verify(**reader, {}).FirstError(); !status.ok()) return status;
    Sha256 all;
    const auto heads = *(*reader)->ReadHeads();
    for (const TenantHead& head : heads) all.Sized(head.tenant.value);
    for (const TenantId& tenant : kTenants) {
      (*reader)
          ->ReadRecords(tenant, Sequence(1),
                        [&](const RecordRow& row) {
                          all.Bytes(row.hash);
                          return true;
                        })
          .IgnoreError();
      const auto all_events = *(*reader)->ListEvents(tenant, Sequence(), 1'000);
      for (const EventRow& row : all_events) {
        all.Number(row.sequence.value).Sized(row.body);
      }
      for (std::uint64_t i = 1; i <= 20; ++i) {
        const auto events =
            *(*reader)->ListIncidentEvents(tenant, IncidentNumber(i), Sequence(), 1'000);
        for (const EventRow& row : events) all.Number(row.sequence.value);
        const auto incident = *(*reader)->ReadIncident(tenant, IncidentNumber(i));
        all.Sized(incident ? incident->body : "none");
      }
    }
    const auto incidents = *(*reader)->ListIncidents({.tenants = kTenants, .limit = 1'000});
    for (const IncidentRow& row : incidents) all.Number(row.number.value).Sized(row.body);
    const auto deliveries = *(*reader)->ListOpenDeliveries();
    for (const DeliveryRow& row : deliveries) all.Sized(row.body);
    return HexText(all.Finish());
  }

  testing::TemporaryFolder folder_;
  std::string whole_;
};

TEST_F(DamageTest, IsNoticedOrHarmlessWhereverABitFlips) {
  const std::string path = folder_.File("damaged.db");
  std::ofstream(path, std::ios::binary) << whole_;
  const auto truth = Answers(path);
  ASSERT_TRUE(truth.ok()) << truth.status();
  const char* setting = std::getenv("TANDEM_DAMAGE_STRIDE");
  const std::size_t stride = setting == nullptr ? 797 : std::stoull(setting);

  int noticed = 0;
  int harmless = 0;
  for (std::size_t at = 0; at < whole_.size(); at += stride) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const auto put = [&](char byte) {
      file.seekp(static_cast<std::streamoff>(at));
      file.put(byte);
      file.flush();
    };
    put(static_cast<char>(whole_[at] ^ (1 << (at % 8))));
    const auto answers = Answers(path);
    if (!answers.ok()) {
      ++noticed;
    } else {
      ++harmless;
      EXPECT_EQ(*answers, *truth) << "byte " << at << " of " << whole_.size();
    }
    put(whole_[at]);
  }
  fmt::print("flipped {}: noticed {}, harmless {}, undetected 0 unless reported above\n",
             noticed + harmless, noticed, harmless);
  EXPECT_GT(noticed, harmless);
}

}  // namespace
}  // namespace tandem::journal
