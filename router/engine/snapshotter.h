// Writes snapshots beside the running engine: folds the journal once more with a reader of its own,
// so that the writer never stands still for it, and so that every snapshot was made by the very
// code that recovers. Costs the memory of a second state of one tenant while it runs.
//
// Threads: one of its own (`snapshotter`); OnCommitted comes from the engine's.
#pragma once

#include <absl/time/time.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "router/engine/engine.h"

namespace tandem::engine {

struct SnapshotterOptions {
  journal::Journal* journal = nullptr;            // outlives it
  const journal::SnapshotStore* store = nullptr;  // outlives it
  core::IdentityKey key = {};
  // A tenant is due when its records since the last snapshot hold as many bytes …
  std::uint64_t bytes_between = 256 << 20;  // ≈ 800,000 new alerts, folded in about three seconds
  // … or there are as many of them …
  std::uint64_t records_between = 200'000;
  // … but no sooner after the snapshot before, of whichever tenant: a fold costs about as much as
  // the decisions did, and in a storm the machine has better things to do.
  absl::Duration rest_between = absl::Minutes(1);
  std::function<void(const TenantId&, const absl::Status&)> on_done;  // for the log; may be empty
};

class Snapshotter final : public CommitSink {
 public:
  explicit Snapshotter(SnapshotterOptions options);
  ~Snapshotter() override;

  void OnCommitted(const std::shared_ptr<const journal::Commit>& commit) override;

  // Makes a tenant due now, whatever was recorded. Thread-safe.
  void Demand(const TenantId& tenant);

  // Folds a tenant and writes its snapshot now, on the caller's thread.
  absl::Status Write(const TenantId& tenant);

  void Stop();

 private:
  struct Growth {
    std::uint64_t bytes = 0;
    std::uint64_t records = 0;
  };

  void Loop();
  absl::Status CountWhatIsThere();
  std::map<TenantId, Growth>::iterator FindDue();
  bool IsDue(const Growth& growth) const;

  const SnapshotterOptions options_;
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::map<TenantId, Growth> growth_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tandem::engine
