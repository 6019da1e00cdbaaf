#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "router/api/services.h"
#include "router/base/status.h"
#include "router/rpc/outbound.h"

namespace tandem::api {
namespace {

using Reactor = grpc::ServerWriteReactor<v1::DeliveryEvent>;

// A worker that does not read on is cut off; it gets everything open when it comes back.
constexpr rpc::OutboundLimits kOutbound = {
    .messages_max = 100'000, .bytes_max = 256 << 20, .messages_low = 1000, .bytes_low = 8 << 20};

class DeliveryStream final : public Reactor, public rpc::DrainableStream, public DeliverySink {
 public:
  DeliveryStream(DeliveryHub* hub, const rpc::CallGuard& guard, rpc::Call call)
      : hub_(hub), guard_(guard), call_(std::move(call)), outbound_(this, kOutbound) {}

  void Start(std::shared_ptr<DeliveryStream> self, rpc::StreamRegistry::Registration registration) {
    self_ = std::move(self);
    registration_ = std::move(registration);
  }

  bool Wants(const TenantId& tenant) const override {
    const rpc::Caller& caller = call_.caller;
    return caller.all_tenants ||
           std::binary_search(caller.tenants.begin(), caller.tenants.end(), tenant);
  }
  bool Send(v1::DeliveryEvent event) override {
    const rpc::Offer offer = outbound_.Push(std::move(event));
    if (offer == rpc::Offer::kOverflow) {
      End(AddRetry(Error(absl::StatusCode::kResourceExhausted, "READER_TOO_SLOW",
                         "the worker was too far behind; watch again to get all that is open"),
                   absl::Milliseconds(100)));
    }
    return offer == rpc::Offer::kTaken;
  }
  bool HasRoom() const override { return outbound_.HasRoom(); }
  void CutOff(absl::Status status) override { End(std::move(status)); }
  void End(absl::Status status) override {
    if (!ended_.exchange(true)) outbound_.End(guard_.Close(call_, status));
  }
  const rpc::Call* call() const override { return &call_; }

 private:
  void OnWriteDone(bool ok) override {
    outbound_.OnWriteDone(ok);
    if (outbound_.MadeRoom()) hub_->Poke();
  }
  void OnCancel() override {
    End(Error(absl::StatusCode::kCancelled, "CALL_CANCELLED", "the worker has gone"));
    hub_->Poke();
  }
  void OnDone() override {
    hub_->Remove(this);
    registration_.Release();
    const auto last = std::move(self_);
  }

  DeliveryHub* hub_;
  const rpc::CallGuard& guard_;
  const rpc::Call call_;
  rpc::Outbound<v1::DeliveryEvent, Reactor> outbound_;
  std::atomic<bool> ended_ = false;
  rpc::StreamRegistry::Registration registration_;
  std::shared_ptr<DeliveryStream> self_;  // until OnDone
};

}  // namespace

grpc::ServerWriteReactor<v1::DeliveryEvent>* DeliveriesService::WatchDeliveries(
    grpc::CallbackServerContext* context, const v1::WatchDeliveriesRequest*) {
  rpc::Call call = guard_->Open(context, "/tandem.v1.Deliveries/WatchDeliveries");
  if (const absl::Status admitted = guard_->Admit(*context, call); !admitted.ok()) {
    return new rpc::Refused<Reactor>(guard_->Close(call, admitted));
  }
  auto stream = std::make_shared<DeliveryStream>(hub_, *guard_, std::move(call));
  auto registration = guard_->registry().Add(std::weak_ptr<rpc::DrainableStream>(stream));
  absl::Status status = registration.status();
  DeliveryStream* raw = stream.get();
  raw->Start(stream,
             registration.ok() ? *std::move(registration) : rpc::StreamRegistry::Registration());
  if (status.ok()) {
    hub_->Add(std::move(stream));
  } else {
    raw->End(status);
  }
  return raw;
}

grpc::ServerUnaryReactor* DeliveriesService::ReportDelivery(
    grpc::CallbackServerContext* context, const v1::ReportDeliveryRequest* request,
    v1::ReportDeliveryResponse* response) {
  return rpc::ServeLater<v1::ReportDeliveryResponse>(
      context, *guard_, "/tandem.v1.Deliveries/ReportDelivery", response,
      [&](const rpc::Call& call, rpc::Done<v1::ReportDeliveryResponse> answer) {
        api_->ReportDelivery(call.caller, *request, std::move(answer));
      });
}

}  // namespace tandem::api
