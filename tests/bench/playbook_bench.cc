// Which rule an alert meets, and whether a calendar is on.
#include <vector>

#include "router/base/check.h"
#include "router/playbook/calendar.h"
#include "router/playbook/playbook.h"
#include "tests/bench/bench_tenant.h"

namespace tandem::bench {
namespace {

// Alerts that spread over all rules. Argument: rules.
template <typename Match>
void ForSpreadAlerts(benchmark::State& state, const Match& match) {
  const auto rules = static_cast<std::uint32_t>(state.range(0));
  const auto playbook = PlaybookOf(rules);
  std::vector<codec::ReadBatch> batches;
  Batches source(kBatch, rules, rules);
  for (std::uint64_t first = 0; first < 10'000; first += kBatch) {
    auto batch = codec::ReadAlertBatch(source.At(first), BenchKey(), absl::UnixEpoch());
    TANDEM_CHECK(batch.ok(), "our own bytes");
    batches.push_back(*std::move(batch));
  }
  std::size_t next = 0;
  for (auto unused : state) {
    for (const core::AlertItem& item : batches[next].items) {
      benchmark::DoNotOptimize(match(*playbook, item.labels));
    }
    next = (next + 1) % batches.size();
  }
  CountAlerts(state, kBatch);
}

void MatchRule(benchmark::State& state) {
  ForSpreadAlerts(state, [](const playbook::Playbook& playbook, playbook::LabelsView labels) {
    return playbook.MatchRule(labels, {}, absl::UnixEpoch()).rule;
  });
}
BENCHMARK(MatchRule)->Name("match")->ArgName("rules")->Arg(10)->Arg(1'000)->Arg(10'000);

// Rule by rule, as without an index.
void MatchByScan(benchmark::State& state) {
  ForSpreadAlerts(state, [](const playbook::Playbook& playbook, playbook::LabelsView labels) {
    return playbook.MatchByScan(labels, {}, absl::UnixEpoch()).rule;
  });
}
BENCHMARK(MatchByScan)->Name("match_by_scan")->ArgName("rules")->Arg(10)->Arg(1'000);

playbook::Calendar ProductionShift() {
  auto calendar = playbook::Calendar::Compile(
      {.location = "America/Chicago",
       .intervals = {{.times = {"06:00-14:00", "22:00-06:00"}, .weekdays = {"monday:friday"}},
                     {.times = {"08:00-12:00"}, .days_of_month = {"-3:-1"}}}});
  TANDEM_CHECK(calendar.ok(), "a shift like any other");
  return *std::move(calendar);
}

void CalendarIsOn(benchmark::State& state) {
  const playbook::Calendar calendar = ProductionShift();
  absl::Time now = absl::FromUnixSeconds(1'780'315'200);
  for (auto unused : state) {
    benchmark::DoNotOptimize(calendar.IsOn(now));
    now += absl::Minutes(7);
  }
}
BENCHMARK(CalendarIsOn)->Name("calendar_is_on");

void CalendarNextChange(benchmark::State& state) {
  const playbook::Calendar calendar = ProductionShift();
  absl::Time now = absl::FromUnixSeconds(1'780'315'200);
  for (auto unused : state) {
    benchmark::DoNotOptimize(calendar.NextChange(now));
    now += absl::Minutes(7);
  }
}
BENCHMARK(CalendarNextChange)->Name("calendar_next_change");

}  // namespace
}  // namespace tandem::bench
