// The router as the notifier sees it, for tests: it holds open deliveries, streams them, and takes
// reports. Can be stopped and started again on the same port. Thread-safe.
#pragma once

#include <absl/time/time.h>
#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "tandem/v1/deliveries.grpc.pb.h"

namespace tandem::notifier {

class FakeRouter final : public v1::Deliveries::CallbackService {
 public:
  using Reports = std::vector<v1::ReportDeliveryRequest>;

  FakeRouter();
  ~FakeRouter() override;

  // A channel to it that survives its restarts.
  std::shared_ptr<grpc::Channel> Channel() const;
  std::shared_ptr<grpc::Channel> InProcessChannel();

  void Add(const v1::Delivery& delivery);
  // The router does not want it any more.
  void End(const std::string& delivery_id);

  void Stop();
  void Start();

  Reports reports() const;
  // `dlv-1 ATTEMPTING 1`.
  std::vector<std::string> Story() const;
  std::set<std::string> open() const;
  // The header of the latest call.
  std::string authorization() const;
  bool WaitUntil(const std::function<bool(const Reports&)>& holds,
                 absl::Duration timeout = absl::Seconds(20)) const;
  bool WaitUntilNothingIsOpen(absl::Duration timeout = absl::Seconds(20)) const;

  grpc::ServerWriteReactor<v1::DeliveryEvent>* WatchDeliveries(
      grpc::CallbackServerContext* context, const v1::WatchDeliveriesRequest* request) override;
  grpc::ServerUnaryReactor* ReportDelivery(grpc::CallbackServerContext* context,
                                           const v1::ReportDeliveryRequest* request,
                                           v1::ReportDeliveryResponse* response) override;

 private:
  class Watch;
  void NoteCaller(const grpc::CallbackServerContext& context);  // with mutex_ held
  void Broadcast(const v1::DeliveryEvent& event);               // with mutex_ held

  mutable std::mutex mutex_;  // everything below but server_ and port_
  mutable std::condition_variable changed_;
  std::map<std::string, v1::Delivery> open_;
  Reports reports_;
  std::set<Watch*> watches_;
  std::string authorization_;

  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace tandem::notifier
