// The ceiling: what gRPC and protobuf alone can do here, without any router.
//
// The server parses each message into a re-used StreamAlertsRequest and sends the same message
// back; a router cannot be faster than that while it parses with protobuf.
#pragma once

#include <absl/status/statusor.h>

#include <chrono>
#include <memory>
#include <string>

#include "tools/load/figures.h"
#include "tools/load/reference_batches.h"

namespace tandem::load {

class EchoServer {
 public:
  virtual ~EchoServer() = default;
  // Where it listens, with the port that it got.
  virtual std::string address() const = 0;
};

// Listens on `address` (port 0: any free one). UNAVAILABLE when it cannot.
absl::StatusOr<std::unique_ptr<EchoServer>> StartEchoServer(const std::string& address);

struct EchoOptions {
  std::string address;  // empty: a server in this process
  ReferenceOptions alerts;
  std::uint32_t window = 16;
  std::chrono::milliseconds warm_up{500};
  std::chrono::milliseconds duration{3000};
  int server_pid = 0;
};

// Alerts a second through one stream in a closed loop.
absl::StatusOr<Json> RunEcho(const EchoOptions& options);

struct RoundTripOptions {
  std::string address;  // empty: a server in this process
  std::uint64_t count = 5000;
  bool unary = false;  // a call each, not a message of one stream
  std::uint32_t batch = 1;
};

// One message at a time: what a round trip takes.
absl::StatusOr<Json> RunRoundTrip(const RoundTripOptions& options);

}  // namespace tandem::load
