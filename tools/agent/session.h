// The protocol of the ingest stream as the sender plays it: which batch goes next, what a welcome
// and a receipt mean for the spool.
//
// No I/O but the spool, no clock, no thread: the client's thread drives it. One Session outlives
// many streams.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/support/byte_buffer.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "tandem/v1/alert_ingest.pb.h"
#include "tools/agent/client_options.h"
#include "tools/agent/spool.h"

namespace tandem::client {

class Session {
 public:
  // What the session counts; the client adds the rest of ClientStats.
  struct Counters {
    std::uint64_t accepted = 0;
    std::uint64_t confirmed_on_resume = 0;
    std::map<std::string, std::uint64_t> refused;
    std::map<std::string, std::uint64_t> dropped;
    std::uint64_t batches = 0;
    std::uint64_t receipts = 0;
    std::uint64_t connects = 0;
  };

  // `options` and `spool` are not owned. REQUIRES: options.window > 0.
  Session(const ClientOptions& options, Spool& spool) : options_(options), spool_(spool) {}

  // The first message of a new stream. What was in flight before is in flight no more.
  grpc::ByteBuffer Begin();

  // Takes one answer. An error means that the stream cannot go on, and must be ended: the router
  // broke the protocol, another sender uses this client id, or the spool's disk failed.
  absl::Status OnResponse(const v1::StreamAlertsResponse& response);

  // The next batch to write; nullopt before the welcome, when the window is full, and when nothing
  // waits.
  std::optional<grpc::ByteBuffer> NextMessage();

  // The stream has ended. INVALID_ARGUMENT after the welcome means that the router would not read
  // one of the batches in flight: the next stream has a window of one, and when that ends so too,
  // the batch is given up. Anything else would repeat it for ever.
  void OnEnd(const absl::Status& status);

  bool welcomed() const { return welcomed_; }
  bool idle() const { return in_flight_.empty(); }
  const Counters& counters() const { return counters_; }
  // Counts and tells alerts that are given up; the caller takes them out of the spool.
  void Drop(const DroppedAlerts& dropped);
  // The alerts that the router refused since the last call.
  std::vector<v1::Alert> TakeRefused();

 private:
  absl::Status OnWelcome(const v1::Welcome& welcome);
  absl::Status OnReceipt(const v1::Receipt& receipt);
  // Makes the batches that wait come after `last_durable` on the wire.
  absl::Status Renumber(std::uint64_t last_durable);
  void Confirm(BatchNumber through);
  void Refuse(const SpooledBatch& batch, const v1::Receipt& receipt);
  BatchView View(const SpooledBatch& batch) const;
  void Notice(const absl::Status& notice) const;

  const ClientOptions& options_;
  Spool& spool_;
  Counters counters_;
  std::deque<SpooledBatch> in_flight_;  // at most options_.window × 1 MiB
  BatchNumber sent_;                    // the last that was written to this stream
  bool welcomed_ = false;
  bool shared_id_ = false;  // another sender's batches lie among our numbers
  bool one_by_one_ = false;
  std::vector<v1::Alert> refused_;
};

}  // namespace tandem::client
