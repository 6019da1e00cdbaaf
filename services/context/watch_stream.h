// The streams of WatchContext: one reactor each, woken by changes and by the tick of one timer.
//
// A stream loads the next messages on a worker (see watch.h) once those before are on their way, so
// that a slow reader costs the memory of one load. One that takes nothing for long is cut off.
//
// Threads: gRPC's, a worker for one load at a time, and the timer; what they share is locked.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "router/rpc/outbound.h"
#include "router/rpc/server.h"
#include "services/context/watch.h"
#include "tandem/v1/context.pb.h"

namespace tandem::context {

class WatchHub;

class WatchStream final : public grpc::ServerWriteReactor<v1::WatchContextResponse>,
                          public rpc::DrainableStream,
                          public std::enable_shared_from_this<WatchStream> {
 public:
  // In ticks of the hub.
  struct Patience {
    int heartbeat = 5;  // of silence, until a heartbeat is sent
    int stuck = 30;     // of a write that does not get through, until the reader is cut off
  };
  struct Parts {
    grpc::CallbackServerContext* context = nullptr;
    const rpc::CallGuard* guard = nullptr;
    WatchHub* hub = nullptr;
    Patience patience;
  };

  WatchStream(Parts parts, rpc::Call call, WatchReader reader);

  // Begins to send. `self` is kept until gRPC is done with it.
  void Begin(std::shared_ptr<WatchStream> self, rpc::StreamRegistry::Registration registration);

  // There may be something new.
  void Wake();
  // Time passes.
  void Tick();

  // Ends the stream, once; what was queued is dropped.
  void End(absl::Status status) override;
  const rpc::Call* call() const override { return &call_; }

 private:
  void LoadIfDue();
  void Load();
  void Send(v1::WatchContextResponse message);
  void CutOff();
  void ReportWriteDone(bool ok);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  const Parts parts_;
  const rpc::Call call_;
  WatchReader reader_;  // belongs to who has set loading_
  rpc::Outbound<v1::WatchContextResponse, WatchStream> outbound_;
  rpc::StreamRegistry::Registration registration_;
  std::shared_ptr<WatchStream> self_;

  std::mutex mutex_;  // guards all below; never held across a call of gRPC or of outbound_'s writes
  bool ended_ = false;
  bool dirty_ = false;         // there may be something new
  bool loading_ = false;       // a load is queued or runs
  bool spoke_ = false;         // something was sent
  std::size_t unwritten_ = 0;  // handed to outbound_ and not yet through
  int silent_ticks_ = 0;
  int stuck_ticks_ = 0;
  // The context is in use: outbound_ learns of no write meanwhile, so that it cannot finish the
  // call and gRPC cannot free it. The other way round, no cut begins while it is told of one.
  bool cutting_off_ = false;
  bool reporting_ = false;
  std::optional<bool> held_write_done_;
};

// All open streams. Thread-safe.
class WatchHub {
 public:
  // Runs a load on a worker; false when the workers have stopped. At most one a stream at a time.
  using PostLoad = std::function<bool(std::function<void()>)>;

  WatchHub(PostLoad post_load, std::size_t streams_max)
      : post_load_(std::move(post_load)), streams_max_(streams_max) {}

  // RESOURCE_EXHAUSTED with reason WATCHES_EXHAUSTED at the limit; UNAVAILABLE after EndAll.
  absl::Status Add(const TenantId& tenant, const std::shared_ptr<WatchStream>& stream);
  void Remove(const WatchStream* stream);

  // A tenant has a new version.
  void Wake(const TenantId& tenant);
  void Tick();
  void EndAll(const absl::Status& status);

  bool Post(std::function<void()> load) const { return post_load_(std::move(load)); }

 private:
  struct Entry {
    TenantId tenant;
    std::weak_ptr<WatchStream> stream;
  };
  // Those of `tenant`, or all.
  std::vector<std::shared_ptr<WatchStream>> Living(const TenantId* tenant) const;

  const PostLoad post_load_;
  const std::size_t streams_max_;
  mutable std::mutex mutex_;  // guards all below
  std::map<const WatchStream*, Entry> streams_;
  absl::Status closed_;
};

}  // namespace tandem::context
