// What a durable commit costs: alerts a second, processor time an alert, and the slowest commits.
//
// TANDEM_BENCH_FOLDER names the folder (on the disk that is to be measured); default: the current
// one. The reference alert has 272 bytes. Compare only within a run: a virtual disk varies by 30 %.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <numeric>

#include "router/base/check.h"
#include "router/base/status.h"
#include "router/journal/journal.h"

namespace tandem {
namespace {

constexpr std::size_t kAlertBytes = 272;
const TenantId kTenant("bench");

std::string Folder() {
  const char* folder = std::getenv("TANDEM_BENCH_FOLDER");
  return folder == nullptr ? "." : folder;
}

double ProcessorSeconds() {
  struct rusage usage;
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// A journal in a file of its own, which goes away with it.
class Bench {
 public:
  explicit Bench(std::uint32_t page_bytes) : path_(Folder() + "/journal_bench.db") {
    Remove();
    auto journal = journal::OpenSqliteJournal({.path = path_, .page_bytes = page_bytes});
    TANDEM_CHECK(journal.ok(), MessageOf(journal.status()));
    journal_ = *std::move(journal);
  }
  ~Bench() {
    journal_.reset();
    Remove();
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  journal::Journal& journal() { return *journal_; }

  void Append(const journal::Commit& commit) {
    const auto start = std::chrono::steady_clock::now();
    const absl::Status status = journal_->Append(commit);
    TANDEM_CHECK(status.ok(), MessageOf(status));
    took_.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
            .count());
  }

  void Report(benchmark::State& state, std::size_t alerts) {
    std::ranges::sort(took_);
    const auto part = [&](double share) {
      return took_[static_cast<std::size_t>(share * static_cast<double>(took_.size() - 1))];
    };
    const double seconds = std::accumulate(took_.begin(), took_.end(), 0.0) / 1e3;
    state.counters["alerts/s"] = static_cast<double>(alerts) / seconds;
    state.counters["cpu_us/alert"] =
        1e6 * (ProcessorSeconds() - processor_start_) / static_cast<double>(alerts);
    state.counters["p50_ms"] = part(0.5);
    state.counters["p99_ms"] = part(0.99);
    state.counters["max_ms"] = took_.back();
  }

 private:
  void Remove() {
    for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
      std::filesystem::remove(path_ + suffix);
    }
  }

  const std::string path_;
  std::unique_ptr<journal::Journal> journal_;
  const double processor_start_ = ProcessorSeconds();
  std::vector<double> took_;
};

// Bytes that no file system or disk compresses.
std::string Noise(std::size_t size) {
  std::string noise(size, '\0');
  std::uint64_t state = 1;
  for (char& c : noise) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    c = static_cast<char>(state >> 56);
  }
  return noise;
}

// `incidents` upserts and as many events a commit, spread over 20,000 incidents.
void AddReadModel(journal::Commit& commit, std::uint64_t sequence, std::int64_t incidents) {
  static const std::string incident_body = Noise(400);
  static const std::string event_body = Noise(200);
  commit.incidents.clear();
  commit.events.clear();
  for (std::int64_t i = 0; i < incidents; ++i) {
    const IncidentNumber number((sequence * 7'919 + static_cast<std::uint64_t>(i) * 104'729) %
                                20'000);
    commit.incidents.push_back(
        {.tenant = kTenant,
         .number = number,
         .owner_side = Side::kProvider,
         .owner_team = "noc",
         .rule = "catch-all",
         .updated = absl::FromUnixMicros(static_cast<std::int64_t>(sequence)),
         .body = incident_body});
    commit.events.push_back({.tenant = kTenant,
                             .sequence = Sequence(sequence),
                             .incident = number,
                             .body = event_body});
  }
}

// Arguments: page size, alerts a record, records a commit, incidents changed a commit.
void Append(benchmark::State& state) {
  Bench bench(static_cast<std::uint32_t>(state.range(0)));
  const auto alerts = static_cast<std::size_t>(state.range(1));
  const auto records = static_cast<std::size_t>(state.range(2));
  const std::string body = Noise(alerts * kAlertBytes);
  journal::Commit commit;
  std::uint64_t sequence = 0;
  std::size_t written = 0;
  for (auto unused : state) {
    commit.records.clear();
    for (std::size_t i = 0; i < records; ++i) {
      commit.records.push_back({.tenant = kTenant,
                                .sequence = Sequence(++sequence),
                                .time = absl::FromUnixMicros(static_cast<std::int64_t>(sequence)),
                                .body = body});
    }
    AddReadModel(commit, sequence, state.range(3));
    bench.Append(commit);
    written += alerts * records;
  }
  bench.Report(state, written);
}

void Shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"page", "alerts", "records", "incidents"});
  for (const std::int64_t page : {4096, 8192, 16384}) {
    for (const std::int64_t incidents : {0, 1, 4}) {
      for (const std::int64_t records : {1, 4, 16}) {
        benchmark->Args({page, 64, records, incidents});
      }
      benchmark->Args({page, 512, 1, incidents})->Args({page, 512, 4, incidents});
    }
    benchmark->Args({page, 1, 1, 1})->Args({page, 1, 16, 16});
  }
}

BENCHMARK(Append)->Apply(Shapes)->UseRealTime()->Unit(benchmark::kMillisecond)->MinTime(3);

}  // namespace
}  // namespace tandem

BENCHMARK_MAIN();
