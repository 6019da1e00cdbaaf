// From decided facts to the bytes and rows that are stored, and back.
#include <string>

#include "router/base/check.h"
#include "router/base/status.h"
#include "router/codec/projection.h"
#include "router/codec/record.h"
#include "router/codec/snapshot.h"
#include "tests/bench/bench_tenant.h"

namespace tandem::bench {
namespace {

// A batch that was decided.
struct Decided {
  explicit Decided(bool known)
      : tenant(TenantOf({})),
        batch(tenant.Read(known ? tenant.NextKnown() : tenant.NextNew())),
        outcome(tenant.Take(batch)) {}
  // The tenant is shared: it keeps its size.
  void Undo() { (void)tenant.Clear(batch); }

  Tenant& tenant;
  codec::ReadBatch batch;
  core::Outcome outcome;
};

void Encode(benchmark::State& state, bool known) {
  Decided decided(known);
  const core::Input input = Tenant::InputOf(decided.batch);
  std::size_t size = 0;
  for (auto unused : state) {
    const std::string record =
        codec::EncodeRecord(input, decided.batch.bytes(), decided.outcome.facts);
    size = record.size();
    benchmark::DoNotOptimize(record);
  }
  CountAlerts(state, kBatch);
  state.counters["bytes_per_alert"] = static_cast<double>(size) / kBatch;
  if (!known) decided.Undo();
}
BENCHMARK_CAPTURE(Encode, new, false)->Name("encode_new");
BENCHMARK_CAPTURE(Encode, repeat, true)->Name("encode_repeat");

void Decode(benchmark::State& state) {
  Decided decided(false);
  const std::string record = codec::EncodeRecord(Tenant::InputOf(decided.batch),
                                                 decided.batch.bytes(), decided.outcome.facts);
  decided.Undo();
  const core::IdentityKey key = BenchKey();
  for (auto unused : state) {
    auto decoded = codec::DecodeRecord(record, key);
    TANDEM_CHECK(decoded.ok(), MessageOf(decoded.status()));
    benchmark::DoNotOptimize(decoded);
  }
  CountAlerts(state, kBatch);
}
BENCHMARK(Decode)->Name("decode_new");

// The rows of the read model of one record. Argument: whether each alert has an incident of its
// own; else all of them share one.
void Project(benchmark::State& state) {
  Tenant& tenant = TenantOf({.rules = 1,
                             .incidents = state.range(0) == 0 ? 1u : kBatch,
                             .jobs = 1,
                             .active = std::uint64_t{kBatch}});
  codec::ReadBatch batch = tenant.Read(tenant.NextNew());
  const core::Outcome outcome = tenant.Take(batch);
  std::size_t rows = 0;
  for (auto unused : state) {
    journal::Commit commit;
    codec::Projection projection(commit);
    projection.AddRecord(tenant.state, outcome.facts);
    projection.Finish();
    rows = commit.incidents.size() + commit.events.size();
    benchmark::DoNotOptimize(commit);
  }
  CountAlerts(state, kBatch);
  state.counters["rows"] = static_cast<double>(rows);
  (void)tenant.Clear(batch);
}
BENCHMARK(Project)->Name("project")->ArgName("spread")->Arg(0)->Arg(1);

void SnapshotEncode(benchmark::State& state) {
  const Tenant& tenant = TenantOf({});
  std::size_t size = 0;
  for (auto unused : state) {
    const std::string bytes = codec::EncodeSnapshot(tenant.state);
    size = bytes.size();
    benchmark::DoNotOptimize(bytes);
  }
  CountAlerts(state, tenant.state.alerts.size());
  state.counters["bytes_per_alert"] =
      static_cast<double>(size) / static_cast<double>(tenant.state.alerts.size());
}
BENCHMARK(SnapshotEncode)->Name("snapshot_encode")->Unit(benchmark::kMillisecond);

void SnapshotDecode(benchmark::State& state) {
  const Tenant& tenant = TenantOf({});
  const std::string bytes = codec::EncodeSnapshot(tenant.state);
  for (auto unused : state) {
    core::TenantState decoded;
    decoded.tenant = tenant.state.tenant;
    decoded.key = tenant.state.key;
    const absl::Status status = codec::DecodeSnapshot(bytes, decoded);
    TANDEM_CHECK(status.ok(), MessageOf(status));
    TANDEM_CHECK(decoded.alerts.size() == tenant.state.alerts.size(), "all are back");
  }
  CountAlerts(state, tenant.state.alerts.size());
}
BENCHMARK(SnapshotDecode)->Name("snapshot_decode")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tandem::bench
