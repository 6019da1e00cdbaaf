#include "tools/load/load_stream.h"

#include <fmt/format.h>
#include <grpcpp/generic/generic_stub.h>

#include <utility>

#include "router/base/check.h"
#include "router/base/status.h"
#include "tools/agent/channel.h"

namespace tandem::load {

LoadStream::LoadStream(const std::shared_ptr<grpc::Channel>& channel,
                       std::unique_ptr<grpc::ClientContext> context, const std::string& method,
                       std::uint32_t window, StreamHandler& handler)
    : context_(std::move(context)), window_(window), handler_(handler) {
  grpc::GenericStub stub(channel);
  stub.PrepareBidiStreamingCall(context_.get(), method, {}, this);
  AddHold();  // for what does not come from gRPC's callbacks: Kick and Finish
  StartRead(&answer_);
  StartCall();
  Pump();
}

LoadStream::~LoadStream() { TANDEM_CHECK(done_.has_value(), "Finish comes before the end"); }

bool LoadStream::broken() const {
  const std::lock_guard lock(mutex_);
  return read_over_ || !failed_.ok();
}

void LoadStream::Kick() {
  {
    const std::lock_guard lock(mutex_);
    kicked_ = true;
  }
  Pump();
}

// Writes one message if there is one and the window allows; OnWriteDone comes back here.
void LoadStream::Pump() {
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (writing_ || read_over_ || !failed_.ok() || in_flight_.size() >= window_) return;
      writing_ = true;
      kicked_ = false;
    }
    std::optional<grpc::ByteBuffer> message = handler_.Next();
    if (message) {
      message_ = *std::move(message);
      {
        const std::lock_guard lock(mutex_);
        in_flight_.push_back(SteadyNow());
      }
      return StartWrite(&message_);
    }
    const std::lock_guard lock(mutex_);
    writing_ = false;
    changed_.notify_all();
    if (!kicked_) return;
  }
}

void LoadStream::OnWriteDone(bool) {
  {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    changed_.notify_all();
  }
  Pump();
}

void LoadStream::OnReadDone(bool ok) {
  SteadyTime written;
  bool answers_something = false;
  {
    const std::lock_guard lock(mutex_);
    if (!ok) {
      read_over_ = true;
      changed_.notify_all();
      return;
    }
    answers_something = !in_flight_.empty();
    if (answers_something) {
      written = in_flight_.front();
      in_flight_.pop_front();
    }
  }
  const absl::Status status = answers_something ? handler_.OnAnswer(answer_, written)
                                                : absl::InternalError("an answer to nothing");
  if (!status.ok()) context_->TryCancel();
  {
    const std::lock_guard lock(mutex_);
    if (failed_.ok()) failed_ = status;
    changed_.notify_all();
  }
  StartRead(&answer_);
  Pump();
}

void LoadStream::OnDone(const grpc::Status& status) {
  const std::lock_guard lock(mutex_);
  done_ = status;
  changed_.notify_all();
}

absl::Status LoadStream::Finish(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  const bool answered = changed_.wait_for(lock, timeout, [&] {
    return read_over_ || !failed_.ok() || (in_flight_.empty() && !writing_);
  });
  const std::size_t missing = in_flight_.size();
  const bool orderly = answered && !read_over_ && failed_.ok();
  lock.unlock();
  if (orderly) StartWritesDone();
  lock.lock();
  // An orderly end comes at once; two seconds forgive a busy machine.
  const bool ended =
      changed_.wait_for(lock, std::chrono::seconds(orderly ? 2 : 0), [&] { return read_over_; });
  lock.unlock();
  if (!ended) context_->TryCancel();
  lock.lock();
  changed_.wait(lock, [&] { return read_over_; });
  lock.unlock();
  RemoveHold();
  lock.lock();
  changed_.wait(lock, [&] { return done_.has_value(); });
  if (!failed_.ok()) return failed_;
  if (!answered) {
    return absl::DeadlineExceededError(fmt::format("{} messages were not answered", missing));
  }
  return orderly ? absl::OkStatus() : client::FromGrpc(*done_);
}

}  // namespace tandem::load
