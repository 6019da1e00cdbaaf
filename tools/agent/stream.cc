#include "tools/agent/stream.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <utility>

#include "router/base/check.h"
#include "tools/agent/wire.h"

namespace tandem::client {

AlertStream::AlertStream(const std::shared_ptr<grpc::Channel>& channel,
                         std::unique_ptr<grpc::ClientContext> context, Signal& signal)
    : context_(std::move(context)), signal_(signal) {
  grpc::TemplatedGenericStub<grpc::ByteBuffer, v1::StreamAlertsResponse> stub(channel);
  stub.PrepareBidiStreamingCall(context_.get(), kStreamAlertsMethod, {}, this);
  AddHold();  // for the writes, which do not come from gRPC's callbacks
  StartRead(&response_);
  StartCall();
}

AlertStream::~AlertStream() {
  TANDEM_CHECK(ended_.has_value(), "a stream is destroyed after its end");
}

AlertStream::Arrivals AlertStream::TakeLocked() {
  news_ = false;
  return {.responses = std::exchange(responses_, {}),
          .may_write = !writing_ && !read_over_,
          .ended = ended_};
}

void AlertStream::Continue() {
  bool read = false;
  bool over = false;
  {
    const std::lock_guard lock(signal_.mutex);
    read = std::exchange(read_paused_, false);
    over = read_over_;
  }
  if (read) StartRead(&response_);
  if (over && holding_) {
    holding_ = false;
    RemoveHold();
  }
}

void AlertStream::Write(grpc::ByteBuffer message) {
  if (!holding_) return;  // over; the end is on its way
  {
    const std::lock_guard lock(signal_.mutex);
    TANDEM_CHECK(!writing_, "one write at a time");
    writing_ = true;
  }
  message_.Swap(&message);
  StartWrite(&message_);
}

void AlertStream::FinishWrites() {
  if (holding_) StartWritesDone();
}

void AlertStream::Cancel() { context_->TryCancel(); }

// The notifications below are made with the mutex held: once the client's thread has seen the end
// it may destroy this object, and nothing of it may be touched after.

void AlertStream::OnReadDone(bool ok) {
  bool read = false;
  {
    const std::lock_guard lock(signal_.mutex);
    if (ok) {
      responses_.push_back(std::move(response_));
      response_.Clear();
      read_paused_ = responses_.size() >= kResponsesMax;
      read = !read_paused_;
    } else {
      read_over_ = true;
    }
    news_ = true;
    signal_.changed.notify_all();
  }
  if (read) StartRead(&response_);
}

void AlertStream::OnWriteDone(bool) {
  // A write that failed needs no answer of its own: the read ends too.
  const std::lock_guard lock(signal_.mutex);
  writing_ = false;
  news_ = true;
  signal_.changed.notify_all();
}

void AlertStream::OnDone(const grpc::Status& status) {
  const std::lock_guard lock(signal_.mutex);
  ended_ = status;
  news_ = true;
  signal_.changed.notify_all();
}

}  // namespace tandem::client
