// Reads the live feed and tells which of our alerts it shows as firing.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "tandem/v1/feed.grpc.pb.h"

namespace tandem::load {

class FeedReader final : private grpc::ClientReadReactor<v1::FeedEvent> {
 public:
  // Subscribes to the tenant ("": all of the credential). `seen` is called with the id of each
  // alert of ours, on a thread of gRPC, one at a time.
  FeedReader(const std::shared_ptr<grpc::Channel>& channel,
             std::unique_ptr<grpc::ClientContext> context, const std::string& tenant,
             std::function<void(std::uint64_t id)> seen);
  // Ends the subscription.
  ~FeedReader() override;

  // Waits for the first answer: from then on nothing is missed. What ended the stream, or
  // DEADLINE_EXCEEDED.
  absl::Status AwaitStart(std::chrono::milliseconds timeout);
  // OK while it reads.
  absl::Status status() const;

 private:
  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  const std::unique_ptr<grpc::ClientContext> context_;
  const std::unique_ptr<v1::Feed::Stub> stub_;
  const std::function<void(std::uint64_t id)> seen_;
  v1::SubscribeRequest request_;
  v1::FeedEvent event_;  // gRPC's while a read is outstanding

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool started_ = false;
  std::optional<grpc::Status> done_;
};

}  // namespace tandem::load
