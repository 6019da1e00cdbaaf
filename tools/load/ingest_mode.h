// How many alerts a second the router makes durable.
#pragma once

#include <absl/status/statusor.h>

#include <chrono>
#include <string>

#include "tools/agent/channel.h"
#include "tools/load/figures.h"
#include "tools/load/reference_batches.h"

namespace tandem::load {

// Where the load goes, and who it says it is.
struct Target {
  client::Connection connection;
  std::string tenant;
  std::string client_id = "tandem-load";  // stream i adds "/i"
  int server_pid = 0;                     // its CPU is reported; 0: not
};

struct IngestOptions {
  Target target;
  ReferenceOptions alerts;
  std::uint32_t streams = 1;  // each with its own connection
  std::uint32_t window = 16;  // batches without a receipt, of each stream; the router allows 64
  std::chrono::milliseconds warm_up{1000};
  std::chrono::milliseconds duration{5000};
  // Instead of the two times: exactly so many alerts, shared by the streams, all of them counted.
  // The last batch of a stream may be smaller.
  std::uint64_t count = 0;
  // What all of them may take at most.
  std::chrono::milliseconds patience{600'000};
};

// Runs for `warm_up` and `duration` and reports the latter, or until `count` alerts have a receipt:
// alerts a second that receipts confirm, time from write to receipt, CPU. An error when a stream
// ends before its time, DEADLINE_EXCEEDED when `patience` is over.
absl::StatusOr<Json> RunIngest(const IngestOptions& options);

// The reference stream: hello, then batches in a closed loop. For latency, too.
grpc::ByteBuffer LoadHello(const Target& target, std::uint32_t stream);

}  // namespace tandem::load
