#include "services/context/context_service.h"

#include <algorithm>
#include <utility>

#include "router/base/check.h"
#include "router/base/status.h"
#include "services/context/grpc_service.h"
#include "services/context/service.h"
#include "services/context/store.h"
#include "services/context/ticker.h"
#include "services/context/watch_stream.h"
#include "services/context/worker_pool.h"

namespace tandem::context {
namespace {

// Heartbeats come up to a fifth late.
constexpr int kTicksPerHeartbeat = 5;

absl::Duration TickOf(const ContextService::Options& options) {
  return options.heartbeat_every / kTicksPerHeartbeat;
}

int TicksIn(absl::Duration span, const ContextService::Options& options) {
  return static_cast<int>(std::max<std::int64_t>(1, span / TickOf(options)));
}

absl::Status Stopping() {
  return AddRetry(Error(absl::StatusCode::kUnavailable, "STOPPING",
                        "the context service stops; watch again with the last version that was "
                        "received"),
                  absl::Seconds(1));
}

}  // namespace

class ContextService::Impl {
 public:
  Impl(Options options, std::unique_ptr<Store> store)
      : options_(std::move(options)),
        store_(std::move(store)),
        hub_([this](auto load) { return Taken(reads_.PostReserved(std::move(load))); },
             options_.watches_max),
        api_(*store_, options_.guard->clock(), options_.guard->authenticator(),
             [this](const TenantId& tenant, Version) { hub_.Wake(tenant); }),
        reads_({.name = "context-read", .threads = 2, .queue_max = options_.read_queue_max}),
        writes_({.name = "context-write", .queue_max = options_.write_queue_max}),
        imports_({.name = "context-import", .queue_max = options_.import_queue_max}),
        service_({.guard = options_.guard,
                  .store = store_.get(),
                  .api = &api_,
                  .hub = &hub_,
                  .reads = &reads_,
                  .writes = &writes_,
                  .imports = &imports_,
                  .patience = {.heartbeat = kTicksPerHeartbeat,
                               .stuck = TicksIn(options_.stuck_after, options_)}}),
        ticker_({.name = "context-timer", .every = TickOf(options_)}, [this] { Tick(); }) {}

  grpc::Service* service() { return &service_; }
  bool writable() const { return store_->writable(); }

  void Drain() {
    ticker_.Stop();
    hub_.EndAll(Stopping());
    imports_.Drain();
    writes_.Drain();
    reads_.Drain();
  }

 private:
  static bool Taken(WorkerPool::Post post) { return post == WorkerPool::Post::kTaken; }

  // On the timer's thread, which alone counts.
  void Tick() {
    hub_.Tick();
    if (++ticks_ % TicksIn(options_.prune_every, options_) != 0) return;
    // When imports are that busy, the next hour will do.
    imports_.TryPost([this] {
      const absl::Time now = options_.guard->clock().Now();
      // An I/O error has been noted by the store, which takes no changes from then on.
      store_->Prune(now - options_.history_kept, now).IgnoreError();
    });
  }

  const Options options_;
  const std::unique_ptr<Store> store_;
  WatchHub hub_;
  ContextApi api_;
  WorkerPool reads_;
  WorkerPool writes_;
  WorkerPool imports_;
  ContextGrpcService service_;
  std::int64_t ticks_ = 0;
  Ticker ticker_;  // last: it runs as soon as it is there
};

absl::StatusOr<std::unique_ptr<ContextService>> ContextService::Open(Options options) {
  TANDEM_CHECK(options.guard != nullptr, "the context service has a guard");
  TANDEM_ASSIGN_OR_RETURN(
      auto store, Store::Open({.path = options.path, .entities_max = options.entities_max}));
  return std::unique_ptr<ContextService>(
      new ContextService(std::make_unique<Impl>(std::move(options), std::move(store))));
}

ContextService::ContextService(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ContextService::~ContextService() { Drain(); }
grpc::Service* ContextService::service() { return impl_->service(); }
bool ContextService::writable() const { return impl_->writable(); }
void ContextService::Drain() { impl_->Drain(); }

}  // namespace tandem::context
