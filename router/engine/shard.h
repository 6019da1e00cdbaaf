// The state of a shard and how a group of commands becomes one commit. No thread and no waiting of
// its own, so that tests and simulations drive it directly.
//
// One thread at a time.
#pragma once

#include <absl/container/btree_set.h>
#include <absl/status/status.h>
#include <absl/time/time.h>

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "router/core/installation.h"
#include "router/core/state.h"
#include "router/engine/command.h"
#include "router/journal/journal.h"
#include "router/journal/snapshot_store.h"

namespace tandem::codec {
class Projection;
}

namespace tandem::engine {

struct ShardOptions {
  absl::Duration resolve_timeout = absl::Minutes(5);
  // When the router started: the age of a context that was not heard of since (core::ContextAge).
  absl::Time started = absl::UnixEpoch();
  core::IdentityKey key = {};
};

// Folds the journal of one tenant: the newest snapshot and the records after it.
// DATA_LOSS, UNIMPLEMENTED or FAILED_PRECONDITION when the history cannot be read.
absl::StatusOr<std::unique_ptr<core::TenantState>> RecoverTenant(
    const TenantId& tenant, const core::IdentityKey& key, journal::Reader& reader,
    const journal::SnapshotStore* snapshots);

// The playbook of a tenant that has none yet: everything goes to the provider's team `noc`, which
// has no contacts, so that alerts are kept and shown from the first minute.
std::shared_ptr<const playbook::Playbook> DefaultPlaybook(const TenantId& tenant);

class Shard {
 public:
  explicit Shard(ShardOptions options) : options_(options) {}

  // Reads everything back. Once, before anything else.
  absl::Status Recover(journal::Reader& reader, const journal::SnapshotStore* snapshots);

  // Everything that one group writes and answers. The answers may be given only once `commit` is
  // durable; if it cannot be, the shard must be thrown away and recovered.
  struct Group {
    journal::Commit commit;
    std::vector<std::pair<Done, absl::StatusOr<Reply>>> answers;
    bool installation_changed = false;
  };

  // Decides what time and `commands` bring, at `now` or at the last known time if that is later.
  Group Run(std::span<Command> commands, absl::Time now);

  // Whether `request` only asks for what people read, which goes on while nothing can be written.
  static bool IsRead(const Request& request);
  // Answers a command that only reads. REQUIRES: IsRead.
  absl::StatusOr<Reply> Read(const Command& command) const;

  // Reports are taken again since `now`: the process has started, the disk has room again, or the
  // machine stood still. No alert ends before those who report had a whole resolve timeout to say
  // that it fires.
  void Resume(absl::Time now) { resumed_ = now; }

  // The earliest deadline of all tenants.
  std::optional<absl::Time> NextDeadline() const;

  const core::InstallationState& installation() const { return installation_; }
  // nullptr when there is none.
  const core::TenantState* FindTenant(const TenantId& tenant) const;

  // What all tenants hold together.
  struct Totals {
    std::uint64_t alerts = 0;
    std::uint64_t incidents = 0;
    std::uint64_t deliveries = 0;
  };
  const Totals& totals() const { return totals_; }

  // Of the last group, or of the last record before the start.
  absl::Time last_time() const { return last_time_; }

  // Notes that the context service was heard of for a tenant (see core::ContextAge).
  void ContextHeard(const TenantId& tenant, absl::Time at);
  // All that was so noted. No part of what is durable: a shard that replaces another one of this
  // process is told it again.
  const std::map<TenantId, absl::Time>& context_heard() const { return context_heard_; }

 private:
  struct Work;

  void RunResumption(absl::Time resumed, Work& work);
  void RunDeadlines(Work& work);
  absl::StatusOr<Reply> RunCommand(Command& command, Work& work);
  absl::StatusOr<Reply> RunInstallation(const core::InstallationInput& input, Work& work);
  void Record(core::TenantState& state, const core::Input& input, std::string_view bytes,
              const core::Facts& facts, Work& work);
  void AddRow(const TenantId& tenant, Sequence sequence, std::string body, Work& work);
  void AddTenant(const TenantId& tenant);
  // Takes over a tenant's next deadline and its part of the totals. After each change.
  void TakeOver(const core::TenantState& state);
  core::ContextAge ContextAge(const TenantId& tenant, absl::Time now) const;

  ShardOptions options_;
  core::InstallationState installation_;
  std::map<TenantId, std::unique_ptr<core::TenantState>> tenants_;
  absl::btree_set<std::pair<absl::Time, TenantId>> deadlines_;
  struct Taken {
    std::optional<absl::Time> deadline;  // as it stands in deadlines_
    Totals part;                         // of totals_
  };
  std::map<TenantId, Taken> taken_;
  Totals totals_;
  std::map<TenantId, absl::Time> context_heard_;
  absl::Time last_time_ = absl::UnixEpoch();
  std::optional<absl::Time> resumed_;  // and nothing was run since
};

}  // namespace tandem::engine
