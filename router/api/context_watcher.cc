#include "router/api/context_watcher.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <utility>

#include "router/base/check.h"
#include "router/base/plant.h"
#include "router/base/status.h"
#include "router/context/entity_spec.h"
#include "router/rpc/grpc_status.h"

namespace tandem::api {
namespace {

// "tenants/{tenant}/entities/{kind}/{id}" → (kind, id).
std::pair<std::string, std::string> KindAndId(const std::string& name) {
  constexpr std::string_view kMiddle = "/entities/";
  const std::size_t start = name.find(kMiddle);
  if (start == std::string::npos) return {};
  const std::size_t kind = start + kMiddle.size();
  const std::size_t slash = name.find('/', kind);
  if (slash == std::string::npos) return {};
  return {name.substr(kind, slash - kind), name.substr(slash + 1)};
}

}  // namespace

core::ContextChange ChangeOf(const v1::ContextRevision& revision) {
  core::ContextChange change{
      .version = revision.version(),
      .actor = {revision.author().principal(), static_cast<Side>(revision.author().side())},
      .comment = revision.comment()};
  for (const v1::EntityChange& entity : revision.changes()) {
    if (entity.has_after()) {
      change.put.push_back(context::SpecOf(entity.after()));
    } else {
      change.removed.push_back(KindAndId(entity.name()));
    }
  }
  return change;
}

class ContextWatcher::Stream final : public grpc::ClientReadReactor<v1::WatchContextResponse> {
 public:
  Stream(ContextWatcher* owner, TenantId tenant, std::uint64_t after)
      : owner_(owner), tenant_(std::move(tenant)) {
    request_.set_parent(fmt::format("tenants/{}", tenant_.value));
    request_.set_after_version(after);
    context_.AddMetadata("authorization", fmt::format("Bearer {}", owner->options_.token));
  }

  void Start(std::shared_ptr<Stream> self) {
    self_ = std::move(self);
    owner_->stub_->async()->WatchContext(&context_, &request_, this);
    StartRead(&message_);
    StartCall();
  }
  void Cancel() { context_.TryCancel(); }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return;
    const absl::Status taken = owner_->OnMessage(tenant_, message_, snapshot_);
    if (!taken.ok()) {
      refused_ = taken;
      Cancel();
      return;
    }
    StartRead(&message_);
  }
  void OnDone(const grpc::Status& status) override {
    const auto self = std::move(self_);
    owner_->OnEnd(tenant_, refused_.ok() ? rpc::FromGrpc(status) : refused_);
  }

  ContextWatcher* owner_;
  const TenantId tenant_;
  grpc::ClientContext context_;
  v1::WatchContextRequest request_;
  v1::WatchContextResponse message_;
  core::ContextChange snapshot_;  // grows over the parts of a snapshot
  absl::Status refused_;
  std::shared_ptr<Stream> self_;  // until OnDone
};

ContextWatcher::ContextWatcher(engine::Engine* engine, Options options)
    : engine_(engine), options_(std::move(options)), stub_(v1::Context::NewStub(options_.channel)) {
  TANDEM_CHECK(options_.clock != nullptr, "the watcher needs a clock");
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "context-watch");
    Loop();
  });
}

ContextWatcher::~ContextWatcher() { Stop(); }

absl::Time ContextWatcher::LastHeard(const TenantId& tenant) const {
  std::lock_guard lock(mutex_);
  const auto found = watched_.find(tenant);
  return found == watched_.end() ? absl::InfinitePast() : found->second.heard;
}

void ContextWatcher::Loop() {
  // Tenants come and go, streams fall silent: a look every so often finds both.
  constexpr auto kLookEvery = std::chrono::milliseconds(100);
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    OpenDue(options_.clock->Now());
    lock.lock();
    changed_.wait_for(lock, kLookEvery, [this] { return stopping_; });
  }
  for (auto& [tenant, watched] : watched_) {
    if (watched.stream != nullptr) watched.stream->Cancel();
  }
  changed_.wait(lock, [this] {
    return std::all_of(watched_.begin(), watched_.end(),
                       [](const auto& entry) { return entry.second.stream == nullptr; });
  });
}

