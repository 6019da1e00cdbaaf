// The context role of a process: its store, its threads and its gRPC service.
//
// The room from the inside out: store (SQLite; FORMAT.md) · validate, import_yaml, import_csv (what
// may be taken) · service (the logic, without gRPC) · watch (what a watcher is sent) · grpc_service
// and watch_stream (reactors) · this. It knows nothing of alerts and rules: what an entity means is
// left to router/playbook, whose calendars and matchers it compiles before it takes them.
//
// Threads: `context-read` (2), `context-write`, `context-import` and `context-timer`, all its own;
// gRPC's threads never wait for the disk. The server that serves `service()` must take messages of
// kImportBytesMax and a little more.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <grpcpp/grpcpp.h>

#include <cstddef>
#include <memory>
#include <string>

#include "router/context/limits.h"
#include "router/rpc/server.h"

namespace tandem::context {

class ContextService {
 public:
  struct Options {
    std::string path = {};                  // of the store's file: `context.db`
    const rpc::CallGuard* guard = nullptr;  // outlives it; brings clock and authenticator

    std::size_t read_queue_max = 256;   // calls; beyond it RESOURCE_EXHAUSTED, reason QUEUE_FULL
    std::size_t write_queue_max = 256;  // likewise
    std::size_t import_queue_max = 4;   // likewise; 5 × 16 MiB with the one that runs
    std::size_t watches_max = 4096;     // beyond it RESOURCE_EXHAUSTED, reason WATCHES_EXHAUSTED

    absl::Duration heartbeat_every = absl::Seconds(5);  // of silence on a watch
    absl::Duration stuck_after = absl::Seconds(30);     // a watcher that takes nothing is cut off
    absl::Duration prune_every = absl::Hours(1);
    absl::Duration history_kept = kHistoryKept;
    std::uint32_t entities_max = kEntitiesMax;
  };

  // Opens or makes the store and starts the threads. Errors as of Store::Open.
  static absl::StatusOr<std::unique_ptr<ContextService>> Open(Options options);
  // Drains. REQUIRES: the server that served it has been shut down.
  ~ContextService();

  // To be registered with a server; owned by this.
  grpc::Service* service();

  // False after an I/O error of the store: changes are refused until the process starts anew, so
  // health should fail.
  bool writable() const;

  // Ends the watches with UNAVAILABLE, finishes what is queued, refuses the rest, joins the
  // threads. Idempotent. Blocks while the last changes are written.
  void Drain();

 private:
  class Impl;
  explicit ContextService(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tandem::context
