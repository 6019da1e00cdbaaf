#include "services/notifier/delivery_link.h"

#include <grpcpp/channel.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <optional>
#include <utility>

namespace tandem::notifier {
namespace {

namespace asio = boost::asio;
using WorkGuard = asio::executor_work_guard<asio::io_context::executor_type>;

absl::Status ToAbsl(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

}  // namespace

// One open stream. gRPC holds it from StartCall to OnDone through `self_`; each reaction posts to
// the io thread, which reads on when the event has been taken.
class DeliveryLink::Stream final : public grpc::ClientReadReactor<v1::DeliveryEvent> {
 public:
  explicit Stream(DeliveryLink& link) : link_(link), work_(asio::make_work_guard(link.io_)) {}

  void Start(std::shared_ptr<Stream> self) {
    self_ = std::move(self);
    link_.Authorize(context_);
    context_.set_wait_for_ready(true);
    request_.set_worker_id(link_.options_.worker_id);
    link_.stub_->async()->WatchDeliveries(&context_, &request_, this);
    StartRead(&event_);
    // Reads are started from the io thread, outside reactions.
    AddHold();
    StartCall();
  }

  void ReadOn() {
    if (!held_ || std::exchange(reading_, true)) return;
    StartRead(&event_);
  }

  // Io thread. No more reads; OnDone follows.
  void Cancel() {
    context_.TryCancel();
    Release();
  }

  void OnReadDone(bool ok) override {
    asio::post(link_.io_, [this, self = self_, ok] {
      reading_ = false;
      if (!ok) return Release();
      const bool first = !std::exchange(started_, true);
      if (held_) link_.OnStreamRead(first, event_);
    });
  }

  void OnDone(const grpc::Status& status) override {
    asio::post(link_.io_, [this, self = std::move(self_), status] {
      work_.reset();
      link_.OnStreamDone(status);
    });
  }

 private:
  void Release() {
    if (!std::exchange(held_, false)) return;
    RemoveHold();
  }

  DeliveryLink& link_;
  WorkGuard work_;
  std::shared_ptr<Stream> self_;
  grpc::ClientContext context_;
  v1::WatchDeliveriesRequest request_;
  v1::DeliveryEvent event_;  // gRPC's between StartRead and OnReadDone, else the io thread's
  bool started_ = false;     // io thread
  bool reading_ = true;      // io thread; Start reads
  bool held_ = true;         // io thread
};

struct DeliveryLink::ReportCall {
  grpc::ClientContext context;
  v1::ReportDeliveryRequest request;
  v1::ReportDeliveryResponse response;
  Done done;
};

DeliveryLink::DeliveryLink(asio::io_context& io, const LinkOptions& options, Listener& listener)
    : io_(io),
      options_(options),
      listener_(listener),
      stub_(v1::Deliveries::NewStub(options.channel)),
      reconnect_(io),
      dice_(options.seed) {}

DeliveryLink::~DeliveryLink() = default;

void DeliveryLink::Watch() {
  watching_ = true;
  stream_ = std::make_shared<Stream>(*this);
  stream_->Start(stream_);
}

void DeliveryLink::StopWatching() {
  watching_ = false;
  reconnect_.cancel();
  if (stream_ != nullptr) stream_->Cancel();
}

void DeliveryLink::WatchAgain() {
  // Without a stream one is about to be opened.
  if (!watching_ || stream_ == nullptr) return;
  again_ = true;
  stream_->Cancel();
}

void DeliveryLink::OnStreamRead(bool first, const v1::DeliveryEvent& event) {
  if (first) {
    reconnects_ = 0;
    listener_.OnWatchStarted();
  }
  listener_.OnEvent(event);
  if (stream_ != nullptr) stream_->ReadOn();
}

void DeliveryLink::OnStreamDone(const grpc::Status& status) {
  stream_.reset();
  if (std::exchange(again_, false) && watching_) return Watch();
  listener_.OnWatchEnded(status);
  if (!watching_) return;
  const absl::Duration pause = JitteredDelay(options_.reconnect, ++reconnects_, dice_);
  reconnect_.expires_after(absl::ToChronoNanoseconds(pause));
  reconnect_.async_wait([this](const boost::system::error_code& error) {
    if (!error && watching_ && stream_ == nullptr) Watch();
  });
}

void DeliveryLink::Report(const v1::ReportDeliveryRequest& report, Done done) {
  auto call = std::make_shared<ReportCall>();
  call->request = report;
  call->done = std::move(done);
  Authorize(call->context);
  call->context.set_deadline(absl::ToChronoTime(absl::Now() + options_.report_timeout));
  reports_.insert(call);
  stub_->async()->ReportDelivery(
      &call->context, &call->request, &call->response,
      [this, call, work = asio::make_work_guard(io_)](const grpc::Status& status) {
        asio::post(io_, [this, call, status] {
          reports_.erase(call);
          call->done(status.ok() ? absl::StatusOr<bool>(call->response.open()) : ToAbsl(status));
        });
      });
}

void DeliveryLink::CancelReports() {
  for (const auto& call : reports_) call->context.TryCancel();
}

void DeliveryLink::Authorize(grpc::ClientContext& context) const {
  if (!options_.token.empty()) context.AddMetadata("authorization", "Bearer " + options_.token);
}

}  // namespace tandem::notifier
