// The router role of a process: journal, engine, readers, hubs and the services on top of them.
//
// The main thread builds it, starts what needs the server, and stops it in reverse.
#pragma once

#include <absl/status/statusor.h>
#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "router/api/context_watcher.h"
#include "router/api/delivery_hub.h"
#include "router/api/directory.h"
#include "router/api/feed_hub.h"
#include "router/api/feed_service.h"
#include "router/api/ingest_service.h"
#include "router/api/reader_pool.h"
#include "router/api/router_api.h"
#include "router/api/services.h"
#include "router/engine/engine.h"
#include "router/engine/retention.h"
#include "router/engine/snapshotter.h"
#include "router/journal/journal.h"
#include "router/journal/snapshot_store.h"
#include "services/runtime/config.h"
#include "services/runtime/grpc_server.h"
#include "services/runtime/metrics.h"

namespace tandem::tandemd {

class RouterRole {
 public:
  // Opens the journal in `{data_dir}/router` and recovers. `on_fatal` is called, once and from any
  // thread, when the process must end. Clock outlives the role.
  static absl::StatusOr<std::unique_ptr<RouterRole>> Open(
      const runtime::Config& config, const Clock* clock,
      std::function<void(const absl::Status&)> on_fatal);
  ~RouterRole();

  const rpc::Authenticator& directory() const { return *directory_; }

  // See RouterApi::Parts.
  struct Hooks {
    std::function<void()> on_installation_changed;
    api::HasSecret has_secret;
  };
  // Makes the services. REQUIRES: once; the guard outlives the role's server.
  std::vector<runtime::ServedService> Serve(const rpc::CallGuard* guard, Hooks hooks);

  // Begins to follow the context service on `channel`.
  void FollowContext(std::shared_ptr<grpc::Channel> channel, std::string token);

  // See administrator.h; says in the log what was done. An error only of a new installation: with
  // any other all that was there goes on.
  absl::Status EnsureAdministrator(const runtime::Config& config);

  // Begins to prune what is older than the retention. `metrics` outlives the role.
  void StartRetention(absl::Duration keep, runtime::Metrics& metrics);

  void AddMetrics(runtime::Metrics& metrics);

  // "" while input is taken, else why it is not, in one line. Thread-safe.
  std::string WhyNotServing() const;

  // Takes over what of `config` a running router can.
  void Apply(const runtime::Config& config);

  // Ends what calls others; before the server drains.
  void StopFollowing();
  // Ends the rest; after the server has drained.
  void Stop();

 private:
  RouterRole() = default;

  const Clock* clock_ = nullptr;
  absl::Duration resolve_timeout_;
  core::IdentityKey key_ = {};
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<journal::SnapshotStore> snapshots_;
  std::unique_ptr<api::FeedHub> feed_;
  std::unique_ptr<api::DeliveryHub> deliveries_;
  std::unique_ptr<engine::Snapshotter> snapshotter_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<engine::Retention> retention_;
  std::unique_ptr<api::ReaderPool> readers_;
  std::unique_ptr<api::Directory> directory_;
  std::unique_ptr<api::RouterApi> api_;
  std::unique_ptr<api::ContextWatcher> watcher_;
  std::vector<std::unique_ptr<grpc::Service>> services_;
};

}  // namespace tandem::tandemd
