#include "services/context/grpc_service.h"

#include <functional>
#include <memory>
#include <utility>

#include "router/base/status.h"

namespace tandem::context {
namespace {

absl::Status NotTaken(WorkerPool::Post post) {
  if (post == WorkerPool::Post::kStopped) {
    return AddRetry(Error(absl::StatusCode::kUnavailable, "STOPPING",
                          "the context service stops; nothing was changed"),
                    absl::Seconds(1));
  }
  return AddRetry(Error(absl::StatusCode::kResourceExhausted, "QUEUE_FULL",
                        "too many calls wait for the context store; nothing was changed, send it "
                        "again later"),
                  absl::Seconds(1));
}

}  // namespace

template <typename Request, typename Response>
grpc::ServerUnaryReactor* ContextGrpcService::Serve(grpc::CallbackServerContext* context,
                                                    rpc::Method method, const Request* request,
                                                    Response* response, WorkerPool* pool,
                                                    Verb<Request, Response> verb) {
  const auto handle = [&](const rpc::Call& call, rpc::Done<Response> done) {
    const WorkerPool::Post post =
        pool->TryPost([api = parts_.api, guard = parts_.guard, done, verb, caller = call.caller,
                       deadline = rpc::UnaryDeadline(call), copy = *request] {
          if (guard->clock().Now() > deadline) {
            return done(Error(absl::StatusCode::kDeadlineExceeded, "DEADLINE_PASSED",
                              "the call waited past its deadline; nothing was changed"));
          }
          done(std::invoke(verb, *api, caller, copy));
        });
    if (post != WorkerPool::Post::kTaken) done(NotTaken(post));
  };
  return rpc::ServeLater(context, *parts_.guard, method, response, handle);
}

grpc::ServerUnaryReactor* ContextGrpcService::PutEntity(grpc::CallbackServerContext* context,
                                                        const v1::PutEntityRequest* request,
                                                        v1::Entity* response) {
  return Serve(context, "/tandem.v1.Context/PutEntity", request, response, parts_.writes,
               &ContextApi::PutEntity);
}

grpc::ServerUnaryReactor* ContextGrpcService::GetEntity(grpc::CallbackServerContext* context,
                                                        const v1::GetEntityRequest* request,
                                                        v1::Entity* response) {
  return Serve(context, "/tandem.v1.Context/GetEntity", request, response, parts_.reads,
               &ContextApi::GetEntity);
}

grpc::ServerUnaryReactor* ContextGrpcService::ListEntities(grpc::CallbackServerContext* context,
                                                           const v1::ListEntitiesRequest* request,
                                                           v1::ListEntitiesResponse* response) {
  return Serve(context, "/tandem.v1.Context/ListEntities", request, response, parts_.reads,
               &ContextApi::ListEntities);
}

grpc::ServerUnaryReactor* ContextGrpcService::DeleteEntity(grpc::CallbackServerContext* context,
                                                           const v1::DeleteEntityRequest* request,
                                                           v1::DeleteEntityResponse* response) {
  return Serve(context, "/tandem.v1.Context/DeleteEntity", request, response, parts_.writes,
               &ContextApi::DeleteEntity);
}

grpc::ServerUnaryReactor* ContextGrpcService::ListHistory(grpc::CallbackServerContext* context,
                                                          const v1::ListHistoryRequest* request,
                                                          v1::ListHistoryResponse* response) {
  return Serve(context, "/tandem.v1.Context/ListHistory", request, response, parts_.reads,
               &ContextApi::ListHistory);
}

grpc::ServerUnaryReactor* ContextGrpcService::ImportEntities(
    grpc::CallbackServerContext* context, const v1::ImportEntitiesRequest* request,
    v1::ImportEntitiesResponse* response) {
  return Serve(context, "/tandem.v1.Context/ImportEntities", request, response, parts_.imports,
               &ContextApi::ImportEntities);
}

grpc::ServerWriteReactor<v1::WatchContextResponse>* ContextGrpcService::WatchContext(
    grpc::CallbackServerContext* context, const v1::WatchContextRequest* request) {
  using Reactor = grpc::ServerWriteReactor<v1::WatchContextResponse>;
  rpc::Call call = parts_.guard->Open(context, "/tandem.v1.Context/WatchContext");
  const auto refuse = [&](const absl::Status& status) {
    return new rpc::Refused<Reactor>(parts_.guard->Close(call, status));
  };
  if (absl::Status status = parts_.guard->Admit(*context, call); !status.ok()) {
    return refuse(status);
  }
  const absl::StatusOr<TenantId> tenant = parts_.api->ResolveWatch(call.caller, *request);
  if (!tenant.ok()) return refuse(tenant.status());
  auto stream = std::make_shared<WatchStream>(
      WatchStream::Parts{.context = context,
                         .guard = parts_.guard,
                         .hub = parts_.hub,
                         .patience = parts_.patience},
      call, WatchReader(*parts_.store, *tenant, Version(request->after_version())));
  auto registration = parts_.guard->registry().Add(stream);
  if (!registration.ok()) return refuse(registration.status());
  if (absl::Status status = parts_.hub->Add(*tenant, stream); !status.ok()) return refuse(status);
  WatchStream* reactor = stream.get();
  reactor->Begin(std::move(stream), *std::move(registration));
  return reactor;
}

}  // namespace tandem::context
