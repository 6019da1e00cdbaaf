// The one writer of a shard: takes what the mailbox holds, decides it, commits it with one fsync,
// and only then answers.
//
// Threads: one thread of its own (`engine`) owns the shard. Submit, Prune, ContextHeard,
// Installation, health and Stop may be called from any thread.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "router/base/clock.h"
#include "router/engine/command.h"
#include "router/engine/mailbox.h"
#include "router/engine/shard.h"
#include "router/journal/journal.h"
#include "router/journal/snapshot_store.h"

namespace tandem::engine {

// Told of every commit once it is durable, on the engine's thread; must return soon.
class CommitSink {
 public:
  virtual ~CommitSink() = default;
  // What is being made durable right now: it may be prepared, but nobody may be told. OnCommitted
  // with the same pointer follows, or nothing when it could not be written.
  virtual void OnDecided(const std::shared_ptr<const journal::Commit>& /*commit*/) {}
  virtual void OnCommitted(const std::shared_ptr<const journal::Commit>& commit) = 0;
};

enum class EngineHealth {
  kServing,
  kReadOnly,  // the disk is nearly full: input is refused, reads go on
  kStopping,
  kFailed,  // a commit failed: the process must end and recover
};

// What the engine has done so far; for metrics. Every field only rises, but for the last four.
struct EngineCounters {
  std::atomic<std::uint64_t> groups{0};
  std::atomic<std::uint64_t> records{0};
  std::atomic<std::uint64_t> alerts{0};
  std::atomic<std::uint64_t> alerts_refused{0};
  std::atomic<std::uint64_t> append_nanoseconds{0};
  std::atomic<std::uint64_t> mailbox_refused{0};
  std::atomic<std::uint64_t> pruned_records{0};
  std::atomic<std::uint64_t> active_alerts{0};
  std::atomic<std::uint64_t> incidents{0};
  std::atomic<std::uint64_t> open_deliveries{0};
  std::atomic<std::int64_t> clock_behind_microseconds{0};  // behind the time of the last record
};

struct EngineOptions {
  const Clock* clock = nullptr;  // outlives the engine
  // Time that only ever runs on, from any beginning: while the clock is behind what it has shown
  // before (somebody set it back), this carries on in its place, so that people are still told.
  // Empty: the machine's steady clock.
  absl::AnyInvocable<absl::Duration() const> monotonic;
  ShardOptions shard;
  Mailbox::Limits mailbox;
  // What one commit takes at most: more makes the fsync cheaper and the wait longer.
  std::size_t group_commands_max = 64;
  std::size_t group_bytes_max = 4 << 20;
  // Free bytes on the journal's file system; below `min_free_disk` input is refused. Empty: not
  // watched.
  absl::AnyInvocable<std::uint64_t() const> free_disk;
  std::uint64_t min_free_disk = 64 << 20;
  const journal::SnapshotStore* snapshots = nullptr;  // may be null; outlives the engine
  std::vector<CommitSink*> sinks;                     // outlive the engine
  // Called once when a commit has failed, on the engine's thread; must end the process soon.
  absl::AnyInvocable<void(const absl::Status&)> on_fatal;
};

class Engine {
 public:
  // Recovers the shard and starts the thread. `journal` outlives the engine.
  static absl::StatusOr<std::unique_ptr<Engine>> Start(journal::Journal* journal,
                                                       EngineOptions options);
  ~Engine();

  // Queues a command; `done` is called exactly once, on the engine's thread, or here with
  // RESOURCE_EXHAUSTED (mailbox full), UNAVAILABLE (stopping, failed or read-only).
  void Submit(Command command);

  // Has the journal cut by its one writer, between two groups; a cut of 256 records holds up the
  // next group for about as long as a commit takes. `done` is called exactly once, on the engine's
  // thread with what Journal::Prune says, or with UNAVAILABLE (stopping or failed) on any. An error
  // but DISK_FULL is final, as that of a commit. REQUIRES: the cut before is done.
  using CutDone = absl::AnyInvocable<void(absl::StatusOr<journal::CutCounts>)>;
  void Prune(journal::Cut cut, CutDone done);

  // From the next look at the disk on, in place of EngineOptions::min_free_disk.
  void SetMinFreeDisk(std::uint64_t bytes) { min_free_disk_ = bytes; }

  // Notes that the context service was heard of just now.
  void ContextHeard(const TenantId& tenant);

  // The installation as it is committed; never null.
  std::shared_ptr<const core::InstallationState> Installation() const;

  EngineHealth health() const { return health_.load(); }
  const EngineCounters& counters() const { return counters_; }
  std::size_t mailbox_size() const { return mailbox_.size(); }
  const core::IdentityKey& identity_key() const { return options_.shard.key; }

  // Looks at the clock again: a test has moved it.
  void Wake() { mailbox_.Wake(); }

  // Refuses new commands, works off what is queued, ends the thread. Idempotent.
  void Stop();

 private:
  Engine(journal::Journal* journal, EngineOptions options);

  void Loop();
  void RunGroup(std::vector<Command> commands);
  void Commit(Shard::Group group);
  void RunCut();
  void EndCuts();
  absl::Duration UntilNextDeadline();
  absl::Time Now();
  bool DiskIsFull();
  absl::Status Rebuild();
  void Fail(const absl::Status& status);
  void PublishInstallation();
  void UpdateGauges();
  absl::Status Refusal() const;

  journal::Journal* const journal_;
  EngineOptions options_;
  Mailbox mailbox_;
  std::unique_ptr<Shard> shard_;
  std::atomic<EngineHealth> health_{EngineHealth::kServing};
  EngineCounters counters_;
  std::atomic<std::uint64_t> min_free_disk_;
  absl::Time next_disk_look_ = absl::InfinitePast();
  absl::Time now_ = absl::InfinitePast();  // as it was last read …
  absl::Duration monotonic_at_;            // … and when
  bool disk_full_ = false;

  mutable std::mutex shared_mutex_;  // guards the four below
  std::shared_ptr<const core::InstallationState> installation_;
  std::map<TenantId, absl::Time> context_heard_;
  std::optional<std::pair<journal::Cut, CutDone>> cut_;
  bool cuts_ended_ = false;

  std::mutex stop_mutex_;  // guards the joining of thread_
  std::thread thread_;
};

}  // namespace tandem::engine
