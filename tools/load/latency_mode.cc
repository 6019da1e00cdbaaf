#include "tools/load/latency_mode.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "router/base/status.h"
#include "tools/agent/wire.h"
#include "tools/load/feed_reader.h"
#include "tools/load/load_stream.h"

namespace tandem::load {
namespace {

// Sends what is due, and takes the times of receipts and events.
class LatencyStream final : public StreamHandler {
 public:
  explicit LatencyStream(const LatencyOptions& options)
      : batch_(options.alerts.batch),
        first_(options.alerts.first),
        batches_(options.alerts),
        hello_(LoadHello(options.target, 0)) {}

  // Makes the bytes of the next batch, ahead of its time: what an agent sees is ready to be sent.
  // After the welcome; one thread.
  void Prepare() { prepared_ = batches_.Next(++number_); }
  // One more batch, the prepared one, is due at `time`. Kick the stream after it.
  void Schedule(SteadyTime time) {
    const std::lock_guard lock(mutex_);
    due_.push_back({time, prepared_});
  }

  std::optional<grpc::ByteBuffer> Next() override {
    const std::lock_guard lock(mutex_);
    if (hello_) return std::exchange(hello_, std::nullopt);
    if (!welcome_ || due_.empty()) return std::nullopt;
    Due due = std::move(due_.front());
    due_.pop_front();
    unconfirmed_.push_back(due.time);
    // The ids of a run are consecutive: alert n of it was due at due_of_alert_[n].
    due_of_alert_.insert(due_of_alert_.end(), batch_, due.time);
    return std::move(due.batch);
  }

  absl::Status OnAnswer(const grpc::ByteBuffer& answer, SteadyTime) override {
    const SteadyTime now = SteadyNow();
    grpc::ByteBuffer bytes = answer;
    if (!grpc::SerializationTraits<v1::StreamAlertsResponse>::Deserialize(&bytes, &response_)
             .ok()) {
      return absl::InternalError("an answer that is no StreamAlertsResponse");
    }
    const std::lock_guard lock(mutex_);
    if (response_.has_welcome()) {
      number_ = response_.welcome().last_durable_batch();
      welcome_ = true;
      changed_.notify_all();
      return absl::OkStatus();
    }
    refused_ += static_cast<std::uint64_t>(response_.receipt().refusals_size());
    to_receipt_.Add(now - unconfirmed_.front());
    unconfirmed_.pop_front();
    return absl::OkStatus();
  }

  // The feed shows the alert.
  void Seen(std::uint64_t id) {
    const SteadyTime now = SteadyNow();
    const std::lock_guard lock(mutex_);
    if (id < first_ || id - first_ >= due_of_alert_.size()) return;
    SteadyTime& due = due_of_alert_[id - first_];
    if (due == SteadyTime()) return;  // seen before
    to_subscriber_.Add(now - due);
    due = SteadyTime();
    if (IsAllSeen()) changed_.notify_all();  // waking the schedule at each would slow the reader
  }

  bool AwaitWelcome(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout, [&] { return welcome_; });
  }
  void AwaitUntil(SteadyTime time) {
    std::unique_lock lock(mutex_);
    while (SteadyNow() < time) changed_.wait_until(lock, time);
  }
  // Waits until every alert that was sent was seen.
  void AwaitAllSeen(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, timeout, [&] { return IsAllSeen(); });
  }

  // After the stream's end.
  Json Figures() const {
    const std::lock_guard lock(mutex_);
    const std::uint64_t sent = due_of_alert_.size();
    return {{"sent", sent},
            {"refused", refused_},
            {"not_seen", sent - std::min<std::uint64_t>(sent, to_subscriber_.count() + refused_)},
            {"receipt", to_receipt_.Figures()},
            {"subscriber", to_subscriber_.Figures()}};
  }

 private:
  struct Due {
    SteadyTime time;
    grpc::ByteBuffer batch;
  };

  // REQUIRES: mutex_ is held.
  bool IsAllSeen() const { return to_subscriber_.count() + refused_ >= due_of_alert_.size(); }

  const std::uint32_t batch_;
  const std::uint64_t first_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  ReferenceBatches batches_;  // of the thread that prepares, as are the next two
  std::uint64_t number_ = 0;  // set by the welcome before
  grpc::ByteBuffer prepared_;
  std::optional<grpc::ByteBuffer> hello_;
  bool welcome_ = false;
  std::deque<Due> due_;                 // not written yet; grows while the window is full
  std::deque<SteadyTime> unconfirmed_;  // at most the window
  std::vector<SteadyTime> due_of_alert_;
  std::uint64_t refused_ = 0;
  Latencies to_receipt_;
  Latencies to_subscriber_;
  v1::StreamAlertsResponse response_;
};

// Lets the batches become due one by one, whatever the router does.
void KeepSchedule(const LatencyOptions& options, LatencyStream& handler, LoadStream& stream,
                  const FeedReader& feed) {
  const std::chrono::duration<double> gap(options.alerts.batch / options.rate);
  const SteadyTime begin = SteadyNow();
  for (std::uint64_t i = 0;; ++i) {
    const SteadyTime due =
        begin + std::chrono::duration_cast<SteadyTime::duration>(gap * static_cast<double>(i));
    if (due >= begin + options.duration || stream.broken() || !feed.status().ok()) return;
    handler.Prepare();
    handler.AwaitUntil(due);
    handler.Schedule(due);
    stream.Kick();
  }
}

}  // namespace

absl::StatusOr<Json> RunLatency(const LatencyOptions& options) {
  const client::Connection& connection = options.target.connection;
  auto feed_context = std::make_unique<grpc::ClientContext>();
  auto stream_context = std::make_unique<grpc::ClientContext>();
  TANDEM_RETURN_IF_ERROR(client::Authorize(connection, *feed_context));
  TANDEM_RETURN_IF_ERROR(client::Authorize(connection, *stream_context));
  TANDEM_ASSIGN_OR_RETURN(auto feed_channel, client::OpenChannel(connection));
  TANDEM_ASSIGN_OR_RETURN(auto stream_channel, client::OpenChannel(connection));
  LatencyStream handler(options);
  FeedReader feed(feed_channel, std::move(feed_context), options.target.tenant,
                  [&handler](std::uint64_t id) { handler.Seen(id); });
  if (const absl::Status started = feed.AwaitStart(options.patience); !started.ok()) {
    return Annotate(started, "feed");
  }
  LoadStream stream(stream_channel, std::move(stream_context), client::kStreamAlertsMethod,
                    options.window, handler);
  if (handler.AwaitWelcome(options.patience)) KeepSchedule(options, handler, stream, feed);
  const absl::Status ended = stream.Finish(options.patience);
  if (!ended.ok()) return Annotate(ended, "ingest stream");
  handler.AwaitAllSeen(options.patience);
  if (!feed.status().ok()) return Annotate(feed.status(), "feed");
  Json figures = {{"mode", "latency"},
                  {"batch", options.alerts.batch},
                  {"rate", options.rate},
                  {"seconds", std::chrono::duration<double>(options.duration).count()}};
  figures.update(handler.Figures());
  return figures;
}

}  // namespace tandem::load
