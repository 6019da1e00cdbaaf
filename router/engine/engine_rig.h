// What tests of the engine and of what stands on it share: a journal that can be held up and made
// to fail, alerts, and an engine whose answers can be waited for.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "router/base/check.h"
#include "router/base/clock.h"
#include "router/base/status.h"
#include "router/codec/alert_reader.h"
#include "router/engine/engine.h"
#include "router/playbook/parse.h"
#include "tandem/v1/alert_ingest.pb.h"

namespace tandem::engine::testing {

// Far above what any wait takes on a busy machine: a test that meets it has failed.
inline constexpr std::chrono::seconds kPatience{60};

// A Wednesday.
inline const absl::Time kNoon = absl::FromUnixSeconds(1780488000);
inline const TenantId kHarbor{"harbor-mfg"};
inline const TenantId kMill{"mill"};

// A journal in memory whose appends can be held up and made to fail.
class TestJournal final : public journal::Journal {
 public:
  absl::Status Append(const journal::Commit& commit) override {
    absl::Status failure;
    {
      std::unique_lock lock(mutex_);
      ++appends_;
      waiting_ = true;
      changed_.notify_all();
      changed_.wait(lock, [this] { return !held_; });
      waiting_ = false;
      if (const auto planned = failures_.find(appends_); planned != failures_.end()) {
        failure = planned->second;
      }
    }
    return failure.ok() ? inner_->Append(commit) : failure;
  }
  absl::StatusOr<std::unique_ptr<journal::Reader>> OpenReader() override {
    return inner_->OpenReader();
  }
  absl::StatusOr<journal::CutCounts> Prune(const journal::Cut& cut) override {
    return inner_->Prune(cut);
  }

  // The append after the next `skip` answers `failure` and writes nothing.
  void FailAfter(int skip, absl::Status failure) {
    const std::lock_guard lock(mutex_);
    failures_[appends_ + skip + 1] = std::move(failure);
  }
  // Appends wait from now on, until Release.
  void Hold() {
    const std::lock_guard lock(mutex_);
    held_ = true;
  }
  // Waits until an append is held up.
  void AwaitHeld() {
    std::unique_lock lock(mutex_);
    TANDEM_CHECK(changed_.wait_for(lock, kPatience, [this] { return held_ && waiting_; }),
                 "no append came");
  }
  void Release() {
    const std::lock_guard lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }
  int appends() const {
    const std::lock_guard lock(mutex_);
    return appends_;
  }

