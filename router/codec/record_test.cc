// What was decided once is read back the same: records, and snapshots of what they amount to.
//
// TANDEM_SEED asks for another history.
#include "router/codec/record.h"

#include <gtest/gtest.h>

#include "router/codec/convert.h"
#include "router/codec/projection.h"
#include "router/codec/snapshot.h"
#include "tandem/v1/alert_ingest.pb.h"
#include "tests/support/random_history.h"

namespace tandem::codec {
namespace {

constexpr int kSteps = 3'000;

void PutLabels(const core::testing::Pairs& from,
               google::protobuf::RepeatedPtrField<v1::Label>* to) {
  for (const auto& [name, value] : from) {
    v1::Label* label = to->Add();
    label->set_name(name);
    label->set_value(value);
  }
}

std::string Bytes(const std::vector<core::testing::AlertSpec>& alerts) {
  v1::AlertBatch batch;
  for (const core::testing::AlertSpec& from : alerts) {
    v1::Alert* to = batch.add_alerts();
    PutLabels(from.labels, to->mutable_labels());
    PutLabels(from.annotations, to->mutable_annotations());
    if (from.starts) to->mutable_starts_at()->set_seconds(absl::ToUnixSeconds(*from.starts));
    if (from.ends) to->mutable_ends_at()->set_seconds(absl::ToUnixSeconds(*from.ends));
  }
  return batch.SerializeAsString();
}

TEST(Records, KeepAnEntityWithAllThatItsCalendarsSay) {
  const playbook::EntitySpec plant = {
      .kind = "site",
      .id = "plant-7",
      .display_name = "Plant 7",
      .attributes = {{"kind", "factory"}},
      .relations = {{"supplied_by", "site/mill"}},
      .calendars = {{"patches",
                     {.location = "America/Chicago",
                      .intervals = {{.times = {"06:00-22:00"},
                                     .weekdays = {"friday:monday"},
                                     .days_of_month = {"28:3"},
                                     .months = {"november:february"},
                                     .years = {"2026"}}},
                      .dates = {"2026-12-24", "2026-12-31:2027-01-02"},
                      .recurring = {{.start = "2026-01-13 22:00",
                                     .duration = "4h",
                                     .rule = "FREQ=MONTHLY;BYDAY=2TU",
                                     .exceptions = {"2026-11-10"}}},
                      .exceptions = {"2026-12-08"}}}},
      .matchers = {"instance=~\"plc.*\""},
      .coordination = {"plant-it"}};
  stored::Entity written;
  Put(plant, &written);

  EXPECT_EQ(Get(written), plant);
}

TEST(Records, FoldToTheStateThatDecidedThem) {
  core::testing::RandomHistory history(core::testing::Seed());
  core::testing::World live;
  core::testing::World replayed;
  replayed.state.key.fill(9);  // another process
  std::uint64_t number = 0;
  for (int step = 0; step < kSteps; ++step) {
    SCOPED_TRACE(step);
    const core::testing::Happening next = history.Next(live.state, live.now);
    live.now += next.later;
    std::string bytes;
    ReadBatch batch;
    core::Input input = next.input.value_or(core::TimePassed{});
    if (!next.input) {
      bytes = Bytes(next.alerts);
      batch = *ReadAlertBatch(bytes, live.state.key, live.now);
      input = core::AlertBatch{.client_id = "agent", .number = ++number, .alerts = batch.items};
    }
    const core::Outcome outcome = live.Do(input);
    if (outcome.facts.empty()) continue;
    journal::Commit commit;
    Projection projection(commit);
    projection.AddRecord(live.state, outcome.facts);
    projection.Finish();

    const std::string body = EncodeRecord(input, bytes, outcome.facts);
    const auto decoded = DecodeRecord(body, replayed.state.key);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    core::Replay(replayed.state, decoded->input, decoded->facts, live.state.last_sequence,
                 live.now);
    ASSERT_EQ(core::StateDigest(live.state), core::StateDigest(replayed.state));
    if (step % 50 != 0) continue;
    const std::string snapshot = EncodeSnapshot(live.state);
    core::TenantState restored;
    restored.tenant = live.state.tenant;
    restored.key = live.state.key;
    ASSERT_TRUE(DecodeSnapshot(snapshot, restored).ok());
    ASSERT_EQ(core::StateDigest(live.state), core::StateDigest(restored));
    ASSERT_EQ(EncodeSnapshot(restored), snapshot);
  }
}

TEST(DeliveryIds, AreReadBackByTheirTenantOnly) {
  const TenantId tenant("a");
  const std::string id = DeliveryId(tenant, IncidentNumber(3), DeliveryNumber(7));
  EXPECT_EQ(id, "dlv-a-3-7");
  EXPECT_EQ(ParseDeliveryId(tenant, id), DeliveryNumber(7));
  for (const char* other : {"dlv-a-b-3-7", "dlv-a-1-3-7", "dlv-a-7", "dlv-a-x-7", "dlv-a-03-7",
                            "dlv-a-3-0", "dlv-a-3-7x", "dlv-b-3-7", ""}) {
    EXPECT_EQ(ParseDeliveryId(tenant, other), std::nullopt) << other;
  }
}

}  // namespace
}  // namespace tandem::codec
