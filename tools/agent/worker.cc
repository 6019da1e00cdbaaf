#include "tools/agent/worker.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include "router/base/status.h"
#include "tools/agent/refusal.h"
#include "tools/agent/wire.h"

namespace tandem::client {
namespace {

// Batches that wait for the spool's disk. Beyond it Send waits.
constexpr std::size_t kCutMax = 64;
// Of a router that does not say its own.
constexpr absl::Duration kResolveTimeout = absl::Minutes(5);
// So often is a firing alert reported before the router would end it: one report may be late.
constexpr int kReportsPerResolveTimeout = 3;
// How often the age of the spool's oldest batch is looked at.
constexpr absl::Duration kAgeCheck = absl::Seconds(1);

// Never jumps; for waiting only.
absl::Time SteadyNow() {
  return absl::UnixEpoch() + absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

std::chrono::steady_clock::time_point ToSteady(absl::Time time) {
  // Far beyond any wait, and far from the clock's overflow.
  const absl::Time latest = SteadyNow() + absl::Hours(24);
  return std::chrono::steady_clock::time_point(
      absl::ToChronoNanoseconds(std::min(time, latest) - absl::UnixEpoch()));
}

std::uint64_t SeedOf(const ClientOptions& options) {
  return options.seed != 0 ? options.seed : std::random_device()();
}

absl::Status StoppedError() {
  return Error(absl::StatusCode::kFailedPrecondition, "STOPPED",
               "this client was stopped and takes no more alerts");
}

// `alert` as it is sent: with a start.
v1::Alert WithStart(const v1::Alert& alert, absl::Time now) {
  v1::Alert stamped = alert;
  if (!stamped.has_starts_at() && !stamped.has_ends_at()) {
    const std::int64_t micros = absl::ToUnixMicros(now);
    stamped.mutable_starts_at()->set_seconds(micros / 1'000'000);
    stamped.mutable_starts_at()->set_nanos(static_cast<std::int32_t>(micros % 1'000'000) * 1000);
  }
  return stamped;
}

}  // namespace

Worker::Worker(ClientOptions options, std::shared_ptr<grpc::Channel> channel,
               std::unique_ptr<Spool> spool)
    : options_(std::move(options)),
      channel_(std::move(channel)),
      cutter_({.batch_alerts = options_.batch_alerts,
               .batch_bytes = kBatchMaxBytes,
               .linger = options_.linger}),
      active_({.interval = options_.resend_interval.value_or(absl::InfiniteDuration()),
               .max_alerts = options_.active_max}),
      spool_(std::move(spool)),
      session_(options_, *spool_),
      backoff_(options_.backoff, SeedOf(options_)) {
  spooled_bytes_ = spool_->bytes();
  spooled_alerts_ = taken_alerts_ = spool_->alerts();
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "tandem-client");
    Run();
  });
}

Worker::~Worker() {
  if (thread_.joinable()) (void)Stop(absl::ZeroDuration());  // what is left is left
}

absl::Time Worker::WallNow() const {
  return options_.clock != nullptr ? options_.clock->Now() : system_clock_.Now();
}

// ---- Callers ----

std::uint64_t Worker::WaitingBytesLocked() const {
  return cutter_.bytes() + in_hand_bytes_ + spooled_bytes_;
}

std::uint64_t Worker::WaitingAlertsLocked() const {
  return cutter_.alerts() + in_hand_alerts_ + spooled_alerts_;
}

// Of all that was ever taken: what waits no more.
std::uint64_t Worker::LeftAlertsLocked() const { return taken_alerts_ - WaitingAlertsLocked(); }

absl::Status Worker::MakeRoom(std::uint64_t bytes, Lock& lock) {
  const std::uint64_t max = options_.spool.max_bytes;
  if (bytes > max) {
    return Error(
        absl::StatusCode::kInvalidArgument, "ALERT_TOO_LARGE",
        fmt::format("{} bytes in one Send are more than the spool may hold, {}", bytes, max));
  }
  progressed_.wait(lock, [&] {
    if (stopping_) return true;
    if (cutter_.waiting() >= kCutMax) return false;
    return options_.spool.overflow != Overflow::kBlock || WaitingBytesLocked() + bytes <= max;
  });
  if (stopping_) return StoppedError();
  if (options_.spool.overflow == Overflow::kRefuse && WaitingBytesLocked() + bytes > max) {
    return AddRetry(
        Error(
            absl::StatusCode::kResourceExhausted, "SPOOL_FULL",
            fmt::format("{} of at most {} bytes of alerts wait for the router; keep this alert and "
                        "send it again later, or give the spool more room",
                        WaitingBytesLocked(), max)),
        absl::Seconds(1));
  }
  return absl::OkStatus();
}

