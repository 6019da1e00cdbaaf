#include "router/api/feed_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "router/api/names.h"
#include "router/base/status.h"
#include "router/base/text.h"
#include "router/rpc/outbound.h"

namespace tandem::api {
namespace {

using Reactor = grpc::ServerWriteReactor<grpc::ByteBuffer>;

// What waits for a slow reader before it is cut off: 4,096 events, or 8 MiB.
// While less than an eighth waits, and 2 MiB, history may be sent: a page of it fits in above.
constexpr rpc::OutboundLimits kOutbound = {
    .messages_max = 4096, .bytes_max = 8 << 20, .messages_low = 512, .bytes_low = 2 << 20};

// The message's bytes, without copying its body.
grpc::ByteBuffer BytesOf(const FeedMessage& message) {
  using Body = std::shared_ptr<const std::string>;
  const grpc::Slice slices[] = {
      grpc::Slice(
          const_cast<char*>(message.body->data()), message.body->size(),
          [](void* body) { delete static_cast<Body*>(body); }, new Body(message.body)),
      grpc::Slice(message.cursor_field)};
  return grpc::ByteBuffer(slices, std::size(slices));
}

class FeedStream final : public Reactor, public rpc::DrainableStream, public FeedSink {
 public:
  FeedStream(FeedHub* hub, const rpc::CallGuard& guard, rpc::Call call)
      : hub_(hub), guard_(guard), call_(std::move(call)), outbound_(this, kOutbound) {}

  void Start(std::shared_ptr<FeedStream> self, rpc::StreamRegistry::Registration registration) {
    self_ = std::move(self);
    registration_ = std::move(registration);
  }

  Sent Send(FeedMessage message) override {
    switch (outbound_.Push(BytesOf(message))) {
      case rpc::Offer::kTaken:
        return Sent::kYes;
      case rpc::Offer::kOverflow:
        return Sent::kFull;
      case rpc::Offer::kEnded:
        break;
    }
    return Sent::kGone;
  }
  void Hold() override { outbound_.Hold(); }
  void Release() override { outbound_.Release(); }
  bool HasRoom() const override { return outbound_.HasRoom(); }
  // The reader gets what is queued, so that the cursor of the error is right.
  void CutOff(absl::Status status) override {
    if (!ended_.exchange(true)) outbound_.EndAfterQueue(guard_.Close(call_, status));
  }

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
    End(Error(absl::StatusCode::kCancelled, "CALL_CANCELLED", "the reader has gone"));
  }
  void OnDone() override {
    hub_->Remove(this);
    registration_.Release();
    const auto last = std::move(self_);
  }

  FeedHub* hub_;
  const rpc::CallGuard& guard_;
  const rpc::Call call_;
  rpc::Outbound<grpc::ByteBuffer, Reactor> outbound_;
  std::atomic<bool> ended_ = false;
  rpc::StreamRegistry::Registration registration_;
  std::shared_ptr<FeedStream> self_;  // until OnDone; the hub holds one, too
};

// A cursor of tenants that this subscription is not about would be passed over in silence, and the
// reader would miss what it meant to resume. The answer says nothing of whether they exist. Who
// asks for all that it has may have lost some since, and goes on with the others.
absl::Status CheckTenants(const Subscription& wanted, const std::vector<std::string>& parents) {
  if (wanted.all_tenants || wanted.from->empty()) return absl::OkStatus();
  const TenantId* foreign = nullptr;
  bool some = false;
  for (const auto& [tenant, position] : *wanted.from) {
    const bool asked = std::binary_search(wanted.tenants.begin(), wanted.tenants.end(), tenant);
    some = some || asked;
    if (!asked && foreign == nullptr) foreign = &tenant;
  }
  const bool all_it_has = std::find(parents.begin(), parents.end(), "tenants/-") != parents.end();
  if (foreign == nullptr || (all_it_has && some)) return absl::OkStatus();
  return InvalidField(
      "CURSOR_OTHER_TENANT", "cursor",
      fmt::format("it is a cursor of tenants/{} too, which this call does not ask for; name the "
                  "tenants in `parents` that the cursor was made for, or begin without it",
                  Shown(foreign->value)));
}

}  // namespace

absl::StatusOr<Subscription> FeedService::Read(const rpc::Call& call,
                                               const grpc::ByteBuffer& bytes) const {
  v1::SubscribeRequest request;
  grpc::ByteBuffer copy(bytes);  // of the references
  if (!grpc::SerializationTraits<v1::SubscribeRequest>::Deserialize(&copy, &request).ok()) {
    return InvalidField("MALFORMED", "message", "the bytes are no tandem.v1.SubscribeRequest");
  }
  return Judge(call, request);
}

absl::StatusOr<Subscription> FeedService::Judge(const rpc::Call& call,
                                                const v1::SubscribeRequest& request) const {
  Subscription wanted{.from_beginning = request.from_beginning(),
                      .omit_alerts = request.omit_alerts()};
  std::vector<TenantId> all;
  for (const auto& [tenant, created] : engine_->Installation()->tenants) all.push_back(tenant);
  std::vector<std::string> parents(request.parents().begin(), request.parents().end());
  if (parents.empty()) parents.emplace_back("tenants/-");
  for (const std::string& parent : parents) {
    TANDEM_ASSIGN_OR_RETURN(const auto tenants, ResolveTenants(call.caller, guard_->authenticator(),
                                                               all, parent, "parents"));
    wanted.tenants.insert(wanted.tenants.end(), tenants.begin(), tenants.end());
    if (parent == "tenants/-" && call.caller.all_tenants) wanted.all_tenants = true;
  }
  std::sort(wanted.tenants.begin(), wanted.tenants.end());
  wanted.tenants.erase(std::unique(wanted.tenants.begin(), wanted.tenants.end()),
                       wanted.tenants.end());
  TANDEM_ASSIGN_OR_RETURN(wanted.filter, IncidentFilter::Parse(request.filter()));
  if (!request.cursor().empty()) {
    if (request.from_beginning()) {
      return InvalidField("CURSOR_INVALID", "cursor", "expected none with from_beginning");
    }
    TANDEM_ASSIGN_OR_RETURN(wanted.from, ReadCursor(request.cursor()));
    TANDEM_RETURN_IF_ERROR(CheckTenants(wanted, parents));
  }
  return wanted;
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* FeedService::Subscribe(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  rpc::Call call = guard_->Open(context, "/tandem.v1.Feed/Subscribe");
  absl::Status status = guard_->Admit(*context, call);
  Subscription wanted;
  if (status.ok()) {
    auto judged = Read(call, *request);
    status = judged.status();
    if (judged.ok()) wanted = *std::move(judged);
  }
  if (!status.ok()) return new rpc::Refused<Reactor>(guard_->Close(call, status));
  auto stream = std::make_shared<FeedStream>(hub_, *guard_, std::move(call));
  auto registration = guard_->registry().Add(std::weak_ptr<rpc::DrainableStream>(stream));
  status = registration.status();
  FeedStream* raw = stream.get();
  raw->Start(stream,
             registration.ok() ? *std::move(registration) : rpc::StreamRegistry::Registration());
  if (status.ok()) status = hub_->Add(std::move(stream), std::move(wanted));
  if (!status.ok()) raw->End(status);
  return raw;
}

}  // namespace tandem::api
