#include <gmock/gmock.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <gtest/gtest.h>

#include <set>

#include "router/base/status.h"
#include "tandem/v1/alert_ingest.pb.h"
#include "tests/support/temporary_folder.h"
#include "tools/agent/fake_router.h"
#include "tools/load/echo_mode.h"
#include "tools/load/fsync_mode.h"
#include "tools/load/ingest_mode.h"

namespace tandem::load {
namespace {

using std::chrono::milliseconds;

v1::AlertBatch Parse(grpc::ByteBuffer bytes) {
  v1::StreamAlertsRequest request;
  EXPECT_TRUE(
      grpc::SerializationTraits<v1::StreamAlertsRequest>::Deserialize(&bytes, &request).ok());
  return request.batch();
}

TEST(ReferenceBatches, HasTheSizeOfTheReferenceAlert) {
  ReferenceBatches batches({.batch = 3});
  EXPECT_NEAR(static_cast<double>(batches.alert_bytes()), 272, 5);
  const v1::AlertBatch batch = Parse(batches.Next(7));
  EXPECT_EQ(batch.number(), 7u);
  ASSERT_EQ(batch.alerts_size(), 3);
  EXPECT_EQ(batch.alerts(0).labels_size(), 8);
}

TEST(ReferenceBatches, CountsItsAlertsAndBeginsAgain) {
  ReferenceBatches batches({.batch = 2, .first = 100, .distinct = 3});
  std::vector<std::uint64_t> ids;
  for (std::uint64_t number = 1; number <= 2; ++number) {
    const v1::AlertBatch batch = Parse(batches.Next(number));
    for (const v1::Alert& alert : batch.alerts()) {
      ids.push_back(IdOf(alert.labels()).value_or(0));
    }
  }
  EXPECT_THAT(ids, ::testing::ElementsAre(100, 101, 102, 100));
}

TEST(ReferenceBatches, SpreadsOverServicesAndJobs) {
  ReferenceBatches batches({.batch = 4, .first = 11, .services = 12, .jobs = 2});
  EXPECT_NEAR(static_cast<double>(batches.alert_bytes()), 272, 5);
  std::vector<std::string> spread;
  const v1::AlertBatch batch = Parse(batches.Next(1, 3));
  for (const v1::Alert& alert : batch.alerts()) {
    for (const v1::Label& label : alert.labels()) {
      if (label.name() == "service" || label.name() == "job") spread.push_back(label.value());
    }
  }
  EXPECT_THAT(spread, ::testing::ElementsAre("manufacturing-svc-00011", "exporter-0001",
                                             "manufacturing-svc-00000", "exporter-0000",
                                             "manufacturing-svc-00001", "exporter-0001"));
}

TEST(Latencies, GivesPercentiles) {
  Latencies latencies;
  for (int i = 100; i >= 1; --i) latencies.Add(milliseconds(i));
  const Json figures = latencies.Figures();
  EXPECT_EQ(figures["p50_ms"], 50.0);
  EXPECT_EQ(figures["p99_ms"], 99.0);
  EXPECT_EQ(figures["max_ms"], 100.0);
  EXPECT_EQ(Latencies().Figures(), (Json{{"count", 0}}));
}

TEST(RunIngest, CountsWhatTheRouterConfirms) {
  client::FakeRouter router;
  IngestOptions options;
  options.target.connection.address = router.address();
  options.alerts.batch = 8;
  options.streams = 2;
  options.window = 4;
  options.warm_up = milliseconds(20);
  options.duration = milliseconds(200);
  const absl::StatusOr<Json> figures = RunIngest(options);
  ASSERT_TRUE(figures.ok()) << figures.status();

  const auto accepted = (*figures)["accepted"].get<std::uint64_t>();
  EXPECT_GT(accepted, 0u);
  EXPECT_EQ((*figures)["batches"].get<std::uint64_t>() * 8, accepted);
  EXPECT_GT((*figures)["alerts_per_second"].get<double>(), 0);
  std::set<std::string> keys;
  std::size_t taken = 0;
  for (const char* id : {"tandem-load/0", "tandem-load/1"}) {
    for (const std::string& key : router.keys(id)) keys.insert(key);
    taken += router.keys(id).size();
  }
  EXPECT_GE(taken, accepted);
  EXPECT_EQ(keys.size(), taken) << "every alert is another one";
}

TEST(RunIngest, SendsExactlyAsManyAsItIsTold) {
  client::FakeRouter router;
  IngestOptions options;
  options.target.connection.address = router.address();
  options.alerts.batch = 8;
  options.streams = 2;
  options.count = 101;
  const absl::StatusOr<Json> figures = RunIngest(options);
  ASSERT_TRUE(figures.ok()) << figures.status();
  EXPECT_EQ((*figures)["accepted"], 101);
  EXPECT_EQ(router.keys("tandem-load/0").size(), 51u);
  EXPECT_EQ(router.keys("tandem-load/1").size(), 50u);
}

TEST(RunIngest, GoesOnAboveWhatTheRouterHolds) {
  client::FakeRouter router;
  router.SetLastDurable("tandem-load/0", 1000);
  IngestOptions options;
  options.target.connection.address = router.address();
  options.warm_up = milliseconds(0);
  options.duration = milliseconds(100);
  const absl::StatusOr<Json> figures = RunIngest(options);
  ASSERT_TRUE(figures.ok()) << figures.status();
  EXPECT_EQ(router.taken("tandem-load/0").front().number(), 1001u);
}

TEST(RunIngest, SaysWhyAStreamEnded) {
  client::FakeRouter router([](const v1::AlertBatch&) {
    client::FakeRouter::Verdict verdict;
    verdict.take = false;
    verdict.status = grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "queue full");
    return verdict;
  });
  IngestOptions options;
  options.target.connection.address = router.address();
  const absl::StatusOr<Json> figures = RunIngest(options);
  EXPECT_TRUE(absl::IsResourceExhausted(figures.status())) << figures.status();
  EXPECT_THAT(MessageOf(figures.status()), ::testing::HasSubstr("queue full"));
}

TEST(RunEcho, MeasuresItsOwnServer) {
  EchoOptions options;
  options.warm_up = milliseconds(10);
  options.duration = milliseconds(100);
  const absl::StatusOr<Json> figures = RunEcho(options);
  ASSERT_TRUE(figures.ok()) << figures.status();
  EXPECT_GT((*figures)["alerts_per_second"].get<double>(), 0);
}

TEST(RunRoundTrip, TakesEachWay) {
  for (const bool unary : {false, true}) {
    RoundTripOptions options;
    options.count = 50;
    options.unary = unary;
    const absl::StatusOr<Json> figures = RunRoundTrip(options);
    ASSERT_TRUE(figures.ok()) << figures.status();
    EXPECT_EQ((*figures)["round_trip"]["count"], 50);
  }
}

TEST(RunFsync, MeasuresEachGroupAndLeavesNothingBehind) {
  const tandem::testing::TemporaryFolder folder;
  FsyncOptions options;
  options.directory = folder.path();
  options.groups = {4, 16};
  options.duration = milliseconds(20);
  const absl::StatusOr<Json> figures = RunFsync(options);
  ASSERT_TRUE(figures.ok()) << figures.status();
  EXPECT_EQ((*figures)["groups"].size(), 2u);
  EXPECT_GT((*figures)["groups"][1]["records_per_second"].get<double>(), 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));

  options.directory = "/no/such/folder";
  EXPECT_FALSE(RunFsync(options).ok());
}

}  // namespace
}  // namespace tandem::load
