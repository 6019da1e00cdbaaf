// Feed.Subscribe: the hub's events on a gRPC stream.
#pragma once

#include <grpcpp/grpcpp.h>

#include "router/api/feed_hub.h"
#include "router/rpc/server.h"
#include "tandem/v1/feed.grpc.pb.h"

namespace tandem::api {

class FeedService final : public v1::Feed::CallbackService {
 public:
  // All outlive the service and its calls.
  FeedService(FeedHub* hub, const engine::Engine* engine, const rpc::CallGuard* guard)
      : hub_(hub), engine_(engine), guard_(guard) {}

  grpc::ServerWriteReactor<v1::FeedEvent>* Subscribe(grpc::CallbackServerContext* context,
                                                     const v1::SubscribeRequest* request) override;

 private:
  absl::StatusOr<Subscription> Judge(const rpc::Call& call,
                                     const v1::SubscribeRequest& request) const;

  FeedHub* hub_;
  const engine::Engine* engine_;
  const rpc::CallGuard* guard_;
};

}  // namespace tandem::api
