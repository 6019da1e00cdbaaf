#include "services/notifier/worker.h"

#include <pthread.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <thread>
#include <utility>

#include "router/base/status.h"
#include "router/base/text.h"

namespace tandem::notifier {
namespace {

namespace asio = boost::asio;

// The alarm follows the wall clock, which people set: look again at least this often.
constexpr absl::Duration kAlarmMax = absl::Seconds(30);

class AsioAlarm final : public Alarm {
 public:
  AsioAlarm(asio::io_context& io, const Clock& clock) : timer_(io), clock_(clock) {}

  // Before the first WakeAt.
  void Attach(Dispatcher& dispatcher) { dispatcher_ = &dispatcher; }

  void WakeAt(absl::Time time) override {
    if (time == set_for_) return;
    set_for_ = time;
    Arm();
  }

 private:
  void Arm() {
    if (set_for_ == absl::InfiniteFuture()) {
      timer_.cancel();
      return;
    }
    const absl::Duration pause =
        std::clamp(set_for_ - clock_.Now(), absl::ZeroDuration(), kAlarmMax);
    timer_.expires_after(absl::ToChronoNanoseconds(pause));
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      if (clock_.Now() < set_for_) return Arm();
      set_for_ = absl::InfiniteFuture();
      dispatcher_->Wake();
    });
  }

  asio::steady_timer timer_;
  const Clock& clock_;
  Dispatcher* dispatcher_ = nullptr;
  absl::Time set_for_ = absl::InfiniteFuture();
};

}  // namespace

class DeliveryWorker::Impl final : public DeliveryLink::Listener {
 public:
  explicit Impl(WorkerOptions options)
      : options_(std::move(options)),
        work_(asio::make_work_guard(io_)),
        resolver_(io_, SystemResolver::Limits{}),
        stop_timer_(io_) {}

  ~Impl() override { Stop(); }

  absl::Status Start() {
    if (options_.link.channel == nullptr) {
      return InvalidField("CHANNEL_MISSING", "link.channel", "a gRPC channel to the router");
    }
    TANDEM_ASSIGN_OR_RETURN(http_, HttpClient::Create(io_, resolver_, options_.http));
    webhook_.emplace(*http_, clock(), std::move(options_.secrets));
    link_.emplace(io_, options_.link, *this);
    alarm_.emplace(io_, clock());
    dispatcher_.emplace(Dispatcher::Ports{.clock = clock(),
                                          .source = *link_,
                                          .sink = *link_,
                                          .alarm = *alarm_,
                                          .observer = observer(),
                                          .channels = {{"webhook", &*webhook_}},
                                          .log = options_.log},
                        options_.dispatch);
    alarm_->Attach(*dispatcher_);
    asio::post(io_, [this] { link_->Watch(); });
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "notifier");
      io_.run();
    });
    return absl::OkStatus();
  }

  void Stop() {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] { BeginStop(); });
    thread_.join();
  }

  void SetSecrets(SecretBook secrets) {
    asio::post(io_, [this, secrets = std::move(secrets)]() mutable {
      webhook_->SetSecrets(std::move(secrets));
      dispatcher_->OnChannelsChanged();
    });
  }

  void OnWatchStarted() override {
    Say(LogLevel::kInfo, "connected to the router");
    observer().OnWatch(/*connected=*/true);
    dispatcher_->OnWatchStarted();
  }

  void OnEvent(const v1::DeliveryEvent& event) override { dispatcher_->OnEvent(event); }

  void OnWatchEnded(const grpc::Status& status) override {
    observer().OnWatch(/*connected=*/false);
    Say(LogLevel::kWarning,
        "stream of open deliveries ended: " + Printable(status.error_message()));
  }

 private:
  void BeginStop() {
    dispatcher_->Stop();
    link_->StopWatching();
    stop_by_ = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(options_.stop_timeout);
    WaitUntilIdle();
  }

  // Looks again every few milliseconds: simpler than telling from everywhere, and only while
  // stopping.
  void WaitUntilIdle() {
    if (dispatcher_->Idle() || std::chrono::steady_clock::now() >= stop_by_) return FinishStop();
    stop_timer_.expires_after(std::chrono::milliseconds(5));
    stop_timer_.async_wait([this](const boost::system::error_code&) { WaitUntilIdle(); });
  }

  // What is under way ends as cancelled, and then nothing keeps the io_context at work.
  void FinishStop() {
    dispatcher_->Abandon();
    http_->CancelAll();
    link_->CancelReports();
    alarm_->WakeAt(absl::InfiniteFuture());
    work_.reset();
  }

  const Clock& clock() const { return options_.clock != nullptr ? *options_.clock : system_clock_; }
  NotifierObserver& observer() {
    return options_.observer != nullptr ? *options_.observer : no_observer_;
  }
  void Say(LogLevel level, const std::string& text) const {
    if (options_.log) options_.log(level, text);
  }

  WorkerOptions options_;
  const SystemClock system_clock_;
  NotifierObserver no_observer_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  SystemResolver resolver_;
  std::unique_ptr<HttpClient> http_;
  std::optional<WebhookChannel> webhook_;
  std::optional<DeliveryLink> link_;
  std::optional<AsioAlarm> alarm_;
  std::optional<Dispatcher> dispatcher_;
  asio::steady_timer stop_timer_;
  std::chrono::steady_clock::time_point stop_by_;
  std::thread thread_;
};

DeliveryWorker::DeliveryWorker(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DeliveryWorker::~DeliveryWorker() = default;

absl::StatusOr<std::unique_ptr<DeliveryWorker>> DeliveryWorker::Start(WorkerOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  TANDEM_RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<DeliveryWorker>(new DeliveryWorker(std::move(impl)));
}

void DeliveryWorker::Stop() { impl_->Stop(); }
void DeliveryWorker::SetSecrets(SecretBook secrets) { impl_->SetSecrets(std::move(secrets)); }

}  // namespace tandem::notifier