absl::Status Worker::Send(std::span<const v1::Alert> alerts) {
  if (alerts.empty()) return absl::OkStatus();
  const absl::Time now = WallNow();
  std::vector<v1::Alert> stamped;
  stamped.reserve(alerts.size());
  std::vector<std::string> elements(alerts.size());
  std::uint64_t bytes = kBatchOverheadBytes;
  for (std::size_t i = 0; i < alerts.size(); ++i) {
    stamped.push_back(WithStart(alerts[i], now));
    AppendAlert(stamped.back(), elements[i]);
    bytes += elements[i].size();
    if (elements[i].size() > kBatchMaxBytes) {
      return Error(absl::StatusCode::kInvalidArgument, "ALERT_TOO_LARGE",
                   fmt::format("alerts[{}] has {} bytes, at most {} are allowed", i,
                               elements[i].size(), kBatchMaxBytes));
    }
  }
  Lock lock(signal_.mutex);
  TANDEM_RETURN_IF_ERROR(MakeRoom(bytes, lock));
  std::vector<std::shared_ptr<Stored>> stored;
  const absl::Time arrived = SteadyNow();
  for (std::size_t i = 0; i < alerts.size(); ++i) {
    std::shared_ptr<Stored> fate = cutter_.Add(elements[i], arrived);
    if (stored.empty() || stored.back() != fate) stored.push_back(std::move(fate));
    if (Resends()) active_.Note(stamped[i], arrived);
  }
  stats_.sent += alerts.size();
  taken_alerts_ += alerts.size();
  signal_.changed.notify_all();
  if (!options_.spool.durable) return absl::OkStatus();
  const absl::Status status = AwaitStored(stored, lock);
  if (!status.ok()) stats_.sent -= alerts.size();
  return status;
}

absl::Status Worker::AwaitStored(const std::vector<std::shared_ptr<Stored>>& stored, Lock& lock) {
  for (const std::shared_ptr<Stored>& fate : stored) {
    progressed_.wait(lock, [&] { return fate->done; });
    TANDEM_RETURN_IF_ERROR(fate->status);
  }
  return absl::OkStatus();
}

absl::Status Worker::Flush(absl::Duration timeout) {
  Lock lock(signal_.mutex);
  cutter_.Cut();
  signal_.changed.notify_all();
  // First in, first out: what was taken before has left when no more waits than came after.
  const std::uint64_t target = taken_alerts_;
  const auto flushed = [&] { return LeftAlertsLocked() >= target; };
  progressed_.wait_until(lock, ToSteady(SteadyNow() + timeout),
                         [&] { return stopped_ || flushed(); });
  if (flushed()) return absl::OkStatus();
  return Error(
      absl::StatusCode::kDeadlineExceeded, "NOT_FLUSHED",
      fmt::format("without a receipt yet: {}; {}", WaitingAlertsLocked(),
                  options_.spool.directory.empty() ? "in memory only"
                                                   : "the spool keeps them for the next start"));
}

