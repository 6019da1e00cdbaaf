// Watches the context service for every tenant and hands each change to the engine, so that
// enrichment is a look-up in memory and an outage of the service is an age, not an error.
//
// Threads: one stream a tenant, on gRPC's threads; a thread of its own (`context-watch`) opens,
// reopens and ends them.
#pragma once

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "router/base/clock.h"
#include "router/engine/engine.h"
#include "tandem/v1/context.grpc.pb.h"

namespace tandem::api {

// The context service's words as the engine takes them.
core::ContextChange ChangeOf(const v1::ContextRevision& revision);

class ContextWatcher {
 public:
  struct Options {
    const Clock* clock = nullptr;  // outlives the watcher
    std::shared_ptr<grpc::Channel> channel;
    std::string token;  // of role `service`
    // Between two attempts: doubles from the first to the last.
    absl::Duration backoff_first = absl::Milliseconds(100);
    absl::Duration backoff_last = absl::Seconds(5);
    // A stream that says nothing for so long is dead: three heartbeats.
    absl::Duration silence_max = absl::Seconds(15);
    std::function<void(const TenantId&, const absl::Status&)> on_lost;  // for the log; may be empty
  };

  // `engine` outlives the watcher. `version_of` tells from which version to go on.
  ContextWatcher(engine::Engine* engine, Options options);
  ~ContextWatcher();

  // When the context service was last heard of; for metrics. InfinitePast when never.
  absl::Time LastHeard(const TenantId& tenant) const;

  void Stop();

 private:
  class Stream;
  struct Watched {
    std::shared_ptr<Stream> stream;
    int failures = 0;
    absl::Time retry_at = absl::InfinitePast();
    absl::Time heard = absl::InfinitePast();
    std::uint64_t version = 0;  // up to here everything is with the engine
  };

  void Loop();
  void OpenDue(absl::Time now);
  void Open(const TenantId& tenant, std::uint64_t after);
  absl::Status OnMessage(const TenantId& tenant, v1::WatchContextResponse& message,
                         core::ContextChange& snapshot);
  void OnEnd(const TenantId& tenant, const absl::Status& status);
  void Take(const TenantId& tenant, core::ContextChange change);

  engine::Engine* engine_;
  const Options options_;
  std::unique_ptr<v1::Context::Stub> stub_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::map<TenantId, Watched> watched_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tandem::api
