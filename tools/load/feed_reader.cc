#include "tools/load/feed_reader.h"

#include <utility>

#include "tools/agent/channel.h"
#include "tools/load/reference_batches.h"

namespace tandem::load {

FeedReader::FeedReader(const std::shared_ptr<grpc::Channel>& channel,
                       std::unique_ptr<grpc::ClientContext> context, const std::string& tenant,
                       std::function<void(std::uint64_t id)> seen)
    : context_(std::move(context)), stub_(v1::Feed::NewStub(channel)), seen_(std::move(seen)) {
  if (!tenant.empty()) request_.add_parents("tenants/" + tenant);
  stub_->async()->Subscribe(context_.get(), &request_, this);
  StartRead(&event_);
  StartCall();
}

FeedReader::~FeedReader() {
  context_->TryCancel();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return done_.has_value(); });
}

absl::Status FeedReader::AwaitStart(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [&] { return started_ || done_.has_value(); });
  if (started_) return absl::OkStatus();
  if (done_) return client::FromGrpc(*done_);
  return absl::DeadlineExceededError("the feed gave no first answer");
}

absl::Status FeedReader::status() const {
  const std::lock_guard lock(mutex_);
  return done_ ? client::FromGrpc(*done_) : absl::OkStatus();
}

void FeedReader::OnReadDone(bool ok) {
  if (!ok) return;
  for (const v1::IncidentAlert& alert : event_.alerts()) {
    if (alert.state() != v1::FIRING) continue;
    if (const auto id = IdOf(alert.labels())) seen_(*id);
  }
  {
    const std::lock_guard lock(mutex_);
    started_ = true;
    changed_.notify_all();
  }
  StartRead(&event_);
}

void FeedReader::OnDone(const grpc::Status& status) {
  const std::lock_guard lock(mutex_);
  done_ = status;
  changed_.notify_all();
}

}  // namespace tandem::load