absl::Status Worker::Stop(absl::Duration timeout) {
  {
    const Lock lock(signal_.mutex);
    stopping_ = true;
    stop_by_ = SteadyNow() + timeout;
    cutter_.Cut();
    signal_.changed.notify_all();
    progressed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  return Flush(absl::ZeroDuration());
}

ClientStats Worker::stats() const {
  const Lock lock(signal_.mutex);
  ClientStats stats = stats_;
  stats.waiting_alerts = WaitingAlertsLocked();
  stats.waiting_bytes = WaitingBytesLocked();
  stats.active = active_.size();
  stats.not_kept = active_.not_kept();
  return stats;
}

// ---- The thread ----

void Worker::Run() {
  while (true) {
    Turn turn = WaitForWork();
    Store(turn.batches);
    HandleArrivals(std::move(turn.arrivals));
    GiveUpOld();
    CheckTimeouts();
    Connect();
    Pump();
    ReportDamages();
    if (Publish(turn)) break;
  }
  CloseStream();
  const Lock lock(signal_.mutex);
  stopped_ = true;
  stats_.connected = false;
  progressed_.notify_all();
}

absl::Time Worker::NextDueLocked() const {
  absl::Time due = std::min({cutter_.due(), answer_by_, stop_by_});
  if (!stream_) due = std::min(due, connect_at_);
  if (MayResendLocked()) due = std::min(due, active_.due());
  if (stopping_ && WaitingAlertsLocked() == 0) due = absl::InfinitePast();
  if (spooled_alerts_ > 0) due = std::min(due, SteadyNow() + kAgeCheck);
  return due;
}

Worker::Turn Worker::WaitForWork() {
  Lock lock(signal_.mutex);
  const auto something = [&] {
    return (stream_ && stream_->HasArrivalsLocked()) || NextDueLocked() <= SteadyNow();
  };
  while (!something()) signal_.changed.wait_until(lock, ToSteady(NextDueLocked()));
  const absl::Time now = SteadyNow();
  ResendLocked(now);
  Turn turn;
  turn.stopping = stopping_;
  const std::uint64_t bytes = cutter_.bytes();
  const std::uint64_t alerts = cutter_.alerts();
  turn.batches = cutter_.Take(now);
  in_hand_bytes_ = bytes - cutter_.bytes();
  in_hand_alerts_ = alerts - cutter_.alerts();
  if (stream_) turn.arrivals = stream_->TakeLocked();
  return turn;
}

bool Worker::Resends() const { return options_.resend_interval != absl::ZeroDuration(); }

// Repeats ride along with whatever is on its way, for a busy sender is never idle. Those that wait
// are limited, so that a large table neither delays new alerts by more than half a window nor
// fills the spool of a slow link.
bool Worker::MayResendLocked() const {
  return !stopping_ && session_.welcomed() &&
         repeats_.size() < std::max<std::size_t>(1, options_.window / 2) &&
         WaitingBytesLocked() < options_.spool.max_bytes;
}

// Adds one lot, which is no larger than a batch.
void Worker::ResendLocked(absl::Time now) {
  if (!MayResendLocked()) return;
  const std::vector<std::string> elements = active_.TakeDue(now, options_.batch_alerts);
  if (elements.empty()) return;
  for (const std::string& element : elements) cutter_.Add(element, now);
  stats_.resent += elements.size();
  taken_alerts_ += elements.size();
  repeats_.push_back(taken_alerts_);
}

void Worker::LearnInterval(const v1::Welcome& welcome) {
  if (options_.resend_interval) return;  // the user knows better
  const google::protobuf::Duration& told = welcome.resolve_timeout();
  absl::Duration timeout = absl::Seconds(told.seconds()) + absl::Nanoseconds(told.nanos());
  if (timeout <= absl::ZeroDuration()) timeout = kResolveTimeout;
  const Lock lock(signal_.mutex);
  active_.SetInterval(timeout / kReportsPerResolveTimeout);
}

void Worker::Store(std::vector<CutBatch>& batches) {
  bool kept = false;
  for (CutBatch& batch : batches) {
    batch.stored->status =
        spool_->Append({.bytes = batch.bytes, .alerts = batch.alerts, .time = WallNow()}).status();
    kept = kept || batch.stored->status.ok();
  }
  if (options_.spool.durable) {
    const absl::Status synced = kept ? spool_->Sync() : absl::OkStatus();
    for (CutBatch& batch : batches) batch.stored->status.Update(synced);
    return;
  }
  for (const CutBatch& batch : batches) {
    const absl::Status& status = batch.stored->status;
    if (!status.ok()) session_.Drop({ReasonOf(status), MessageOf(status), batch.alerts});
  }
}

void Worker::GiveUpOld() {
  const absl::Time now = WallNow();
  while (const std::optional<BatchInfo> oldest = spool_->Oldest()) {
    const bool overflow = options_.spool.overflow == Overflow::kDropOldest &&
                          spool_->bytes() > options_.spool.max_bytes;
    const bool old = oldest->time + options_.spool.max_age < now;
    if (!overflow && !old) return;
    session_.Drop(
        {.reason = overflow ? "SPOOL_FULL" : "TOO_OLD",
         .description = overflow ? "the spool is full and its oldest batch was given up"
                                 : "the router was away for longer than the spool keeps alerts",
         .alerts = oldest->alerts});
    spool_->RemoveThrough(oldest->number);
  }
}

void Worker::HandleArrivals(AlertStream::Arrivals arrivals) {
  if (!stream_) return;
  stream_->Continue();
  may_write_ = arrivals.may_write;
  for (const v1::StreamAlertsResponse& response : arrivals.responses) {
    if (stream_broken_) break;
    const absl::Status status = session_.OnResponse(response);
    if (!status.ok()) {
      Break(status);
      if (options_.events.notice) options_.events.notice(status);
      break;
    }
    if (response.has_welcome()) {
      turned_away_ = false;
      LearnInterval(response.welcome());
    }
    if (response.has_receipt() || spool_->empty()) backoff_.Reset();
    answer_by_ = session_.idle() ? absl::InfiniteFuture() : SteadyNow() + options_.receipt_timeout;
  }
  for (const v1::Alert& alert : session_.TakeRefused()) {
    const Lock lock(signal_.mutex);
    active_.Forget(AlertKey(alert));
  }
  if (arrivals.ended) EndStream(stream_broken_ ? why_broken_ : FromGrpc(*arrivals.ended));
}

void Worker::EndStream(const absl::Status& status) {
  turned_away_ = IsFinalRefusal(status, {.welcomed = session_.welcomed(),
                                         .welcomed_before = session_.counters().connects > 0,
                                         .token_from_file = !options_.connection.token_file.empty(),
                                         .tenant_may_come = options_.wait_for_tenant});
  session_.OnEnd(status);
  (void)session_.Begin();  // nothing is in flight any more
  stream_.reset();
  stream_broken_ = false;
  may_write_ = false;
  answer_by_ = absl::InfiniteFuture();
  const absl::Duration wait = backoff_.Next(RetryOf(status));
  connect_at_ = SteadyNow() + wait;
  {
    const Lock lock(signal_.mutex);
    stats_.last_error = status;
  }
  if (options_.events.disconnected) {
    options_.events.disconnected({.why = status, .retry_in = wait, .turned_away = turned_away_});
  }
}

void Worker::CheckTimeouts() {
  if (!stream_ || stream_broken_ || SteadyNow() < answer_by_) return;
  Break(Error(absl::StatusCode::kDeadlineExceeded, "NO_ANSWER",
              session_.welcomed() ? "the router sent no receipt in time"
                                  : "the router sent no welcome in time"));
}

void Worker::Break(const absl::Status& why) {
  stream_broken_ = true;
  why_broken_ = why;
  answer_by_ = absl::InfiniteFuture();
  stream_->Cancel();
}

void Worker::Connect() {
  if (stream_ || SteadyNow() < connect_at_) return;
  auto context = std::make_unique<grpc::ClientContext>();
  const absl::Status authorized = Authorize(options_.connection, *context);
  if (!authorized.ok()) return EndStream(authorized);
  stream_ = std::make_unique<AlertStream>(channel_, std::move(context), signal_);
  stream_->Write(session_.Begin());
  may_write_ = false;
  answer_by_ = SteadyNow() + options_.welcome_timeout;
}

void Worker::Pump() {
  if (!stream_ || stream_broken_ || !may_write_) return;
  std::optional<grpc::ByteBuffer> message = session_.NextMessage();
  if (!message) return;
  may_write_ = false;
  stream_->Write(*std::move(message));
  answer_by_ = std::min(answer_by_, SteadyNow() + options_.receipt_timeout);
}

void Worker::ReportDamages() {
  for (const SpoolDamage& damage : spool_->TakeDamages()) {
    if (!options_.events.notice) continue;
    options_.events.notice(Error(absl::StatusCode::kDataLoss, "SPOOL_DAMAGED",
                                 fmt::format("{} at byte {}: {}; what follows there is skipped",
                                             damage.file, damage.offset, damage.problem)));
  }
}

// Shows the callers what this turn changed; true when the thread is to end.
bool Worker::Publish(const Turn& turn) {
  const Lock lock(signal_.mutex);
  for (const CutBatch& batch : turn.batches) batch.stored->done = true;
  in_hand_bytes_ = in_hand_alerts_ = 0;
  spooled_bytes_ = spool_->bytes();
  spooled_alerts_ = spool_->alerts();
  while (!repeats_.empty() && repeats_.front() <= LeftAlertsLocked()) repeats_.pop_front();
  const Session::Counters& counters = session_.counters();
  stats_.accepted = counters.accepted;
  stats_.confirmed_on_resume = counters.confirmed_on_resume;
  stats_.refused = counters.refused;
  stats_.dropped = counters.dropped;
  stats_.batches = counters.batches;
  stats_.receipts = counters.receipts;
  stats_.connects = counters.connects;
  stats_.connected = session_.welcomed();
  progressed_.notify_all();
  if (!turn.stopping) return false;
  return WaitingAlertsLocked() == 0 || turned_away_ || SteadyNow() >= stop_by_;
}

void Worker::CloseStream() {
  if (!stream_) return;
  bool half_closed = false;
  // Half a second for an orderly end; a router that does not answer is cut off.
  const absl::Time give_up = SteadyNow() + absl::Milliseconds(500);
  while (true) {
    AlertStream::Arrivals arrivals;
    {
      Lock lock(signal_.mutex);
      signal_.changed.wait_until(lock, ToSteady(give_up),
                                 [&] { return stream_->HasArrivalsLocked(); });
      arrivals = stream_->TakeLocked();
    }
    stream_->Continue();
    if (arrivals.ended) break;
    if (arrivals.may_write && !std::exchange(half_closed, true)) stream_->FinishWrites();
    if (SteadyNow() >= give_up) stream_->Cancel();
  }
  stream_.reset();
}

}  // namespace tandem::client
