#include "router/engine/snapshotter.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "router/base/status.h"
#include "router/codec/snapshot.h"

namespace tandem::engine {
namespace {

constexpr int kNiceness = 10;  // about a tenth of a normal thread's share

}  // namespace

Snapshotter::Snapshotter(SnapshotterOptions options) : options_(std::move(options)) {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "snapshotter");
    // Linux counts niceness by thread. Without it the fold takes the writer's share of a busy
    // machine; that it is refused costs no more than that.
    setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNiceness);
    Loop();
  });
}

Snapshotter::~Snapshotter() { Stop(); }

bool Snapshotter::IsDue(const Growth& growth) const {
  return growth.bytes >= options_.bytes_between || growth.records >= options_.records_between;
}

void Snapshotter::OnCommitted(const std::shared_ptr<const journal::Commit>& commit) {
  bool due = false;
  {
    std::lock_guard lock(mutex_);
    for (const journal::RecordRow& record : commit->records) {
      if (record.tenant == core::kInstallation) continue;
      Growth& growth = growth_[record.tenant];
      growth.bytes += record.body.size();
      ++growth.records;
      due = due || IsDue(growth);
    }
  }
  if (due) changed_.notify_one();
}

void Snapshotter::Demand(const TenantId& tenant) {
  {
    std::lock_guard lock(mutex_);
    growth_[tenant].records = options_.records_between;
  }
  changed_.notify_one();
}

std::map<TenantId, Snapshotter::Growth>::iterator Snapshotter::FindDue() {
  return std::find_if(growth_.begin(), growth_.end(),
                      [this](const auto& entry) { return IsDue(entry.second); });
}

// What was written since the last snapshots by the processes before this one: a router that is
// started each day must not fold a year. Errors are left to those who read in earnest.
absl::Status Snapshotter::CountWhatIsThere() {
  TANDEM_ASSIGN_OR_RETURN(const auto reader, options_.journal->OpenReader());
  TANDEM_ASSIGN_OR_RETURN(const auto heads, reader->ReadHeads());
  for (const journal::TenantHead& head : heads) {
    if (head.tenant == core::kInstallation) continue;
    TANDEM_ASSIGN_OR_RETURN(const auto known, options_.store->List(head.tenant));
    const std::uint64_t from = known.empty() ? 0 : known.front().value;
    const std::lock_guard lock(mutex_);
    growth_[head.tenant].records += head.sequence.value - std::min(from, head.sequence.value);
  }
  return absl::OkStatus();
}

void Snapshotter::Loop() {
  CountWhatIsThere().IgnoreError();
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stopping_ || FindDue() != growth_.end(); });
    if (stopping_) return;
    const auto due = FindDue();
    const TenantId tenant = due->first;
    growth_.erase(due);
    lock.unlock();
    const absl::Status written = Write(tenant);
    if (options_.on_done) options_.on_done(tenant, written);
    lock.lock();
    changed_.wait_for(lock, absl::ToChronoNanoseconds(options_.rest_between),
                      [this] { return stopping_; });
  }
}

absl::Status Snapshotter::Write(const TenantId& tenant) {
  TANDEM_ASSIGN_OR_RETURN(const auto reader, options_.journal->OpenReader());
  TANDEM_ASSIGN_OR_RETURN(const auto state,
                          RecoverTenant(tenant, options_.key, *reader, options_.store));
  TANDEM_ASSIGN_OR_RETURN(const auto record, reader->ReadRecord(tenant, state->last_sequence));
  if (!record) return absl::OkStatus();  // nothing has happened yet
  return options_.store->Save({.tenant = tenant,
                               .sequence = state->last_sequence,
                               .hash = record->hash,
                               .payload = codec::EncodeSnapshot(*state)});
}

void Snapshotter::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

}  // namespace tandem::engine
