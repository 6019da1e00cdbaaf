// What the disk alone can do: appends of groups of records, each group made durable.
#pragma once

#include <absl/status/statusor.h>

#include <chrono>
#include <string>
#include <vector>

#include "tools/load/figures.h"

namespace tandem::load {

struct FsyncOptions {
  std::string directory = ".";  // a file is made there, and removed at the end
  std::vector<std::uint32_t> groups = {16, 64, 256, 512, 4096};  // records a group
  std::uint32_t record_bytes = 300;
  std::chrono::milliseconds duration{1000};  // of each group size
  // Write over a file that has its size already, instead of making it longer.
  bool preallocate = false;
};

// For each group size: p50 and p99 of write + fdatasync, and records a second.
absl::StatusOr<Json> RunFsync(const FsyncOptions& options);

}  // namespace tandem::load
