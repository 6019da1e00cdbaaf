#include "services/notifier/fake_router.h"

#include <deque>

#include "router/base/check.h"

namespace tandem::notifier {

// Writes events one after another until the client or the server has enough.
class FakeRouter::Watch final : public grpc::ServerWriteReactor<v1::DeliveryEvent> {
 public:
  explicit Watch(FakeRouter& router) : router_(router) {}

  void Push(const v1::DeliveryEvent& event) {
    std::lock_guard lock(mutex_);
    queue_.push_back(event);
    if (queue_.size() == 1 && !finished_) StartWrite(&queue_.front());
  }
  void End() {
    std::lock_guard lock(mutex_);
    if (std::exchange(finished_, true)) return;
    Finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the router stops"));
  }

  void OnWriteDone(bool ok) override {
    std::lock_guard lock(mutex_);
    if (!ok) return;
    queue_.pop_front();
    if (!queue_.empty() && !finished_) StartWrite(&queue_.front());
  }
  void OnCancel() override { End(); }
  void OnDone() override {
    {
      std::lock_guard lock(router_.mutex_);
      router_.watches_.erase(this);
      router_.changed_.notify_all();
    }
    delete this;
  }

 private:
  FakeRouter& router_;
  std::mutex mutex_;
  std::deque<v1::DeliveryEvent> queue_;  // the first is being written
  bool finished_ = false;
};

FakeRouter::FakeRouter() { Start(); }
FakeRouter::~FakeRouter() { Stop(); }

void FakeRouter::Start() {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:" + std::to_string(port_), grpc::InsecureServerCredentials(),
                           &port);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  TANDEM_CHECK(server_ != nullptr && port != 0, "a free port");
  port_ = port;
}

void FakeRouter::Stop() {
  if (server_ == nullptr) return;
  {
    std::lock_guard lock(mutex_);
    for (Watch* watch : watches_) watch->End();
  }
  server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
  server_.reset();
}

std::shared_ptr<grpc::Channel> FakeRouter::Channel() const {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 200);
  // Not the connection of an earlier test to the same port.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port_),
                                   grpc::InsecureChannelCredentials(), arguments);
}

std::shared_ptr<grpc::Channel> FakeRouter::InProcessChannel() {
  return server_->InProcessChannel(grpc::ChannelArguments());
}

void FakeRouter::Add(const v1::Delivery& delivery) {
  std::lock_guard lock(mutex_);
  open_[delivery.delivery_id()] = delivery;
  v1::DeliveryEvent event;
  *event.mutable_open() = delivery;
  Broadcast(event);
}

void FakeRouter::End(const std::string& delivery_id) {
  std::lock_guard lock(mutex_);
  v1::DeliveryEvent event;
  event.mutable_ended()->set_tenant(open_.at(delivery_id).tenant());
  event.mutable_ended()->set_delivery_id(delivery_id);
  open_.erase(delivery_id);
  Broadcast(event);
  changed_.notify_all();
}

FakeRouter::Reports FakeRouter::reports() const {
  std::lock_guard lock(mutex_);
  return reports_;
}

std::vector<std::string> FakeRouter::Story() const {
  std::vector<std::string> story;
  for (const auto& report : reports()) {
    story.push_back(report.delivery_id() + " " +
                    v1::ReportDeliveryRequest::Outcome_Name(report.outcome()) + " " +
                    std::to_string(report.attempt()));
  }
  return story;
}

std::set<std::string> FakeRouter::open() const {
  std::lock_guard lock(mutex_);
  std::set<std::string> ids;
  for (const auto& [id, delivery] : open_) ids.insert(id);
  return ids;
}

std::string FakeRouter::authorization() const {
  std::lock_guard lock(mutex_);
  return authorization_;
}

bool FakeRouter::WaitUntil(const std::function<bool(const Reports&)>& holds,
                           absl::Duration timeout) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, absl::ToChronoNanoseconds(timeout),
                           [&] { return holds(reports_); });
}

bool FakeRouter::WaitUntilNothingIsOpen(absl::Duration timeout) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, absl::ToChronoNanoseconds(timeout), [&] { return open_.empty(); });
}

grpc::ServerWriteReactor<v1::DeliveryEvent>* FakeRouter::WatchDeliveries(
    grpc::CallbackServerContext* context, const v1::WatchDeliveriesRequest*) {
  auto* watch = new Watch(*this);
  std::lock_guard lock(mutex_);
  NoteCaller(*context);
  v1::DeliveryEvent event;
  for (const auto& [id, delivery] : open_) {
    *event.mutable_open() = delivery;
    watch->Push(event);
  }
  event.mutable_snapshot_end();
  watch->Push(event);
  watches_.insert(watch);
  return watch;
}

grpc::ServerUnaryReactor* FakeRouter::ReportDelivery(grpc::CallbackServerContext* context,
                                                     const v1::ReportDeliveryRequest* request,
                                                     v1::ReportDeliveryResponse* response) {
  {
    std::lock_guard lock(mutex_);
    NoteCaller(*context);
    reports_.push_back(*request);
    const auto delivery = open_.find(request->delivery_id());
    response->set_open(delivery != open_.end());
    if (delivery != open_.end()) {
      delivery->second.set_attempts(request->attempt());
      *delivery->second.mutable_not_before() = request->not_before();
      if (request->outcome() == v1::ReportDeliveryRequest::SUCCEEDED ||
          request->outcome() == v1::ReportDeliveryRequest::GIVEN_UP) {
        open_.erase(delivery);
      }
    }
  }
  changed_.notify_all();
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

void FakeRouter::NoteCaller(const grpc::CallbackServerContext& context) {
  const auto found = context.client_metadata().find("authorization");
  if (found == context.client_metadata().end()) return;
  authorization_.assign(found->second.data(), found->second.size());
}

void FakeRouter::Broadcast(const v1::DeliveryEvent& event) {
  for (Watch* watch : watches_) watch->Push(event);
}

}  // namespace tandem::notifier
