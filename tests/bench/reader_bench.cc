// From received bytes to alerts with an identity.
#include "router/codec/alert_reader.h"

#include <algorithm>

#include "router/base/check.h"
#include "tandem/v1/alert_ingest.pb.h"
#include "tests/bench/bench_tenant.h"

namespace tandem::bench {
namespace {

// Argument: alerts a batch.
void Read(benchmark::State& state) {
  const auto size = static_cast<std::uint32_t>(state.range(0));
  const std::string bytes = Batches(size, 1'000, 10).At(0);
  const core::IdentityKey key = BenchKey();
  for (auto unused : state) {
    auto batch = codec::ReadAlertBatch(bytes, key, absl::UnixEpoch());
    TANDEM_CHECK(batch.ok() && batch->items.size() == size, "every alert is taken");
    benchmark::DoNotOptimize(batch);
  }
  CountAlerts(state, size);
}
BENCHMARK(Read)->Name("read")->ArgName("batch")->Arg(1)->Arg(64)->Arg(512);

// The same bytes through protobuf's parser into a re-used message, for comparison.
void ReadWithProtobuf(benchmark::State& state) {
  const std::string bytes = Batches(kBatch, 1'000, 10).At(0);
  v1::AlertBatch batch;
  for (auto unused : state) {
    TANDEM_CHECK(batch.ParseFromString(bytes), "our own bytes");
    benchmark::DoNotOptimize(batch);
  }
  CountAlerts(state, kBatch);
}
BENCHMARK(ReadWithProtobuf)->Name("read_with_protobuf");

void Identity(benchmark::State& state) {
  const core::IdentityKey key = BenchKey();
  const auto batch =
      codec::ReadAlertBatch(Batches(kBatch, 1'000, 10).At(0), key, absl::UnixEpoch());
  TANDEM_CHECK(batch.ok(), "our own bytes");
  for (auto unused : state) {
    for (const core::AlertItem& item : batch->items) {
      benchmark::DoNotOptimize(core::IdentityOf(key, item.labels));
    }
  }
  CountAlerts(state, kBatch);
}
BENCHMARK(Identity)->Name("identity");

}  // namespace
}  // namespace tandem::bench