 private:
  const std::unique_ptr<journal::Journal> inner_ = journal::NewMemoryJournal();
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  int appends_ = 0;
  bool held_ = false;
  bool waiting_ = false;
  std::map<int, absl::Status> failures_;
};

inline absl::Status DiskFull() {
  return Error(absl::StatusCode::kResourceExhausted, "DISK_FULL", "no room in this test");
}
inline absl::Status BrokenDisk() {
  return Error(absl::StatusCode::kDataLoss, "FSYNC_FAILED", "the disk broke in this test");
}

// A serialized batch of alerts, one for each name.
inline std::string BatchBytes(std::uint64_t number, const std::vector<std::string>& names) {
  v1::AlertBatch batch;
  batch.set_number(number);
  for (const std::string& name : names) {
    v1::Label* label = batch.add_alerts()->add_labels();
    label->set_name("alertname");
    label->set_value(name);
  }
  return batch.SerializeAsString();
}

inline AlertsReceived Alerts(std::uint64_t number, const std::vector<std::string>& names,
                             std::string client = "agent-1") {
  auto batch = codec::ReadAlertBatch(BatchBytes(number, names), {}, kNoon);
  TANDEM_CHECK(batch.ok(), "the batch is well formed");
  return {std::move(client), *std::move(batch), nullptr};
}

inline core::InstallationInput NewTenant(const TenantId& tenant) {
  return {.actor = {"root", Side::kProvider},
          .wanted = core::TenantCreated{tenant, tenant.value, kNoon}};
}

// A playbook that opens an incident for each alert; `extra` goes below its one rule.
inline core::PlaybookActivation EachAlone(const TenantId& tenant, std::string_view extra = "") {
  const std::string source =
      "playbook: 1\n"
      "tenant: " +
      tenant.value +
      "\n"
      "contacts:\n"
      "  desk: {side: provider, webhook: {url: \"https://hooks.example/desk\"}}\n"
      "teams:\n"
      "  noc: {side: provider, contacts: [desk]}\n"
      "escalations:\n"
      "  ladder: {steps: [{after: 1m, notify: [noc]}]}\n"
      "rules:\n"
      "  - name: all\n"
      "    owner: noc\n"
      "    handling: autonomous\n"
      "    escalation: ladder\n"
      "    group_by: [\"...\"]\n"
      "    reason: Each alert stands alone.\n" +
      std::string(extra);
  playbook::Compiled compiled = playbook::CompilePlaybook(source);
  TANDEM_CHECK(compiled.playbook != nullptr, "the playbook compiles");
  return {.actor = {"root", Side::kProvider}, .playbook = std::move(compiled.playbook)};
}

using Answered = std::future<absl::StatusOr<Reply>>;

inline Answered Send(Engine& engine, const TenantId& tenant, Request request) {
  auto promise = std::make_shared<std::promise<absl::StatusOr<Reply>>>();
  Answered answered = promise->get_future();
  engine.Submit({tenant, std::move(request),
                 [promise](absl::StatusOr<Reply> reply) { promise->set_value(std::move(reply)); }});
  return answered;
}

inline bool IsAnswered(const Answered& answered) {
  return answered.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

inline absl::StatusOr<Reply> Await(Answered answered) {
  TANDEM_CHECK(answered.wait_for(kPatience) == std::future_status::ready, "no answer came");
  return answered.get();
}

inline absl::StatusOr<Reply> Ask(Engine& engine, const TenantId& tenant, Request request) {
  return Await(Send(engine, tenant, std::move(request)));
}

// Gathers commits, and waits for them.
class CommitLog final : public CommitSink {
 public:
  void OnCommitted(const std::shared_ptr<const journal::Commit>& commit) override {
    const std::lock_guard lock(mutex_);
    commits_.push_back(commit);
    changed_.notify_all();
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return commits_.size();
  }
  std::shared_ptr<const journal::Commit> AwaitCommit(std::size_t index) {
    std::unique_lock lock(mutex_);
    TANDEM_CHECK(changed_.wait_for(lock, kPatience, [&] { return commits_.size() > index; }),
                 "no commit came");
    return commits_[index];
  }

 private:
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::vector<std::shared_ptr<const journal::Commit>> commits_;
};

// An engine on a TestJournal with both tenants.
struct Rig {
  TestJournal journal;
  ManualClock clock{kNoon};
  CommitLog commits;
  std::atomic<int> fatal{0};
  std::atomic<std::uint64_t> free_disk{1ULL << 40};
  bool watches_disk = true;
  std::atomic<std::int64_t> monotonic{0};
  std::unique_ptr<Engine> engine;

  // Begins, or begins anew on the same journal.
  absl::Status Start(EngineOptions options = {}) {
    engine.reset();
    options.clock = &clock;
    options.sinks.push_back(&commits);
    // As the clock, but never back: a test that says nothing of it has a machine that never stands
    // still.
    if (!options.monotonic) {
      options.monotonic = [this] {
        monotonic = std::max(monotonic.load(), absl::ToInt64Microseconds(clock.Now() - kNoon));
        return absl::Microseconds(monotonic.load());
      };
    }
    if (watches_disk) options.free_disk = [this] { return free_disk.load(); };
    options.on_fatal = [this](const absl::Status&) { ++fatal; };
    TANDEM_ASSIGN_OR_RETURN(engine, Engine::Start(&journal, std::move(options)));
    return absl::OkStatus();
  }
  absl::Status StartWithTenants(EngineOptions options = {}) {
    TANDEM_RETURN_IF_ERROR(Start(std::move(options)));
    TANDEM_RETURN_IF_ERROR(Ask(*engine, core::kInstallation, NewTenant(kHarbor)).status());
    return Ask(*engine, core::kInstallation, NewTenant(kMill)).status();
  }
  std::unique_ptr<core::TenantState> Recovered(const TenantId& tenant,
                                               const journal::SnapshotStore* snapshots = nullptr) {
    const auto reader = journal.OpenReader();
    TANDEM_CHECK(reader.ok(), "a reader opens");
    auto state = RecoverTenant(tenant, {}, **reader, snapshots);
    TANDEM_CHECK(state.ok(), "the history can be read");
    return *std::move(state);
  }
};

}  // namespace tandem::engine::testing
