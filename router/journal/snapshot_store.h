// Snapshots of a tenant's state as files: what start-up folds before the tail of the journal.
//
// A snapshot is only ever a short cut: when it is missing or damaged the journal tells the same
// story from further back. The newest two of each tenant are kept. Used by one thread at a time;
// Save takes its time (compression and two fsyncs), so the engine calls it from another thread than
// its own.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <vector>

#include "router/journal/journal.h"

namespace tandem::journal {

struct Snapshot {
  TenantId tenant = {};
  Sequence sequence = {};    // of the last record that it contains
  Hash hash = {};            // of that record: must be that of the journal's record
  std::string payload = {};  // at most 4 GiB
};

class SnapshotStore {
 public:
  // Keeps its files in `{folder}/snapshots`, which it creates.
  static absl::StatusOr<SnapshotStore> Open(const std::string& folder);

  // Durable when it returns OK; then removes what is older than the newest two. INVALID_ARGUMENT
  // for a payload above 4 GiB; DISK_FULL when there is no room, with nothing left behind. REQUIRES:
  // the tenant id has 1–63 bytes of [a-z0-9-].
  absl::Status Save(const Snapshot& snapshot) const;

  struct Loaded {
    std::optional<Snapshot> snapshot;   // the newest that is whole
    std::vector<absl::Status> skipped;  // newer ones that are damaged: DATA_LOSS names the file
  };
  // The newest, or the newest that is older than `before`. An error only when the folder cannot be
  // read.
  absl::StatusOr<Loaded> Load(const TenantId& tenant,
                              std::optional<Sequence> before = std::nullopt) const;

  // Up to where its snapshots go, by their names alone; newest first.
  absl::StatusOr<std::vector<Sequence>> List(const TenantId& tenant) const;

 private:
  explicit SnapshotStore(std::string folder) : folder_(std::move(folder)) {}
  std::string PathOf(const TenantId& tenant, Sequence sequence) const;

  std::string folder_;
};

}  // namespace tandem::journal
