// The gRPC reactors around ContextApi: they admit the call, copy the request, and hand the work to
// a pool; a full pool answers RESOURCE_EXHAUSTED with reason QUEUE_FULL and a retry delay.
//
// Thread-safe; handlers run on gRPC's threads and do not block.
#pragma once

#include <grpcpp/grpcpp.h>

#include "router/rpc/server.h"
#include "services/context/service.h"
#include "services/context/watch_stream.h"
#include "services/context/worker_pool.h"
#include "tandem/v1/context.grpc.pb.h"

namespace tandem::context {

class ContextGrpcService final : public v1::Context::CallbackService {
 public:
  // Each kind of work has its own threads: a large import must not hold up reads.
  struct Parts {
    const rpc::CallGuard* guard = nullptr;
    Store* store = nullptr;
    ContextApi* api = nullptr;
    WatchHub* hub = nullptr;
    WorkerPool* reads = nullptr;
    WorkerPool* writes = nullptr;
    WorkerPool* imports = nullptr;
    WatchStream::Patience patience;
  };
  // REQUIRES: all are set, and outlive this and every call.
  explicit ContextGrpcService(Parts parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* PutEntity(grpc::CallbackServerContext* context,
                                      const v1::PutEntityRequest* request,
                                      v1::Entity* response) override;
  grpc::ServerUnaryReactor* GetEntity(grpc::CallbackServerContext* context,
                                      const v1::GetEntityRequest* request,
                                      v1::Entity* response) override;
  grpc::ServerUnaryReactor* ListEntities(grpc::CallbackServerContext* context,
                                         const v1::ListEntitiesRequest* request,
                                         v1::ListEntitiesResponse* response) override;
  grpc::ServerUnaryReactor* DeleteEntity(grpc::CallbackServerContext* context,
                                         const v1::DeleteEntityRequest* request,
                                         v1::DeleteEntityResponse* response) override;
  grpc::ServerUnaryReactor* ListHistory(grpc::CallbackServerContext* context,
                                        const v1::ListHistoryRequest* request,
                                        v1::ListHistoryResponse* response) override;
  grpc::ServerUnaryReactor* ImportEntities(grpc::CallbackServerContext* context,
                                           const v1::ImportEntitiesRequest* request,
                                           v1::ImportEntitiesResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchContextResponse>* WatchContext(
      grpc::CallbackServerContext* context, const v1::WatchContextRequest* request) override;

 private:
  template <typename Request, typename Response>
  using Verb = absl::StatusOr<Response> (ContextApi::*)(const rpc::Caller&, const Request&);

  template <typename Request, typename Response>
  grpc::ServerUnaryReactor* Serve(grpc::CallbackServerContext* context, rpc::Method method,
                                  const Request* request, Response* response, WorkerPool* pool,
                                  Verb<Request, Response> verb);

  const Parts parts_;
};

}  // namespace tandem::context
