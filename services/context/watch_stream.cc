#include "services/context/watch_stream.h"

#include <fmt/format.h>

#include <utility>

#include "router/base/check.h"
#include "router/base/status.h"

namespace tandem::context {
namespace {

// One load and a heartbeat; a load has up to 2 × (1 MiB + 256 KiB).
constexpr rpc::OutboundLimits kOutbound = {.messages_max = WatchReader::kMessagesMax + 1,
                                           .bytes_max = 16 * 1024 * 1024};

}  // namespace

WatchStream::WatchStream(Parts parts, rpc::Call call, WatchReader reader)
    : parts_(parts),
      call_(std::move(call)),
      reader_(std::move(reader)),
      outbound_(this, kOutbound) {}

void WatchStream::Begin(std::shared_ptr<WatchStream> self,
                        rpc::StreamRegistry::Registration registration) {
  self_ = std::move(self);
  registration_ = std::move(registration);
  Wake();
}

void WatchStream::Wake() {
  {
    const std::lock_guard lock(mutex_);
    dirty_ = true;
  }
  LoadIfDue();
}

void WatchStream::LoadIfDue() {
  {
    const std::lock_guard lock(mutex_);
    if (ended_ || loading_ || !dirty_ || outbound_.queued() > 0) return;
    loading_ = true;
  }
  // Without workers the process stops, and the drain has ended this stream or is about to.
  parts_.hub->Post([self = shared_from_this()] { self->Load(); });
}

void WatchStream::Load() {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    dirty_ = false;
  }
  absl::StatusOr<std::vector<v1::WatchContextResponse>> messages = reader_.Next();
  if (!messages.ok()) return End(messages.status());
  bool greet = false;
  {
    const std::lock_guard lock(mutex_);
    greet = messages->empty() && !spoke_;
  }
  // A watcher that is up to date learns so at once.
  if (greet) Send(reader_.Heartbeat());
  for (v1::WatchContextResponse& message : *messages) Send(std::move(message));
  {
    const std::lock_guard lock(mutex_);
    loading_ = false;
    // There may be more than one load could hold.
    if (!messages->empty()) dirty_ = true;
  }
  LoadIfDue();
}

void WatchStream::Send(v1::WatchContextResponse message) {
  {
    const std::lock_guard lock(mutex_);
    spoke_ = true;
    silent_ticks_ = 0;
    ++unwritten_;
  }
  const rpc::Offer offer = outbound_.Push(std::move(message));
  TANDEM_CHECK(offer != rpc::Offer::kOverflow, "a load waits until the queue is empty");
}

void WatchStream::Tick() {
  bool speak = false;
  bool cut_off = false;
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    if (unwritten_ > 0) {
      cut_off = ++stuck_ticks_ >= parts_.patience.stuck && !reporting_;
    } else if (!loading_ && !dirty_ && ++silent_ticks_ >= parts_.patience.heartbeat) {
      speak = true;
      loading_ = true;  // The reader is asked.
    }
    if (cut_off) {
      cutting_off_ = true;
      ended_ = true;
    }
  }
  if (cut_off) return CutOff();
  if (!speak) return;
  Send(reader_.Heartbeat());
  {
    const std::lock_guard lock(mutex_);
    loading_ = false;
  }
  LoadIfDue();
}

void WatchStream::CutOff() {
  // A status would wait behind the write that does not get through, so the stream is broken. The
  // call cannot end under our hands: its write is not reported to outbound_ until we are through.
  outbound_.End(parts_.guard->Close(
      call_, Error(absl::StatusCode::kResourceExhausted, "WATCH_TOO_SLOW",
                   "the watcher took nothing for too long; watch again with the last version that "
                   "was received")));
  parts_.context->TryCancel();
  std::optional<bool> held;
  {
    const std::lock_guard lock(mutex_);
    cutting_off_ = false;
    reporting_ = held_write_done_.has_value();
    held = std::exchange(held_write_done_, std::nullopt);
  }
  if (held) ReportWriteDone(*held);
}

void WatchStream::End(absl::Status status) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(ended_, true)) return;
  }
  outbound_.End(parts_.guard->Close(call_, status));
}

void WatchStream::OnWriteDone(bool ok) {
  {
    const std::lock_guard lock(mutex_);
    if (cutting_off_) {
      held_write_done_ = ok;
      return;
    }
    reporting_ = true;
  }
  ReportWriteDone(ok);
}

void WatchStream::ReportWriteDone(bool ok) {
  if (!ok) End(Error(absl::StatusCode::kCancelled, "CALL_CANCELLED", "the watcher has gone"));
  outbound_.OnWriteDone(ok);
  {
    const std::lock_guard lock(mutex_);
    --unwritten_;
    stuck_ticks_ = 0;
    reporting_ = false;
  }
  LoadIfDue();
}

void WatchStream::OnCancel() {
  End(Error(absl::StatusCode::kCancelled, "CALL_CANCELLED", "the watcher has gone"));
}

void WatchStream::OnDone() {
  parts_.hub->Remove(this);
  registration_.Release();
  const auto last = std::move(self_);
}

absl::Status WatchHub::Add(const TenantId& tenant, const std::shared_ptr<WatchStream>& stream) {
  const std::lock_guard lock(mutex_);
  if (!closed_.ok()) return closed_;
  if (streams_.size() >= streams_max_) {
    return AddRetry(Error(absl::StatusCode::kResourceExhausted, "WATCHES_EXHAUSTED",
                          fmt::format("{} watches are open, and more are not taken; close one, or "
                                      "try again later",
                                      streams_max_)),
                    absl::Seconds(5));
  }
  streams_.emplace(stream.get(), Entry{tenant, stream});
  return absl::OkStatus();
}

void WatchHub::Remove(const WatchStream* stream) {
  const std::lock_guard lock(mutex_);
  streams_.erase(stream);
}

std::vector<std::shared_ptr<WatchStream>> WatchHub::Living(const TenantId* tenant) const {
  std::vector<std::shared_ptr<WatchStream>> living;
  const std::lock_guard lock(mutex_);
  for (const auto& [key, entry] : streams_) {
    if (tenant != nullptr && entry.tenant != *tenant) continue;
    if (auto stream = entry.stream.lock()) living.push_back(std::move(stream));
  }
  return living;
}

void WatchHub::Wake(const TenantId& tenant) {
  for (const auto& stream : Living(&tenant)) stream->Wake();
}

void WatchHub::Tick() {
  for (const auto& stream : Living(nullptr)) stream->Tick();
}

void WatchHub::EndAll(const absl::Status& status) {
  {
    const std::lock_guard lock(mutex_);
    closed_ = status;
  }
  for (const auto& stream : Living(nullptr)) stream->End(status);
}

}  // namespace tandem::context
