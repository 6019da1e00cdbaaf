// Feed.Subscribe: the hub's events on a gRPC stream.
//
// Raw, because the hub serializes an event once for all who get it.
#pragma once

#include <grpcpp/grpcpp.h>

#include "router/api/feed_hub.h"
#include "router/rpc/server.h"
#include "tandem/v1/feed.grpc.pb.h"

namespace tandem::api {

using RawFeed = v1::Feed::WithRawCallbackMethod_Subscribe<v1::Feed::Service>;

class FeedService final : public RawFeed {
 public:
  // All outlive the service and its calls.
  FeedService(FeedHub* hub, const engine::Engine* engine, const rpc::CallGuard* guard)
      : hub_(hub), engine_(engine), guard_(guard) {}

  grpc::ServerWriteReactor<grpc::ByteBuffer>* Subscribe(grpc::CallbackServerContext* context,
                                                        const grpc::ByteBuffer* request) override;

 private:
  absl::StatusOr<Subscription> Read(const rpc::Call& call, const grpc::ByteBuffer& bytes) const;
  absl::StatusOr<Subscription> Judge(const rpc::Call& call,
                                     const v1::SubscribeRequest& request) const;

  FeedHub* hub_;
  const engine::Engine* engine_;
  const rpc::CallGuard* guard_;
};

}  // namespace tandem::api
