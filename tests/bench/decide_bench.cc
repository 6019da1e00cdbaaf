// What deciding costs: new alerts and repeats, against rules and against active alerts. Step
// decides and applies; `apply` is the second half alone.
//
// A new alert is cleared again outside of the measured time, so that the table keeps its size.
#include "router/base/check.h"
#include "tests/bench/bench_tenant.h"

namespace tandem::bench {
namespace {

TenantShape ShapeOf(const benchmark::State& state) {
  return {.rules = static_cast<std::uint32_t>(state.range(0)),
          .incidents = static_cast<std::uint32_t>(state.range(1)),
          .jobs = static_cast<std::uint32_t>(state.range(2)),
          .active = static_cast<std::uint64_t>(state.range(3))};
}

void DecideNew(benchmark::State& state) {
  Tenant& tenant = TenantOf(ShapeOf(state));
  for (auto unused : state) {
    codec::ReadBatch batch = tenant.Read(tenant.NextNew());
    Timed timed(state);
    const core::Outcome outcome = tenant.Take(batch);
    timed.Stop();
    TANDEM_CHECK(outcome.facts.size() == kBatch, "each alert fired and opened nothing");
    (void)tenant.Clear(batch);
  }
  CountAlerts(state, kBatch);
}

void DecideRepeat(benchmark::State& state) {
  Tenant& tenant = TenantOf(ShapeOf(state));
  for (auto unused : state) {
    const codec::ReadBatch batch = tenant.Read(tenant.NextKnown());
    Timed timed(state);
    const core::Outcome outcome = tenant.Take(batch);
    timed.Stop();
    TANDEM_CHECK(outcome.facts.size() == kBatch, "each alert was refreshed");
  }
  CountAlerts(state, kBatch);
}

// Two tenants with one history: the first decides, the second only applies.
void Apply(benchmark::State& state) {
  static Tenant decides({});
  static Tenant applies({});
  for (auto unused : state) {
    codec::ReadBatch batch = decides.Read(decides.NextNew());
    const auto follow = [&](const core::Outcome& outcome) {
      core::Replay(applies.state, Tenant::InputOf(batch), outcome.facts,
                   decides.state.last_sequence, absl::FromUnixMicros(decides.state.last_time));
    };
    const core::Outcome fired = decides.Take(batch);
    Timed timed(state);
    follow(fired);
    timed.Stop();
    follow(decides.Clear(batch));
  }
  CountAlerts(state, kBatch);
}

void RuleShapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"rules", "incidents", "jobs", "active"})->UseManualTime();
  // The same alerts under playbooks of different size, then with less of all.
  for (const std::int64_t rules : {10, 1'000, 10'000}) {
    benchmark->Args({rules, 10'000, 10'000, 100'000});
  }
  benchmark->Args({10, 10, 10, 100'000});
}
void ActiveShapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"rules", "incidents", "jobs", "active"})->UseManualTime();
  for (const std::int64_t active : {10'000, 100'000, 1'000'000}) {
    benchmark->Args({10, 1'000, 10, active});
  }
}
BENCHMARK(DecideNew)->Name("decide_new")->Apply(RuleShapes)->Apply(ActiveShapes);
BENCHMARK(DecideRepeat)->Name("decide_repeat")->Apply(ActiveShapes);
BENCHMARK(Apply)->Name("apply")->UseManualTime();

}  // namespace
}  // namespace tandem::bench
