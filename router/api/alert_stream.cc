#include "router/api/alert_stream.h"

#include <fmt/format.h>

#include <utility>

#include "router/api/receipt.h"
#include "router/base/status.h"
#include "router/codec/wire.h"
#include "tandem/v1/alert_ingest.pb.h"

namespace tandem::api {
namespace {

using codec::Wire;

// Field tags of tandem.v1.StreamAlertsRequest.
constexpr std::uint32_t kHello = 1 << 3 | Wire::kBytes;
constexpr std::uint32_t kBatch = 2 << 3 | Wire::kBytes;

// Room for a receipt of each batch that may be on its way, and the welcome.
constexpr rpc::OutboundLimits kReceipts = {.messages_max = AlertStream::kAwaitingMax + 1,
                                           .bytes_max = 64 << 20};

absl::Status Malformed() {
  return InvalidField("MALFORMED", "message", "the bytes are no tandem.v1.StreamAlertsRequest");
}

}  // namespace

grpc::ByteBuffer Serialized(const google::protobuf::MessageLite& message) {
  const std::size_t size = message.ByteSizeLong();
  grpc::Slice slice(size);
  message.SerializeToArray(const_cast<std::uint8_t*>(slice.begin()), static_cast<int>(size));
  return grpc::ByteBuffer(&slice, 1);
}

std::string ClientKey(const rpc::Caller& caller, std::string_view client_id) {
  return client_id.empty() ? std::string() : fmt::format("{}/{}", caller.principal, client_id);
}

std::string_view Contiguous(const grpc::ByteBuffer& buffer, grpc::Slice& storage) {
  if (!buffer.TrySingleSlice(&storage).ok() && !buffer.DumpToSingleSlice(&storage).ok()) return {};
  return {reinterpret_cast<const char*>(storage.begin()), storage.size()};
}

AlertStream::AlertStream(engine::Engine* engine, const rpc::CallGuard& guard, rpc::Call call,
                         absl::Duration resolve_timeout)
    : engine_(engine),
      guard_(guard),
      call_(std::move(call)),
      resolve_timeout_(resolve_timeout),
      outbound_(this, kReceipts) {}

void AlertStream::Start(std::shared_ptr<AlertStream> self,
                        rpc::StreamRegistry::Registration registration) {
  self_ = std::move(self);
  registration_ = std::move(registration);
  StartRead(&incoming_);
}

void AlertStream::End(absl::Status status) {
  abandoned_->store(true);
  {
    std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = true;
  }
  outbound_.EndAfterQueue(guard_.Close(call_, status));
}

void AlertStream::OnCancel() {
  End(Error(absl::StatusCode::kCancelled, "CALL_CANCELLED", "the sender has gone"));
}

void AlertStream::OnDone() {
  registration_.Release();
  const auto last = std::move(self_);
}

void AlertStream::OnReadDone(bool ok) {
  if (!ok) {
    // The sender has said all it had to say: it gets its last receipts, then OK.
    bool finished = false;
    {
      std::lock_guard lock(mutex_);
      half_closed_ = true;
      finished = awaiting_ == 0;
    }
    if (finished) End(absl::OkStatus());
    return;
  }
  {
    // Counted before it is handed over, for the receipt may come at once.
    std::lock_guard lock(mutex_);
    ++awaiting_;
  }
  grpc::Slice storage;
  const absl::Status handled = HandleMessage(Contiguous(incoming_, storage));
  if (!handled.ok()) return End(handled);
  {
    std::lock_guard lock(mutex_);
    if (ended_) return;
    if (awaiting_ >= kAwaitingMax) {
      paused_ = true;
      return;
    }
  }
  StartRead(&incoming_);
}

absl::Status AlertStream::HandleMessage(std::string_view message) {
  std::string_view hello;
  std::string_view batch;
  std::uint32_t last = 0;  // of a oneof the last one counts
  Wire wire(message);
  while (const std::uint32_t tag = wire.Tag()) {
    if (tag == kHello || tag == kBatch) {
      (tag == kHello ? hello : batch) = wire.Bytes();
      last = tag;
    } else {
      wire.Skip(tag);
    }
  }
  if (!wire.ok()) return Malformed();
  if (last == kHello) return HandleHello(hello);
  if (last == kBatch) return HandleBatch(batch);
  return InvalidField("MESSAGE_EMPTY", "message", "expected hello or batch");
}

absl::Status AlertStream::HandleHello(std::string_view bytes) {
  v1::Hello hello;
  if (!hello.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return Malformed();
  if (greeted_) return InvalidField("HELLO_TWICE", "hello", "expected once, at the start");
  if (hello.client_id().empty()) {
    return InvalidField("CLIENT_ID_MISSING", "hello.client_id",
                        "a stream needs a client id, so that it can be resumed");
  }
  TANDEM_RETURN_IF_ERROR(codec::CheckClientId(hello.client_id(), "hello.client_id"));
  TANDEM_ASSIGN_OR_RETURN(tenant_, rpc::ResolveTenant(call_.caller, guard_.authenticator(),
                                                      hello.parent(), "hello.parent"));
  client_id_ = ClientKey(call_.caller, hello.client_id());
  greeted_ = true;
  engine_->Submit({.tenant = tenant_,
                   .request = engine::PositionQuery{client_id_},
                   .done = [self = shared_from_this()](absl::StatusOr<engine::Reply> reply) {
                     self->OnPosition(std::move(reply));
                   }});
  return absl::OkStatus();
}

absl::Status AlertStream::HandleBatch(std::string_view bytes) {
  if (!greeted_) return InvalidField("HELLO_MISSING", "hello", "expected before the first batch");
  TANDEM_ASSIGN_OR_RETURN(
      codec::ReadBatch batch,
      codec::ReadAlertBatch(bytes, engine_->identity_key(), guard_.clock().Now()));
  if (batch.number == 0) {
    return InvalidField("BATCH_NUMBER_MISSING", "batch.number", "expected 1 or more");
  }
  auto refusals = std::move(batch.refusals);
  const std::uint64_t number = batch.number;
  const std::size_t accepted = batch.items.size();
  engine_->Submit({.tenant = tenant_,
                   .request = engine::AlertsReceived{client_id_, std::move(batch), abandoned_},
                   .done = [self = shared_from_this(), refusals = std::move(refusals), number,
                            accepted](absl::StatusOr<engine::Reply> reply) {
                     self->OnReceipt(number, refusals, accepted, std::move(reply));
                   }});
  return absl::OkStatus();
}

void AlertStream::OnWriteDone(bool ok) {
  outbound_.OnWriteDone(ok);
  // Only now: a sender that does not read its receipts is not read on, so none is ever dropped.
  if (ok) OneLess();
}

void AlertStream::OnPosition(absl::StatusOr<engine::Reply> reply) {
  if (!reply.ok()) return End(reply.status());
  v1::StreamAlertsResponse response;
  response.mutable_welcome()->set_last_durable_batch(reply->position);
  response.mutable_welcome()->mutable_resolve_timeout()->set_seconds(
      absl::ToInt64Seconds(resolve_timeout_));
  outbound_.Push(Serialized(response));
}

void AlertStream::OnReceipt(std::uint64_t number, const std::vector<codec::Refusal>& refusals,
                            std::size_t accepted, absl::StatusOr<engine::Reply> reply) {
  if (!reply.ok()) return End(reply.status());
  v1::StreamAlertsResponse response;
  PutReceipt({number, accepted, reply->repeated}, refusals, response.mutable_receipt());
  outbound_.Push(Serialized(response));
}

void AlertStream::OneLess() {
  bool resume = false;
  bool finished = false;
  {
    std::lock_guard lock(mutex_);
    --awaiting_;
    if (ended_) return;
    resume = std::exchange(paused_, false);
    finished = half_closed_ && awaiting_ == 0;
  }
  if (resume) StartRead(&incoming_);
  if (finished) End(absl::OkStatus());
}

}  // namespace tandem::api
