// A bidirectional stream of raw messages that are answered in order, with a window: the part that
// ingest, latency and echo have in common.
//
// gRPC's threads call the handler; one thread owns the stream.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/client_callback.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "tools/load/figures.h"

namespace tandem::load {

// What a stream carries. Next is called by one thread at a time, and so is OnAnswer; the two may
// run beside each other.
class StreamHandler {
 public:
  virtual ~StreamHandler() = default;
  // The next message; nullopt when there is none now (see LoadStream::Kick).
  virtual std::optional<grpc::ByteBuffer> Next() = 0;
  // The answer to the oldest message without one. An error ends the stream.
  virtual absl::Status OnAnswer(const grpc::ByteBuffer& answer, SteadyTime written) = 0;
};

class LoadStream final : private grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  // Starts, and writes as the window allows. `handler` is not owned.
  LoadStream(const std::shared_ptr<grpc::Channel>& channel,
             std::unique_ptr<grpc::ClientContext> context, const std::string& method,
             std::uint32_t window, StreamHandler& handler);
  ~LoadStream() override;

  // The handler has a message again.
  void Kick();

  // Says that Next has no more, waits until all is answered, ends the stream and gives its status:
  // DEADLINE_EXCEEDED when the answers do not come within `timeout`. Once, and Kick not after it.
  absl::Status Finish(std::chrono::milliseconds timeout);

  // The stream is over, or will be: the other side or the handler ended it.
  bool broken() const;

 private:
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;
  void Pump();

  const std::unique_ptr<grpc::ClientContext> context_;
  const std::uint32_t window_;
  StreamHandler& handler_;
  grpc::ByteBuffer answer_;   // gRPC's while a read is outstanding
  grpc::ByteBuffer message_;  // gRPC's while a write is outstanding

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  std::deque<SteadyTime> in_flight_;  // when each was written; at most window_
  bool writing_ = false;
  bool kicked_ = false;
  bool read_over_ = false;
  absl::Status failed_;  // what the handler said
  std::optional<grpc::Status> done_;
};

}  // namespace tandem::load
