#include "router/api/ingest_service.h"

#include <memory>
#include <utility>

#include "router/api/alert_stream.h"
#include "router/api/receipt.h"
#include "router/base/status.h"
#include "router/codec/wire.h"

namespace tandem::api {
namespace {

using codec::Wire;

// Field tags of tandem.v1.PushAlertsRequest.
constexpr std::uint32_t kParent = 1 << 3 | Wire::kBytes;
constexpr std::uint32_t kClientId = 2 << 3 | Wire::kBytes;
constexpr std::uint32_t kBatch = 3 << 3 | Wire::kBytes;

struct Push {
  std::string_view parent;
  std::string_view client_id;
  std::string_view batch;
};

absl::StatusOr<Push> ReadPush(std::string_view bytes) {
  Push push;
  Wire wire(bytes);
  while (const std::uint32_t tag = wire.Tag()) {
    switch (tag) {
      case kParent:
        push.parent = wire.Bytes();
        break;
      case kClientId:
        push.client_id = wire.Bytes();
        break;
      case kBatch:
        push.batch = wire.Bytes();
        break;
      default:
        wire.Skip(tag);
    }
  }
  if (!wire.ok()) {
    return InvalidField("MALFORMED", "message", "the bytes are no tandem.v1.PushAlertsRequest");
  }
  return push;
}

}  // namespace

grpc::ServerUnaryReactor* AlertIngestService::PushAlerts(grpc::CallbackServerContext* context,
                                                         const grpc::ByteBuffer* request,
                                                         grpc::ByteBuffer* response) {
  return rpc::ServeLater<grpc::ByteBuffer>(
      context, *guard_, "/tandem.v1.AlertIngest/PushAlerts", response,
      [&](const rpc::Call& call, rpc::Done<grpc::ByteBuffer> answer) {
        grpc::Slice storage;
        const auto push = ReadPush(Contiguous(*request, storage));
        if (!push.ok()) return answer(push.status());
        const auto tenant =
            rpc::ResolveTenant(call.caller, guard_->authenticator(), push->parent, "parent");
        if (!tenant.ok()) return answer(tenant.status());
        const absl::Status client = codec::CheckClientId(push->client_id, "client_id");
        if (!client.ok()) return answer(client);
        std::string client_key = ClientKey(call.caller, push->client_id);
        auto batch =
            codec::ReadAlertBatch(push->batch, engine_->identity_key(), guard_->clock().Now());
        if (!batch.ok()) return answer(batch.status());
        if (batch->number == 0 && !push->client_id.empty()) {
          return answer(InvalidField("BATCH_NUMBER_MISSING", "batch.number",
                                     "expected 1 or more when client_id is given"));
        }
        auto refusals = std::move(batch->refusals);
        Taken taken{batch->number, batch->items.size(), false};
        engine_->Submit(
            {.tenant = *tenant,
             .request = engine::AlertsReceived{std::move(client_key), *std::move(batch)},
             .done = [answer, taken,
                      refusals = std::move(refusals)](absl::StatusOr<engine::Reply> reply) mutable {
               if (!reply.ok()) return answer(reply.status());
               v1::PushAlertsResponse message;
               taken.repeated = reply->repeated;
               PutReceipt(taken, refusals, message.mutable_receipt());
               answer(Serialized(message));
             }});
      });
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* AlertIngestService::StreamAlerts(
    grpc::CallbackServerContext* context) {
  using Raw = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;
  rpc::Call call = guard_->Open(context, "/tandem.v1.AlertIngest/StreamAlerts");
  if (const absl::Status admitted = guard_->Admit(*context, call); !admitted.ok()) {
    return new rpc::Refused<Raw>(guard_->Close(call, admitted));
  }
  auto stream =
      std::make_shared<AlertStream>(engine_, *guard_, std::move(call), options_.resolve_timeout);
  auto registration = guard_->registry().Add(std::weak_ptr<rpc::DrainableStream>(stream));
  AlertStream* raw = stream.get();
  if (!registration.ok()) {
    raw->Start(std::move(stream), {});
    raw->End(registration.status());
    return raw;
  }
  raw->Start(std::move(stream), *std::move(registration));
  return raw;
}

}  // namespace tandem::api
