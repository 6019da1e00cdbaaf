// The small parts of the client: cutting, backing off, remembering what fires, bytes of the wire.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tools/agent/active_table.h"
#include "tools/agent/backoff.h"
#include "tools/agent/channel.h"
#include "tools/agent/cutter.h"
#include "tools/agent/spool_state.h"
#include "tools/agent/wire.h"

namespace tandem::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const absl::Time kNoon = absl::FromUnixSeconds(1'760'000'000);

v1::Alert MakeAlert(const std::string& name) {
  v1::Alert alert;
  for (const auto& [key, value] : {std::pair("site", "plant-7"), std::pair("alertname", "")}) {
    v1::Label* label = alert.add_labels();
    label->set_name(key);
    label->set_value(value[0] == '\0' ? name : value);
  }
  return alert;
}

TEST(Cutter, CutsByCount) {
  Cutter cutter({.batch_alerts = 2, .batch_bytes = 100, .linger = absl::Seconds(1)});
  const auto first = cutter.Add("a", kNoon);
  EXPECT_EQ(cutter.due(), kNoon + absl::Seconds(1));
  EXPECT_EQ(cutter.Add("b", kNoon), first);
  EXPECT_NE(cutter.Add("c", kNoon), first);

  EXPECT_EQ(cutter.due(), absl::InfinitePast());
  const auto batches = cutter.Take(kNoon);
  ASSERT_THAT(batches, SizeIs(1));
  EXPECT_EQ(batches[0].bytes, "ab");
  EXPECT_EQ(batches[0].alerts, 2u);
}

TEST(Cutter, CutsByBytesBeforeTheLimitIsPassed) {
  Cutter cutter({.batch_alerts = 100, .batch_bytes = 10, .linger = absl::Seconds(1)});
  cutter.Add("123456", kNoon);
  cutter.Add("7890", kNoon);
  EXPECT_EQ(cutter.waiting(), 0u);
  cutter.Add("1", kNoon);
  EXPECT_EQ(cutter.waiting(), 1u);
  EXPECT_EQ(cutter.Take(kNoon)[0].bytes, "1234567890");
}

TEST(Cutter, CutsWhenTheOldestAlertHasWaitedLongEnough) {
  Cutter cutter({.batch_alerts = 100, .batch_bytes = 10, .linger = absl::Milliseconds(5)});
  cutter.Add("a", kNoon);
  cutter.Add("b", kNoon + absl::Milliseconds(4));
  EXPECT_THAT(cutter.Take(kNoon + absl::Milliseconds(4)), IsEmpty());
  EXPECT_THAT(cutter.Take(kNoon + absl::Milliseconds(5)), SizeIs(1));
  EXPECT_EQ(cutter.due(), absl::InfiniteFuture());
}

TEST(Cutter, CountsWhatItHolds) {
  Cutter cutter({.batch_alerts = 2, .batch_bytes = 10, .linger = absl::Seconds(1)});
  for (int i = 0; i < 3; ++i) cutter.Add("12", kNoon);
  EXPECT_EQ(cutter.bytes(), 6 + 2 * kBatchOverheadBytes);
  EXPECT_EQ(cutter.alerts(), 3u);
  EXPECT_THAT(cutter.Take(kNoon), SizeIs(1));
  EXPECT_EQ(cutter.bytes(), 2 + kBatchOverheadBytes);
  EXPECT_EQ(cutter.alerts(), 1u);
}

TEST(Backoff, DoublesItsCeilingUpToTheMaximum) {
  const BackoffOptions options{.first = absl::Milliseconds(100), .max = absl::Seconds(1)};
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Backoff backoff(options, seed);
    absl::Duration ceiling = options.first;
    for (int i = 0; i < 40; ++i) {
      const absl::Duration wait = backoff.Next();
      EXPECT_GE(wait, absl::ZeroDuration());
      EXPECT_LE(wait, ceiling);
      ceiling = std::min(ceiling * 2, options.max);
    }
    backoff.Reset();
    EXPECT_LE(backoff.Next(), options.first);
  }
}

TEST(Backoff, NeverComesBackBeforeTheRouterAskedFor) {
  std::set<absl::Duration> waits;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Backoff backoff({.first = absl::Milliseconds(100), .max = absl::Seconds(1)}, seed);
    waits.insert(backoff.Next(absl::Seconds(5)));
  }
  EXPECT_GE(*waits.begin(), absl::Seconds(5));
  EXPECT_LE(*waits.rbegin(), absl::Milliseconds(5100));
  EXPECT_GT(waits.size(), 15u) << "agents that are sent away together must not return together";
}

std::string ElementOf(const v1::Alert& alert) {
  std::string element;
  AppendAlert(alert, element);
  return element;
}

TEST(ActiveTable, RepeatsWhatFiresUntilItEnds) {
  ActiveTable table({.interval = absl::Minutes(1), .max_alerts = 10});
  v1::Alert alert = MakeAlert("Down");
  table.Note(alert, kNoon);
  EXPECT_EQ(table.due(), kNoon + absl::Minutes(1));
  EXPECT_THAT(table.TakeDue(kNoon + absl::Seconds(59), 10), IsEmpty());
  EXPECT_THAT(table.TakeDue(kNoon + absl::Minutes(1), 10), ElementsAre(ElementOf(alert)));
  EXPECT_EQ(table.due(), kNoon + absl::Minutes(2));

  alert.mutable_ends_at()->set_seconds(1);
  table.Note(alert, kNoon);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.due(), absl::InfiniteFuture());
}

