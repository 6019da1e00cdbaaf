#include "tools/tandem/feed_reader.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <random>
#include <utility>

#include "router/base/status.h"
#include "tandem/v1/feed.grpc.pb.h"

namespace tandem::cli {
namespace {

bool IsWorthTrying(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted:  // cut off for being slow
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kOk:  // the router ended the stream: it ends only when it stops
      return true;
    default:
      return false;
  }
}

absl::Duration WithJitter(absl::Duration wait) {
  std::random_device device;
  return wait + wait * (static_cast<double>(device() % 1000) / 5000.0);
}

}  // namespace

// One Subscribe call. The next message is read only after the one before was taken: a slow terminal
// slows the router's stream down, and the router cuts it off at its own limit.
class FeedReader::Stream final : public grpc::ClientReadReactor<v1::FeedEvent> {
 public:
  Stream(const Client& client, const v1::SubscribeRequest& request)
      : stub_(client.channel()), request_(request) {
    client.Prepare(context_);
    stub_.async()->Subscribe(&context_, &request_, this);
    AddHold();  // reads start outside of reactions, so the call must not be done between two
    StartRead(&event_);
    StartCall();
  }

  ~Stream() override {
    context_.TryCancel();
    std::unique_lock lock(mutex_);
    const bool no_read_runs = ready_ || taken_;
    lock.unlock();
    if (no_read_runs) RemoveHold();  // else the failing read does it
    lock.lock();
    done_changed_.wait(lock, [&] { return done_; });
  }

  // nullopt when the stream has ended (see status) or `silence` has passed without a message.
  std::optional<v1::FeedEvent> Next(absl::Duration silence) {
    std::unique_lock lock(mutex_);
    if (std::exchange(taken_, false)) {
      lock.unlock();
      StartRead(&event_);
      lock.lock();
    }
    const bool told = done_changed_.wait_for(lock, absl::ToChronoMilliseconds(silence),
                                             [&] { return ready_ || done_; });
    if (!told || !ready_) return std::nullopt;
    ready_ = false;
    taken_ = true;
    return std::move(event_);
  }

  // nullopt while it runs.
  std::optional<grpc::Status> status() {
    const std::lock_guard lock(mutex_);
    if (!done_) return std::nullopt;
    return status_;
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) {
      RemoveHold();  // OnDone follows
      return;
    }
    const std::lock_guard lock(mutex_);
    ready_ = true;
    done_changed_.notify_all();
  }

  void OnDone(const grpc::Status& status) override {
    const std::lock_guard lock(mutex_);
    done_ = true;
    status_ = status;
    done_changed_.notify_all();
  }

  v1::Feed::Stub stub_;
  grpc::ClientContext context_;
  const v1::SubscribeRequest request_;
  v1::FeedEvent event_;

  std::mutex mutex_;
  std::condition_variable done_changed_;
  bool ready_ = false;  // event_ is filled
  bool taken_ = false;  // event_ was handed out; a read must be started
  bool done_ = false;
  grpc::Status status_;
};

FeedReader::FeedReader(const Client& client, FeedOptions options, Wait wait)
    : client_(client), options_(std::move(options)), wait_(std::move(wait)) {}

FeedReader::~FeedReader() = default;

void FeedReader::Take(const v1::FeedEvent& event) {
  answered_ = true;
  failures_ = 0;
  if (event.cursor().empty()) return;
  options_.request.set_cursor(event.cursor());
  options_.request.set_from_beginning(false);  // the cursor says it from now on
}

absl::StatusOr<v1::FeedEvent> FeedReader::Next() {
  while (true) {
    if (stream_ == nullptr) stream_ = std::make_unique<Stream>(client_, options_.request);
    const absl::Duration patience = answered_ ? options_.silence_max : client_.options().timeout;
    if (std::optional<v1::FeedEvent> event = stream_->Next(patience)) {
      Take(*event);
      return *std::move(event);
    }
    const std::optional<grpc::Status> ended = stream_->status();
    const grpc::Status why =
        ended.value_or(grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED,
                                    "the router has been silent for longer than it ever should"));
    stream_.reset();
    absl::Status status = client_.Failed("Feed/Subscribe", why);
    if (status.ok()) {
      status = Error(absl::StatusCode::kUnavailable, "STREAM_ENDED", "the router ended the feed");
    }
    TANDEM_RETURN_IF_ERROR(Recover(status));
  }
}

absl::Status FeedReader::Recover(const absl::Status& why) {
  if (!answered_ || !IsWorthTrying(why.code())) return why;
  const auto facts = FactsOf(why);
  if (const auto cursor = facts.find("cursor"); cursor != facts.end() && !cursor->second.empty()) {
    options_.request.set_cursor(cursor->second);
  }
  const int doublings = std::min(failures_, 16);
  ++failures_;
  const absl::Duration wait = RetryOf(why).value_or(WithJitter(
      std::min(options_.last_wait,
               options_.first_wait * static_cast<double>(std::int64_t{1} << doublings))));
  if (wait_(why, wait) == Paused::kElapsed) return absl::OkStatus();
  return Error(absl::StatusCode::kCancelled, "READER_GONE", "nobody reads the feed any more");
}

}  // namespace tandem::cli
