// One open StreamAlerts call: reads batches, hands them to the engine, writes receipts in order.
//
// Lives by shared_ptr: gRPC holds it until OnDone, the engine while a batch awaits its receipt.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "router/codec/alert_reader.h"
#include "router/engine/engine.h"
#include "router/rpc/outbound.h"
#include "router/rpc/server.h"
#include "router/rpc/stream_registry.h"

namespace tandem::api {

// What the raw methods write.
grpc::ByteBuffer Serialized(const google::protobuf::MessageLite& message);

// Under which name the engine remembers a client's position: a client id belongs to the principal
// that uses it, so that nobody can move another's. Empty without one.
std::string ClientKey(const rpc::Caller& caller, std::string_view client_id);

// The bytes of `buffer` in one piece; `storage` holds them when they were in several.
std::string_view Contiguous(const grpc::ByteBuffer& buffer, grpc::Slice& storage);

class AlertStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                          public rpc::DrainableStream,
                          public std::enable_shared_from_this<AlertStream> {
 public:
  // Batches that may await their receipts: then the stream is not read on until one is written.
  static constexpr int kAwaitingMax = 64;

  AlertStream(engine::Engine* engine, const rpc::CallGuard& guard, rpc::Call call,
              absl::Duration resolve_timeout);

  // Begins to read. REQUIRES: `self` is this.
  void Start(std::shared_ptr<AlertStream> self, rpc::StreamRegistry::Registration registration);

  void End(absl::Status status) override;
  const rpc::Call* call() const override { return &call_; }

 private:
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  absl::Status HandleMessage(std::string_view message);
  absl::Status HandleHello(std::string_view bytes);
  absl::Status HandleBatch(std::string_view bytes);
  void OnPosition(absl::StatusOr<engine::Reply> reply);
  void OnReceipt(std::uint64_t number, const std::vector<codec::Refusal>& refusals,
                 std::size_t accepted, absl::StatusOr<engine::Reply> reply);
  void OneLess();

  engine::Engine* engine_;
  const rpc::CallGuard& guard_;
  const rpc::Call call_;
  const absl::Duration resolve_timeout_;
  rpc::Outbound<grpc::ByteBuffer, AlertStream> outbound_;
  grpc::ByteBuffer incoming_;
  bool greeted_ = false;
  TenantId tenant_;
  std::string client_id_;
  // Set with the first refusal, so that no later batch of this stream is taken.
  std::shared_ptr<std::atomic<bool>> abandoned_ = std::make_shared<std::atomic<bool>>(false);

  std::mutex mutex_;  // guards the four below
  int awaiting_ = 0;  // batches, and the hello
  bool paused_ = false;
  bool half_closed_ = false;
  bool ended_ = false;

  rpc::StreamRegistry::Registration registration_;
  std::shared_ptr<AlertStream> self_;  // until OnDone
};

}  // namespace tandem::api
