// Removes what is older than the retention from the journal, and only what nobody needs any more.
//
// A record goes when it is older than the retention, an older snapshot than the newest stands
// behind it (so that one damaged file costs nothing), and nothing that is still there points at it:
// no incident that lists show, no active alert, no open delivery. The records in which a playbook
// went live, and those that the context follows from, stay: they are few, and without them the rest
// could not be explained. Resolved incidents leave the lists when they are as old.
//
// Works in slices of at most 256 records and 4 MiB, with a pause after each, so that the writer
// never stands still. Threads: one of its own (`retention`); the engine's makes the cuts.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "router/base/clock.h"
#include "router/core/identity.h"
#include "router/engine/engine.h"
#include "router/journal/journal.h"
#include "router/journal/snapshot_store.h"

namespace tandem::engine {

struct RetentionOptions {
  const Clock* clock = nullptr;                   // says what is old; outlives it
  journal::Journal* journal = nullptr;            // outlives it
  const journal::SnapshotStore* store = nullptr;  // outlives it
  Engine* engine = nullptr;                       // outlives it
  core::IdentityKey key = {};
  absl::Duration keep = absl::Hours(400 * 24);  // absl::InfiniteDuration(): everything for ever
  // How long after the start the tenants are looked at first, how often after that, and how long
  // between two slices. Not by `clock`.
  absl::Duration first = absl::Minutes(1);
  absl::Duration every = absl::Hours(6);
  absl::Duration pause = absl::Milliseconds(50);
  // Asked when history could go but no snapshot stands behind it.
  std::function<void(const TenantId&)> need_snapshot;
  // Told of each tenant of which something went, or could not; for the log and metrics. May be
  // empty.
  std::function<void(const TenantId&, const absl::StatusOr<journal::CutCounts>&)> on_done;
};

class Retention {
 public:
  explicit Retention(RetentionOptions options);
  // Stops.
  ~Retention();
  Retention(const Retention&) = delete;
  Retention& operator=(const Retention&) = delete;

  // Prunes a tenant now, on the caller's thread. UNAVAILABLE when the engine or this stops before
  // the end; what is gone until then is gone.
  absl::StatusOr<journal::CutCounts> Prune(const TenantId& tenant);

  // From the next tenant on, in place of RetentionOptions::keep. Thread-safe.
  void SetKeep(absl::Duration keep);

  // Ends after the slice at hand. Idempotent.
  void Stop();

 private:
  void Loop();
  // False when it stops before.
  bool Wait(absl::Duration duration);
  bool stopping() const;
  absl::StatusOr<journal::CutCounts> MakeCut(journal::Cut cut);

  const RetentionOptions options_;
  mutable std::mutex mutex_;  // guards the two below
  std::condition_variable changed_;
  absl::Duration keep_;
  bool stopping_ = false;
  std::mutex join_mutex_;  // guards the joining of thread_
  std::thread thread_;
};

}  // namespace tandem::engine
