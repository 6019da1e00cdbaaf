#include "tools/load/fsync_mode.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "router/base/status.h"
#include "tools/agent/disk.h"

namespace tandem::load {
namespace {

constexpr std::uint64_t kPreallocated = 64u << 20;

// Removes the file at the end, whatever happens.
struct Scratch {
  std::string path;
  client::FileHandle file;
  ~Scratch() { ::unlink(path.c_str()); }
};

absl::Status Preallocate(const Scratch& scratch) {
  // Written, not only reserved: the first write to a reserved block changes metadata, too.
  const std::string zeros(1u << 20, '\0');
  for (std::uint64_t at = 0; at < kPreallocated; at += zeros.size()) {
    TANDEM_RETURN_IF_ERROR(client::WriteAt(scratch.file, scratch.path, at, zeros));
  }
  return client::SyncFile(scratch.file, scratch.path);
}

absl::StatusOr<Json> RunGroup(const FsyncOptions& options, std::uint32_t group) {
  Scratch scratch{.path = fmt::format("{}/tandem-load-{}.tmp", options.directory, ::getpid()),
                  .file = {}};
  TANDEM_ASSIGN_OR_RETURN(scratch.file, client::OpenFile(scratch.path, O_RDWR | O_CREAT | O_TRUNC));
  if (options.preallocate) TANDEM_RETURN_IF_ERROR(Preallocate(scratch));
  const std::string bytes(std::size_t{group} * options.record_bytes, 'x');
  Latencies latencies;
  std::uint64_t at = 0;
  const SteadyTime begin = SteadyNow();
  SteadyTime now = begin;
  while (now < begin + options.duration) {
    if (options.preallocate && at + bytes.size() > kPreallocated) at = 0;
    const SteadyTime before = now;
    TANDEM_RETURN_IF_ERROR(client::WriteAt(scratch.file, scratch.path, at, bytes));
    TANDEM_RETURN_IF_ERROR(client::SyncFile(scratch.file, scratch.path));
    at += bytes.size();
    now = SteadyNow();
    latencies.Add(now - before);
  }
  const double records = static_cast<double>(latencies.count()) * group;
  return Json{{"group", group},
              {"bytes", bytes.size()},
              {"commit", latencies.Figures()},
              {"records_per_second", records / Seconds(now - begin)}};
}

}  // namespace

absl::StatusOr<Json> RunFsync(const FsyncOptions& options) {
  Json groups = Json::array();
  for (const std::uint32_t group : options.groups) {
    TANDEM_ASSIGN_OR_RETURN(Json figures, RunGroup(options, group));
    groups.push_back(std::move(figures));
  }
  return Json{{"mode", "fsync"},
              {"directory", options.directory},
              {"record_bytes", options.record_bytes},
              {"file", options.preallocate ? "preallocated" : "growing"},
              {"groups", std::move(groups)}};
}

}  // namespace tandem::load
