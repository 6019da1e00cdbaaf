// One StreamAlerts call: batches up, welcome and receipts down.
//
// gRPC's threads deliver; the client's thread takes what they brought, and is the only one that
// calls the functions here. All state that both touch is guarded by the Signal's mutex.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/client_callback.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "tandem/v1/alert_ingest.pb.h"

namespace tandem::client {

// Wakes the client's thread. Outlives every stream.
struct Signal {
  std::mutex mutex;
  std::condition_variable changed;  // something came for the client's thread
};

class AlertStream final
    : private grpc::ClientBidiReactor<grpc::ByteBuffer, v1::StreamAlertsResponse> {
 public:
  // Starts the call on `channel`. `signal` is not owned.
  AlertStream(const std::shared_ptr<grpc::Channel>& channel,
              std::unique_ptr<grpc::ClientContext> context, Signal& signal);
  // REQUIRES: Take() has given `ended`.
  ~AlertStream() override;

  // What came since the last call. REQUIRES: the Signal's mutex is held.
  struct Arrivals {
    std::vector<v1::StreamAlertsResponse> responses;
    bool may_write = false;
    std::optional<grpc::Status> ended;  // nothing comes after it
  };
  Arrivals TakeLocked();
  bool HasArrivalsLocked() const { return news_; }

  // After TakeLocked, with the mutex released: reads on when reading had paused, and lets the call
  // end when the router has ended it.
  void Continue();

  // Sends one message. REQUIRES: the last Take() gave `may_write`; Continue() was called.
  void Write(grpc::ByteBuffer message);
  // Says that no more messages come. At most once, and no Write after it.
  void FinishWrites();
  // Ends the call soon with CANCELLED.
  void Cancel();

 private:
  // Receipts that wait for the client's thread; the router's window (64 batches) is no larger. At
  // the limit the stream is not read on, and the router's writes wait.
  static constexpr std::size_t kResponsesMax = 64;

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  const std::unique_ptr<grpc::ClientContext> context_;
  Signal& signal_;
  v1::StreamAlertsResponse response_;  // gRPC's while a read is outstanding
  grpc::ByteBuffer message_;           // gRPC's while a write is outstanding

  // Guarded by signal_.mutex:
  std::vector<v1::StreamAlertsResponse> responses_;
  bool news_ = false;
  bool writing_ = false;
  bool read_paused_ = false;
  bool read_over_ = false;
  std::optional<grpc::Status> ended_;

  // The client's thread alone:
  bool holding_ = true;  // keeps the call from ending under a Write
};

}  // namespace tandem::client
