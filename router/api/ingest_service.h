// AlertIngest: alerts in, receipts out.
//
// Both methods are raw: the alerts are judged from the bytes in which they came
// (codec/alert_reader.h) and never become message objects. Reactors run on gRPC's threads; receipts
// come from the engine's.
#pragma once

#include <grpcpp/grpcpp.h>

#include "router/engine/engine.h"
#include "router/rpc/server.h"
#include "tandem/v1/alert_ingest.grpc.pb.h"

namespace tandem::api {

using RawAlertIngest = v1::AlertIngest::WithRawCallbackMethod_PushAlerts<
    v1::AlertIngest::WithRawCallbackMethod_StreamAlerts<v1::AlertIngest::Service>>;

class AlertIngestService final : public RawAlertIngest {
 public:
  struct Options {
    absl::Duration resolve_timeout = absl::Minutes(5);
  };

  // Engine and guard outlive the service and its calls.
  AlertIngestService(engine::Engine* engine, const rpc::CallGuard* guard, Options options)
      : engine_(engine), guard_(guard), options_(options) {}

  grpc::ServerUnaryReactor* PushAlerts(grpc::CallbackServerContext* context,
                                       const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StreamAlerts(
      grpc::CallbackServerContext* context) override;

 private:
  engine::Engine* engine_;
  const rpc::CallGuard* guard_;
  const Options options_;
};

}  // namespace tandem::api
