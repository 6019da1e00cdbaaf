// Appending decided batches to a journal, in memory and on the disk. journal_bench has more shapes
// of the latter, with percentiles.
//
// TANDEM_BENCH_FOLDER names the folder, on the disk that is to be measured; default: the current
// one.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "router/base/check.h"
#include "router/base/status.h"
#include "router/codec/record.h"
#include "router/journal/journal.h"
#include "tests/bench/bench_tenant.h"

namespace tandem::bench {
namespace {

// A folder that goes away with the journal in it.
class Folder {
 public:
  Folder() {
    const char* parent = std::getenv("TANDEM_BENCH_FOLDER");
    path_ = fmt::format("{}/append-bench-{}", parent == nullptr ? "." : parent, ::getpid());
    std::filesystem::create_directory(path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string File() const { return path_ + "/journal.db"; }

 private:
  std::string path_;
};

std::string EncodedRecord() {
  Tenant& tenant = TenantOf({});
  codec::ReadBatch batch = tenant.Read(tenant.NextNew());
  const core::Outcome outcome = tenant.Take(batch);
  std::string record = codec::EncodeRecord(Tenant::InputOf(batch), batch.bytes(), outcome.facts);
  (void)tenant.Clear(batch);
  return record;
}

// Argument: records a commit, of kBatch alerts each.
void Append(benchmark::State& state, journal::Journal& journal) {
  const auto records = static_cast<std::uint64_t>(state.range(0));
  const std::string record = EncodedRecord();
  std::uint64_t sequence = 0;
  for (auto unused : state) {
    journal::Commit commit;
    for (std::uint64_t i = 0; i < records; ++i) {
      ++sequence;
      commit.records.push_back({.tenant = TenantId("bench"),
                                .sequence = Sequence(sequence),
                                .time = absl::FromUnixMicros(static_cast<std::int64_t>(sequence)),
                                .body = record});
    }
    Timed timed(state);
    const absl::Status status = journal.Append(commit);
    timed.Stop();
    TANDEM_CHECK(status.ok(), MessageOf(status));
  }
  CountAlerts(state, records * kBatch);
}

void AppendInMemory(benchmark::State& state) {
  const auto journal = journal::NewMemoryJournal();
  Append(state, *journal);
}

void AppendOnDisk(benchmark::State& state) {
  const Folder folder;
  const auto journal = journal::OpenSqliteJournal({.path = folder.File()});
  TANDEM_CHECK(journal.ok(), MessageOf(journal.status()));
  Append(state, **journal);
}

// In memory nothing is ever given back: a fixed number of commits, 16 × 500 × 20 KB = 160 MB.
BENCHMARK(AppendInMemory)
    ->Name("append_memory")
    ->ArgName("records")
    ->Arg(1)
    ->Arg(16)
    ->UseManualTime()
    ->Iterations(500);
BENCHMARK(AppendOnDisk)
    ->Name("append_sqlite")
    ->ArgName("records")
    ->Arg(1)
    ->Arg(4)
    ->Arg(16)
    ->UseManualTime();

}  // namespace
}  // namespace tandem::bench

BENCHMARK_MAIN();