TEST(ActiveTable, PutsOffWhatItsSourceReportsByItself) {
  ActiveTable table({.interval = absl::Minutes(1), .max_alerts = 10});
  table.Note(MakeAlert("A"), kNoon);
  table.Note(MakeAlert("B"), kNoon + absl::Seconds(1));
  table.Note(MakeAlert("A"), kNoon + absl::Seconds(30));

  EXPECT_THAT(table.TakeDue(kNoon + absl::Seconds(61), 10), ElementsAre(ElementOf(MakeAlert("B"))));
  EXPECT_EQ(table.due(), kNoon + absl::Seconds(90));
}

TEST(ActiveTable, HasNothingDueBeforeItsIntervalIsKnown) {
  ActiveTable table({.max_alerts = 10});
  table.Note(MakeAlert("A"), kNoon);
  EXPECT_EQ(table.due(), absl::InfiniteFuture());
  EXPECT_THAT(table.TakeDue(kNoon + absl::Hours(9), 10), IsEmpty());
  table.SetInterval(absl::Minutes(1));
  EXPECT_EQ(table.due(), kNoon + absl::Minutes(1));
  EXPECT_THAT(table.TakeDue(kNoon + absl::Minutes(1), 10), ElementsAre(ElementOf(MakeAlert("A"))));
}

TEST(ActiveTable, HasALimitAndSaysSo) {
  ActiveTable table({.interval = absl::Minutes(1), .max_alerts = 1});
  table.Note(MakeAlert("A"), kNoon);
  table.Note(MakeAlert("B"), kNoon);
  EXPECT_EQ(table.size(), 1u);
  EXPECT_EQ(table.not_kept(), 1u);
  table.Forget(AlertKey(MakeAlert("A")));
  table.Note(MakeAlert("B"), kNoon);
  EXPECT_EQ(table.size(), 1u);
}

TEST(AlertKey, IsOneForEqualLabelSets) {
  v1::Alert alert = MakeAlert("say \"hi\"\n\\");
  EXPECT_EQ(AlertKey(alert), R"({alertname="say \"hi\"\n\\",site="plant-7"})");
  v1::Label* empty = alert.add_labels();
  empty->set_name("empty");
  EXPECT_EQ(AlertKey(alert), R"({alertname="say \"hi\"\n\\",site="plant-7"})");
}

TEST(Wire, WritesWhatProtobufReads) {
  std::string alerts;
  for (const char* name : {"A", "B"}) AppendAlert(MakeAlert(name), alerts);
  grpc::ByteBuffer buffer = BatchMessage(300, alerts);
  std::vector<grpc::Slice> slices;
  ASSERT_TRUE(buffer.Dump(&slices).ok());
  v1::StreamAlertsRequest request;
  ASSERT_TRUE(request.ParseFromArray(slices[0].begin(), static_cast<int>(slices[0].size())));

  EXPECT_EQ(request.batch().number(), 300u);
  ASSERT_EQ(request.batch().alerts_size(), 2);
  EXPECT_EQ(AlertKey(request.batch().alerts(1)), AlertKey(MakeAlert("B")));
  EXPECT_EQ(ReadAlerts(alerts)->alerts_size(), 2);
  EXPECT_FALSE(ReadAlerts("\x12\x7f").ok());
}

TEST(SpoolState, ReadsWhatItWrote) {
  SpoolState state;
  state.client_id = "plant-7/agent";
  state.next_number = 65537;
  for (const std::optional<std::uint64_t> base :
       {std::optional<std::uint64_t>(), std::optional<std::uint64_t>(41)}) {
    state.number_base = base;
    EXPECT_EQ(*ReadSpoolState(WriteSpoolState(state)), state);
  }
}

TEST(SpoolState, RefusesWhatItDidNotWrite) {
  SpoolState state;
  state.client_id = "a";
  const std::string text = WriteSpoolState(state);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(ReadSpoolState(changed).ok()) << changed;
    EXPECT_FALSE(ReadSpoolState(text.substr(0, i)).ok()) << i;
  }
}

TEST(Channel, SendsNoTokenInTheClear) {
  EXPECT_TRUE(IsLocal("localhost:7443"));
  EXPECT_TRUE(IsLocal("unix:/run/tandem.sock"));
  EXPECT_FALSE(IsLocal("router.example:7443"));
  Connection connection;
  connection.address = "127.0.0.1:1";
  connection.token = "t";
  EXPECT_TRUE(OpenChannel(connection).ok());
  connection.ca_file = "/no/such/file";
  EXPECT_FALSE(OpenChannel(connection).ok());
  connection.ca_file.clear();
  connection.address = "router.example:1";
  connection.plaintext = true;
  EXPECT_FALSE(OpenChannel(connection).ok());
}

}  // namespace
}  // namespace tandem::client
