// The gRPC server of a process: limits, keepalive, health, reflection, and an end that takes as
// long as it must and no longer.
//
// Thread-safe but for Start and Drain, which the main thread calls. gRPC's own threads run the
// services.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "router/rpc/stream_registry.h"
#include "services/runtime/endpoint.h"

namespace tandem::runtime {

struct ServedService {
  std::string name;  // "tandem.v1.Feed"; what health checks ask for
  grpc::Service* service = nullptr;
};

class GrpcServer {
 public:
  struct Options {
    Endpoint listen;  // port 0 takes a free one
    std::shared_ptr<grpc::ServerCredentials> credentials;
    std::uint64_t max_message = 4 << 20;  // bytes, both ways; larger: RESOURCE_EXHAUSTED
    bool reflection = true;
    rpc::StreamRegistry* registry = nullptr;  // of the calls that a drain ends
  };

  // Listens, but reports NOT_SERVING until SetServing. UNAVAILABLE with reason LISTEN_FAILED when
  // the address cannot be had. Services and registry must outlive the server.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(Options options,
                                                           std::vector<ServedService> services);

  // Drains within a second if nobody has.
  ~GrpcServer();

  std::uint16_t bound_port() const { return bound_port_; }

  // A channel to this server that never touches a network. The roles of one process talk by it.
  // Stop them before Drain: a call that begins on it afterwards crashes within gRPC 1.51.
  std::shared_ptr<grpc::Channel> InProcessChannel() const;

  // What health says of one service, and of "" (the whole), which is all of them.
  void SetServing(const std::string& service, bool serving);
  void SetServing(bool serving);

  struct DrainTimes {
    absl::Duration lameduck;  // health says NOT_SERVING, calls are still taken
    absl::Duration timeout;   // of everything, the lameduck included
  };

  // Health → NOT_SERVING; after the lameduck ends every open call with UNAVAILABLE (reason
  // STOPPING) and shuts down. Returns when no call runs any more, which is at most a second after
  // the timeout unless a handler hangs: a watchdog has to stand behind it. Once.
  void Drain(DrainTimes times);

  // Ends the lameduck that Drain waits in; false when it does not. From any thread.
  bool EndLameduck();

 private:
  GrpcServer(Options options, std::vector<ServedService> services);

  const Options options_;
  const std::vector<ServedService> services_;
  std::unique_ptr<grpc::Server> server_;
  std::uint16_t bound_port_ = 0;
  bool drained_ = false;

  std::mutex mutex_;  // the lameduck
  std::condition_variable lameduck_over_;
  bool in_lameduck_ = false;
};

// Settings of every channel of ours to another process: keepalive that the server above allows, and
// room for messages of `max_message` bytes.
grpc::ChannelArguments ClientChannelArguments(std::uint64_t max_message);

}  // namespace tandem::runtime
