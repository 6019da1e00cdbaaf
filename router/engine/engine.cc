#include "router/engine/engine.h"

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "router/base/check.h"
#include "router/base/plant.h"
#include "router/base/status.h"

namespace tandem::engine {
namespace {

// While the disk is full, deadlines wait too; it is looked at this often.
constexpr absl::Duration kDiskLookEvery = absl::Seconds(1);
// A caller that is refused for load is told to come back after this: some hundred commits later.
constexpr absl::Duration kRetryDelay = absl::Milliseconds(250);

}  // namespace

absl::StatusOr<std::unique_ptr<Engine>> Engine::Start(journal::Journal* journal,
                                                      EngineOptions options) {
  std::unique_ptr<Engine> engine(new Engine(journal, std::move(options)));
  TANDEM_RETURN_IF_ERROR(engine->Rebuild());
  engine->thread_ = std::thread([raw = engine.get()] {
    pthread_setname_np(pthread_self(), "engine");
    raw->Loop();
  });
  return engine;
}

Engine::Engine(journal::Journal* journal, EngineOptions options)
    : journal_(journal),
      options_(std::move(options)),
      mailbox_(options_.mailbox),
      min_free_disk_(options_.min_free_disk) {
  TANDEM_CHECK(options_.clock != nullptr, "the engine needs a clock");
  options_.shard.started = options_.clock->Now();
  if (!options_.monotonic) {
    options_.monotonic = [] {
      return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
    };
  }
  monotonic_at_ = options_.monotonic();
}

Engine::~Engine() { Stop(); }

absl::Status Engine::Rebuild() {
  auto shard = std::make_unique<Shard>(options_.shard);
  TANDEM_ASSIGN_OR_RETURN(const auto reader, journal_->OpenReader());
  TANDEM_RETURN_IF_ERROR(shard->Recover(*reader, options_.snapshots));
  // A shard that takes the place of one that met a full disk still knows how fresh the context is.
  if (shard_ != nullptr) {
    for (const auto& [tenant, at] : shard_->context_heard()) shard->ContextHeard(tenant, at);
  }
  shard_ = std::move(shard);
  now_ = std::max(now_, shard_->last_time());
  shard_->Resume(Now());
  PublishInstallation();
  UpdateGauges();
  return absl::OkStatus();
}

// Never goes back, and never stands still: deadlines that wait for a clock that was set back by an
// hour would come an hour late.
absl::Time Engine::Now() {
  const absl::Time wall = options_.clock->Now();
  const absl::Duration monotonic = options_.monotonic();
  // The machine was suspended, or its clock set forward: who reports could not, or has had less
  // time than the clock says.
  const absl::Duration leap = wall - now_ - (monotonic - monotonic_at_);
  if (shard_ != nullptr && leap > options_.shard.resolve_timeout / 3) shard_->Resume(wall);
  now_ = wall >= now_ ? wall : now_ + (monotonic - monotonic_at_);
  monotonic_at_ = monotonic;
  counters_.clock_behind_microseconds = absl::ToInt64Microseconds(now_ - wall);
  return absl::FromUnixMicros(absl::ToUnixMicros(now_));  // what is stored is what was decided by
}

void Engine::Submit(Command command) {
  const EngineHealth at = health();
  const bool taken = at == EngineHealth::kServing ||
                     (at == EngineHealth::kReadOnly && Shard::IsRead(command.request));
  if (!taken) {
    std::exchange(command.done, nullptr)(Refusal());
    return;
  }
  if (mailbox_.Push(command)) return;
  ++counters_.mailbox_refused;
  const absl::Status refused =
      mailbox_.closed() ? Refusal()
                        : AddRetry(Error(absl::StatusCode::kResourceExhausted, "OVERLOADED",
                                         "the router has more work than it can queue; try again "
                                         "after the given delay"),
                                   kRetryDelay);
  std::exchange(command.done, nullptr)(refused);
}

absl::Status Engine::Refusal() const {
  switch (health()) {
    case EngineHealth::kReadOnly:
      return AddRetry(Error(absl::StatusCode::kUnavailable, "DISK_FULL",
                            "the router's disk is full: nothing can be made durable, so nothing "
                            "is taken; reads go on. Free some space, then send again"),
                      absl::Seconds(5));
    case EngineHealth::kFailed:
      return AddRetry(Error(absl::StatusCode::kUnavailable, "JOURNAL_FAILED",
                            "the router could not write its journal and is restarting; what was "
                            "not answered must be sent again"),
                      absl::Seconds(1));
    case EngineHealth::kServing:
    case EngineHealth::kStopping:
      break;
  }
  return AddRetry(Error(absl::StatusCode::kUnavailable, "STOPPING",
                        "the router is stopping; send again after the given delay"),
                  absl::Seconds(1));
}

void Engine::ContextHeard(const TenantId& tenant) {
  const absl::Time now = options_.clock->Now();
  std::lock_guard lock(shared_mutex_);
  context_heard_[tenant] = now;
}

std::shared_ptr<const core::InstallationState> Engine::Installation() const {
  std::lock_guard lock(shared_mutex_);
  return installation_;
}

void Engine::Loop() {
  while (health() != EngineHealth::kFailed) {
    std::vector<Command> commands =
        mailbox_.Take(UntilNextDeadline(), options_.group_commands_max, options_.group_bytes_max);
    if (commands.empty() && mailbox_.closed()) break;
    RunGroup(std::move(commands));
    if (health() != EngineHealth::kFailed) RunCut();
  }
  EndCuts();
  // A failed engine answers what is left; a stopped one has worked it off.
  for (;;) {
    std::vector<Command> left =
        mailbox_.Take(absl::ZeroDuration(), options_.group_commands_max, options_.group_bytes_max);
    if (left.empty()) return;
    for (Command& command : left) command.done(Refusal());
  }
}

void Engine::Prune(journal::Cut cut, CutDone done) {
  {
    std::unique_lock lock(shared_mutex_);
    if (cuts_ended_) {
      lock.unlock();
      return done(Refusal());
    }
    TANDEM_CHECK(!cut_, "one cut at a time");
    cut_.emplace(std::move(cut), std::move(done));
  }
  mailbox_.Wake();
}

void Engine::RunCut() {
  std::optional<std::pair<journal::Cut, CutDone>> taken;
  {
    std::lock_guard lock(shared_mutex_);
    std::swap(taken, cut_);
  }
  if (!taken) return;
  absl::StatusOr<journal::CutCounts> counts = journal_->Prune(taken->first);
  if (counts.ok()) counters_.pruned_records += counts->records;
  if (!counts.ok() && !journal::IsDiskFull(counts.status())) Fail(counts.status());
  taken->second(std::move(counts));
}

void Engine::EndCuts() {
  std::optional<std::pair<journal::Cut, CutDone>> left;
  {
    std::lock_guard lock(shared_mutex_);
    cuts_ended_ = true;
    std::swap(left, cut_);
  }
  if (left) left->second(Refusal());
}

absl::Duration Engine::UntilNextDeadline() {
  if (disk_full_) return kDiskLookEvery;
  const auto next = shard_->NextDeadline();
  if (!next) return absl::InfiniteDuration();
  return std::max(absl::ZeroDuration(), *next - Now());
}

bool Engine::DiskIsFull() {
  if (!options_.free_disk && !disk_full_) return false;
  const absl::Time now = options_.clock->Now();
  // A clock that was set back must not stop the looking.
  if (now < next_disk_look_ && next_disk_look_ - now <= kDiskLookEvery && !disk_full_) {
    return false;
  }
  next_disk_look_ = now + kDiskLookEvery;
  // Where nothing tells how much is free, only the next append can find out.
  disk_full_ = options_.free_disk && options_.free_disk() < min_free_disk_;
  EngineHealth expected = disk_full_ ? EngineHealth::kServing : EngineHealth::kReadOnly;
  if (health_.compare_exchange_strong(
          expected, disk_full_ ? EngineHealth::kReadOnly : EngineHealth::kServing) &&
      !disk_full_) {
    shard_->Resume(Now());
  }
  return disk_full_;
}

void Engine::RunGroup(std::vector<Command> commands) {
  if (DiskIsFull()) {
    for (Command& command : commands) {
      command.done(Shard::IsRead(command.request) ? shard_->Read(command) : Refusal());
    }
    return;
  }
  {
    std::lock_guard lock(shared_mutex_);
    for (const auto& [tenant, at] : context_heard_) shard_->ContextHeard(tenant, at);
    context_heard_.clear();
  }
  if (IsPlanted(Plant::kFreshContext)) {
    for (const Command& command : commands) shard_->ContextHeard(command.tenant, Now());
  }
  for (const Command& command : commands) {
    if (const auto* alerts = std::get_if<AlertsReceived>(&command.request)) {
      counters_.alerts += alerts->batch.items.size();
      counters_.alerts_refused += alerts->batch.refusals.size();
    }
  }
  Shard::Group group = shard_->Run(commands, Now());
  if (IsPlanted(Plant::kAckBeforeCommit)) {
    for (auto& [done, reply] : group.answers) done(std::move(reply));
    group.answers.clear();
    // As this bug is mostly written: what was answered is committed with the next group.
    static journal::Commit answered;
    std::swap(answered, group.commit);
  }
  if (IsPlanted(Plant::kTellBeforeCommit)) {
    const auto told = std::make_shared<const journal::Commit>(group.commit);
    for (CommitSink* sink : options_.sinks) sink->OnCommitted(told);
    // As this bug is mostly written: alerts that were told of are committed, and answered, with the
    // next group.
    static Shard::Group waiting;
    Commit(std::exchange(waiting, {}));
    const bool alerts_only = std::all_of(commands.begin(), commands.end(), [](const Command& c) {
      return std::holds_alternative<AlertsReceived>(c.request);
    });
    if (alerts_only && !commands.empty()) std::swap(waiting, group);
  }
  if (IsPlanted(Plant::kForgetOutbox)) group.commit.deliveries.clear();
  Commit(std::move(group));
}

void Engine::Commit(Shard::Group group) {
  std::shared_ptr<const journal::Commit> commit;
  if (!group.commit.records.empty()) {
    commit = std::make_shared<const journal::Commit>(std::move(group.commit));
    for (CommitSink* sink : options_.sinks) sink->OnDecided(commit);
    const auto start = std::chrono::steady_clock::now();
    absl::Status appended = journal_->Append(*commit);
    counters_.append_nanoseconds += static_cast<std::uint64_t>(
        std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count());
    if (IsPlanted(Plant::kRetryFsync) && !appended.ok()) appended = absl::OkStatus();
    if (journal::IsDiskFull(appended)) {
      // Nothing was written, but the shard has moved on: go back to what is durable.
      disk_full_ = true;
      health_ = EngineHealth::kReadOnly;
      for (auto& [done, reply] : group.answers) {
        if (!IsPlanted(Plant::kAckOnFullDisk)) reply = Refusal();
        done(std::move(reply));
      }
      if (const absl::Status rebuilt = Rebuild(); !rebuilt.ok()) Fail(rebuilt);
      return;
    }
    if (!appended.ok()) {
      Fail(appended);
      for (auto& [done, reply] : group.answers) done(Refusal());
      return;
    }
    ++counters_.groups;
    counters_.records += commit->records.size();
    UpdateGauges();
  }
  if (group.installation_changed) PublishInstallation();
  // Those who watch first: their threads run while the callers are answered here.
  if (commit != nullptr && !IsPlanted(Plant::kTellBeforeCommit)) {
    for (CommitSink* sink : options_.sinks) sink->OnCommitted(commit);
  }
  for (auto& [done, reply] : group.answers) done(std::move(reply));
}

void Engine::Fail(const absl::Status& status) {
  health_ = EngineHealth::kFailed;
  mailbox_.Close();
  if (options_.on_fatal) options_.on_fatal(status);
}

void Engine::PublishInstallation() {
  auto copy = std::make_shared<const core::InstallationState>(shard_->installation());
  std::lock_guard lock(shared_mutex_);
  installation_ = std::move(copy);
}

void Engine::UpdateGauges() {
  const Shard::Totals& totals = shard_->totals();
  counters_.active_alerts = totals.alerts;
  counters_.incidents = totals.incidents;
  counters_.open_deliveries = totals.deliveries;
}

void Engine::Stop() {
  std::lock_guard lock(stop_mutex_);
  EngineHealth serving = EngineHealth::kServing;
  health_.compare_exchange_strong(serving, EngineHealth::kStopping);
  EngineHealth read_only = EngineHealth::kReadOnly;
  health_.compare_exchange_strong(read_only, EngineHealth::kStopping);
  mailbox_.Close();
  if (thread_.joinable()) thread_.join();
}

}  // namespace tandem::engine
