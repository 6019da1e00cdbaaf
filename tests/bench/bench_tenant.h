// What the benchmarks of parts share: the reference alert in batches as agents send them, and a
// tenant with so many rules, incidents and active alerts.
//
// The reference alert has 8 labels and a summary, 272 bytes as protobuf, as that of tandem-load.
// One thread at a time.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "router/codec/alert_reader.h"
#include "router/core/decide.h"

namespace tandem::bench {

// Alerts a batch wherever nothing else is said.
inline constexpr std::uint32_t kBatch = 64;

// A secret like any other; the same in each run, so that runs hash alike.
core::IdentityKey BenchKey();

// An AlertBatch with alerts of consecutive numbers. Alert n is of service n % services and of job
// n % jobs.
class Batches {
 public:
  Batches(std::uint32_t size, std::uint32_t services, std::uint32_t jobs);

  // The batch that begins with alert `first`; valid until the next call.
  const std::string& At(std::uint64_t first);

 private:
  struct Place {
    std::size_t id = 0;
    std::size_t service = 0;
    std::size_t job = 0;
  };
  const std::uint32_t services_;
  const std::uint32_t jobs_;
  std::string bytes_;
  std::vector<Place> places_;
};

struct TenantShape {
  // Rules before the last one, each for the alerts of one job.
  std::uint32_t rules = 10;
  // Services, and so incidents: each rule groups by service.
  std::uint32_t incidents = 1'000;
  // The alerts of jobs without a rule belong to the last rule. `incidents` is a multiple, so that a
  // service is of one job.
  std::uint32_t jobs = 10;
  std::uint64_t active = 100'000;
  friend auto operator<=>(const TenantShape&, const TenantShape&) = default;
};

// The text of the playbook of such a tenant. Its escalations begin after an hour: nobody is told
// anything while it is measured.
std::string PlaybookSource(std::uint32_t rules);
// Compiled, and kept for the next caller: 10,000 rules take a second.
std::shared_ptr<const playbook::Playbook> PlaybookOf(std::uint32_t rules);

class Tenant {
 public:
  // Holds alerts 0 to shape.active - 1.
  explicit Tenant(const TenantShape& shape);

  // Reads the batch of kBatch alerts that begins with alert `first`.
  codec::ReadBatch Read(std::uint64_t first);
  core::Outcome Take(const codec::ReadBatch& batch) {
    return core::Step(state, InputOf(batch), Now());
  }
  // All alerts of the batch end.
  core::Outcome Clear(codec::ReadBatch& batch);

  static core::AlertBatch InputOf(const codec::ReadBatch& batch);
  // A millisecond later than at the last call: time goes on as in an engine that commits.
  absl::Time Now() { return now_ += absl::Milliseconds(1); }

  // The number of an alert that was never there, with room for a batch behind it.
  std::uint64_t NextNew();
  // Goes round the active alerts, batch by batch.
  std::uint64_t NextKnown();

  core::TenantState state;

 private:
  const TenantShape shape_;
  Batches batches_;
  absl::Time now_;
  std::uint64_t next_new_;
  std::uint64_t next_known_ = 0;
};

// The tenant of this shape, made at the first call and kept: the benchmark library calls a
// benchmark several times to find how often it must run.
Tenant& TenantOf(const TenantShape& shape);

// Measures what stands between its begin and Stop as the time of one iteration; what comes before
// and after costs nothing. For benchmarks with UseManualTime.
class Timed {
 public:
  explicit Timed(benchmark::State& state) : state_(state) {}
  void Stop() {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin_;
    state_.SetIterationTime(took.count());
  }

 private:
  benchmark::State& state_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

// Reports `alerts` an iteration: items_per_second is alerts a second.
void CountAlerts(benchmark::State& state, std::uint64_t alerts);

}  // namespace tandem::bench
