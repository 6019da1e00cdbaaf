// What walking through costs: a year of escalations of one incident, and a thousand scenarios on
// two threads as `tandem playbook test` runs them.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <atomic>
#include <thread>
#include <vector>

#include "router/base/check.h"
#include "router/playbook/parse.h"
#include "router/replay/verdict.h"
#include "router/replay/walk.h"

namespace tandem::bench {
namespace {

constexpr char kPlaybook[] = R"(playbook: 1
tenant: t
contacts:
  ann: {side: provider, webhook: {url: "https://hooks.example/ann"}}
  cat: {side: customer, webhook: {url: "https://hooks.example/cat"}}
teams:
  noc: {side: provider, contacts: [ann]}
  plant: {side: customer, contacts: [cat]}
escalations:
  usual: {steps: [{after: 0s, notify: [noc]}, {after: 15m, notify: [plant, noc]}], repeat: 2}
last_resort: cat
rules:
  - {name: rest, owner: noc, handling: autonomous, escalation: usual, reason: Of the benchmark.}
)";

replay::World TheWorld() {
  replay::World world{playbook::CompilePlaybook(kPlaybook).playbook, {}};
  TANDEM_CHECK(world.playbook != nullptr, "the playbook compiles");
  return world;
}

std::vector<replay::Scenario> Read(const std::string& source) {
  const replay::Scenarios read = replay::ReadScenarios(source);
  TANDEM_CHECK(!read.has_errors && !read.scenarios.empty(), "the scenarios can be read");
  return read.scenarios;
}

void WalkYear(benchmark::State& state) {
  const replay::World world = TheWorld();
  const auto scenarios = Read(
      "scenarios:\n  - {name: a, start: 2026-01-01 00:00 UTC, steps: [{at: 0s, alert: {a: b}}], "
      "until: 365d}\n");
  std::size_t lines = 0;
  for (auto unused : state) lines = replay::Walk(world, scenarios[0]).lines.size();
  TANDEM_CHECK(lines > 17'000, "every half hour somebody is told");
}

void WalkThousand(benchmark::State& state) {
  const replay::World world = TheWorld();
  std::string source = "scenarios:\n";
  for (int i = 0; i < 1'000; ++i) {
    source += fmt::format(
        "  - {{name: s-{0}, start: 2026-03-02 12:00 UTC, steps: [{{at: 0s, alert: {{a: b, n: "
        "s{0}}}}}, {{at: 1h, acknowledge: {{by: eva, side: customer}}}}], expect: [\"+10s told ann "
        "(noc, step 1)\"]}}\n",
        i);
  }
  for (auto unused : state) {
    const auto scenarios = Read(source);  // a part of what one waits for
    std::atomic<std::size_t> next{0};
    std::atomic<std::size_t> green{0};
    std::vector<std::jthread> threads;
    threads.reserve(2);
    for (int t = 0; t < 2; ++t) {
      threads.emplace_back([&] {
        for (std::size_t i = next++; i < scenarios.size(); i = next++) {
          const replay::Story story = replay::Walk(world, scenarios[i]);
          if (replay::Judge(scenarios[i], story).green()) ++green;
        }
      });
    }
    threads.clear();
    TANDEM_CHECK(green == scenarios.size(), "all of them are green");
  }
}

BENCHMARK(WalkYear)->Name("walk_year");
BENCHMARK(WalkThousand)->Name("walk_thousand")->UseRealTime();

}  // namespace
}  // namespace tandem::bench