void ContextWatcher::OpenDue(absl::Time now) {
  const auto installation = engine_->Installation();
  std::vector<TenantId> due;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [tenant, created] : installation->tenants) {
      Watched& watched = watched_[tenant];
      if (watched.stream != nullptr) {
        // Nothing for three heartbeats: the peer hangs. Its end comes to OnEnd like any other.
        if (now - std::max(watched.heard, watched.retry_at) > options_.silence_max) {
          watched.stream->Cancel();
        }
      } else if (now >= watched.retry_at) {
        watched.retry_at = now + options_.backoff_last;  // until the engine has answered
        due.push_back(tenant);
      }
    }
  }
  // The engine knows how far it is; asking it costs a turn of its mailbox. Not under the lock: a
  // refusal answers at once.
  for (const TenantId& tenant : due) {
    engine_->Submit({.tenant = tenant,
                     .request = engine::MilestonesQuery{},
                     .done = [this, tenant](absl::StatusOr<engine::Reply> reply) {
                       if (reply.ok()) Open(tenant, reply->context_version);
                     }});
  }
}

void ContextWatcher::Open(const TenantId& tenant, std::uint64_t after) {
  std::lock_guard lock(mutex_);
  Watched& watched = watched_[tenant];
  if (stopping_ || watched.stream != nullptr) return;
  watched.version = after;
  watched.retry_at = options_.clock->Now();
  watched.stream = std::make_shared<Stream>(this, tenant, after);
  watched.stream->Start(watched.stream);
}

absl::Status ContextWatcher::OnMessage(const TenantId& tenant, v1::WatchContextResponse& message,
                                       core::ContextChange& snapshot) {
  if (message.tenant() != tenant.value) {
    return Error(absl::StatusCode::kDataLoss, "CONTEXT_TENANT",
                 "the context service answered for another tenant than it was asked for; its "
                 "answer was dropped");
  }
  {
    std::lock_guard lock(mutex_);
    Watched& watched = watched_[tenant];
    watched.heard = options_.clock->Now();
    watched.failures = 0;
  }
  engine_->ContextHeard(tenant);
  if (message.has_revision()) {
    Take(tenant, ChangeOf(message.revision()));
  } else if (message.has_snapshot()) {
    for (const v1::Entity& entity : message.snapshot().entities()) {
      snapshot.put.push_back(context::SpecOf(entity));
    }
    if (message.snapshot().last()) {
      snapshot.snapshot = true;
      snapshot.version = message.snapshot().version();
      snapshot.actor = {"tandem", Side::kUnspecified};
      Take(tenant, std::exchange(snapshot, {}));
    }
  }
  return absl::OkStatus();
}

void ContextWatcher::Take(const TenantId& tenant, core::ContextChange change) {
  {
    std::lock_guard lock(mutex_);
    if (watched_[tenant].version >= change.version && !change.snapshot) return;
  }
  const std::uint64_t version = change.version;
  engine_->Submit({.tenant = tenant,
                   .request = std::move(change),
                   .done = [this, tenant, version](absl::StatusOr<engine::Reply> reply) {
                     std::lock_guard lock(mutex_);
                     Watched& watched = watched_[tenant];
                     if (reply.ok()) {
                       watched.version = std::max(watched.version, version);
                     } else if (watched.stream != nullptr) {
                       watched.stream->Cancel();  // begin again from what was taken
                     }
                   }});
}

void ContextWatcher::OnEnd(const TenantId& tenant, const absl::Status& status) {
  bool log = false;
  {
    std::lock_guard lock(mutex_);
    Watched& watched = watched_[tenant];
    watched.stream = nullptr;
    const int doublings = std::min(watched.failures++, 10);
    watched.retry_at = options_.clock->Now() +
                       std::min(options_.backoff_first * (1 << doublings), options_.backoff_last);
    log = !stopping_ && watched.failures == 1;
  }
  changed_.notify_all();
  if (IsPlanted(Plant::kForgetContext)) Take(tenant, core::ContextChange{.snapshot = true});
  if (log && options_.on_lost) options_.on_lost(tenant, status);
}

void ContextWatcher::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

}  // namespace tandem::api
