#include "tools/agent/fake_router.h"

#include <fmt/format.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <utility>

#include "router/base/check.h"
#include "tools/agent/wire.h"

namespace tandem::client {

// Reads, answers, reads on: one message at a time.
class FakeRouter::Stream final
    : public grpc::ServerBidiReactor<v1::StreamAlertsRequest, v1::StreamAlertsResponse> {
 public:
  Stream(FakeRouter& router, grpc::CallbackServerContext* context)
      : router_(router), context_(context) {
    const std::lock_guard lock(router_.mutex_);
    ++router_.streams_;
    router_.changed_.notify_all();
    const auto token = context->client_metadata().find("authorization");
    router_.token_ = token == context->client_metadata().end()
                         ? ""
                         : std::string(token->second.data(), token->second.size());
    StartRead(&request_);
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    response_.Clear();
    const Verdict verdict = request_.has_hello() ? Greet() : Take();
    if (verdict.cut) return context_->TryCancel();
    if (!verdict.status.ok()) return Finish(verdict.status);
    answers_.push_back(std::move(response_));
    withheld_ = request_.has_hello() ? 0 : router_.withheld();
    Answer();
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return;
    answers_.pop_front();
    Answer();
  }
  // Sends what is not withheld, one after the other, then reads on.
  void Answer() {
    if (answers_.size() <= withheld_) return StartRead(&request_);
    StartWrite(&answers_.front());
  }
  void OnCancel() override { Finish(grpc::Status::CANCELLED); }
  void OnDone() override { delete this; }

  void Finish(const grpc::Status& status) {
    if (!finished_.exchange(true)) {
      grpc::ServerBidiReactor<v1::StreamAlertsRequest, v1::StreamAlertsResponse>::Finish(status);
    }
  }

  Verdict Greet() {
    const std::lock_guard lock(router_.mutex_);
    router_.hello_ = request_.hello();
    if (!router_.greeting_.ok()) return {.take = false, .status = router_.greeting_};
    client_id_ = request_.hello().client_id();
    response_.mutable_welcome()->set_last_durable_batch(router_.clients_[client_id_].last_durable);
    const auto millis = static_cast<std::int64_t>(router_.resolve_timeout_.count());
    google::protobuf::Duration* timeout = response_.mutable_welcome()->mutable_resolve_timeout();
    timeout->set_seconds(millis / 1000);
    timeout->set_nanos(static_cast<std::int32_t>(millis % 1000) * 1'000'000);
    return {};
  }

  Verdict Take() {
    const v1::AlertBatch& batch = request_.batch();
    const std::lock_guard lock(router_.mutex_);
    Client& client = router_.clients_[client_id_];
    v1::Receipt* receipt = response_.mutable_receipt();
    receipt->set_batch_number(batch.number());
    if (batch.number() <= client.last_durable) {
      receipt->set_already_durable(true);
      return {};
    }
    Verdict verdict = router_.judge_ ? router_.judge_(batch) : Verdict();
    if (verdict.take) Keep(batch, verdict, client, receipt);
    router_.changed_.notify_all();
    return verdict;
  }

  static void Keep(const v1::AlertBatch& batch, const Verdict& verdict, Client& client,
                   v1::Receipt* receipt) {
    client.last_durable = batch.number();
    client.batches.push_back(batch);
    for (int i = 0; i < batch.alerts_size(); ++i) {
      const bool refused = std::any_of(
          verdict.refusals.begin(), verdict.refusals.end(),
          [&](const v1::Refusal& r) { return r.index() == static_cast<std::uint32_t>(i); });
      if (!refused) client.keys.push_back(AlertKey(batch.alerts(i)));
    }
    for (const v1::Refusal& refusal : verdict.refusals) *receipt->add_refusals() = refusal;
    receipt->set_accepted(
        static_cast<std::uint32_t>(batch.alerts_size() - receipt->refusals_size()));
  }

  FakeRouter& router_;
  grpc::CallbackServerContext* const context_;
  std::string client_id_;
  v1::StreamAlertsRequest request_;
  v1::StreamAlertsResponse response_;
  std::deque<v1::StreamAlertsResponse> answers_;  // the first is being written, or withheld
  std::size_t withheld_ = 0;
  std::atomic<bool> finished_ = false;
};

class FakeRouter::Service final : public v1::AlertIngest::CallbackService {
 public:
  explicit Service(FakeRouter& router) : router_(router) {}
  grpc::ServerBidiReactor<v1::StreamAlertsRequest, v1::StreamAlertsResponse>* StreamAlerts(
      grpc::CallbackServerContext* context) override {
    return new Stream(router_, context);  // deletes itself in OnDone
  }

 private:
  FakeRouter& router_;
};

FakeRouter::FakeRouter(Judge judge)
    : judge_(std::move(judge)), service_(std::make_unique<Service>(*this)) {
  Start();
}

FakeRouter::~FakeRouter() { Stop(); }

void FakeRouter::Start() {
  grpc::ServerBuilder builder;
  builder.AddListeningPort(fmt::format("127.0.0.1:{}", port_), grpc::InsecureServerCredentials(),
                           &port_);
  builder.RegisterService(service_.get());
  server_ = builder.BuildAndStart();
  TANDEM_CHECK(server_ != nullptr, "the port is free");
}

void FakeRouter::Stop() {
  if (!server_) return;
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
  server_.reset();
}

std::string FakeRouter::address() const { return fmt::format("127.0.0.1:{}", port_); }

void FakeRouter::SetJudge(Judge judge) {
  const std::lock_guard lock(mutex_);
  judge_ = std::move(judge);
}

void FakeRouter::SetGreeting(grpc::Status greeting) {
  const std::lock_guard lock(mutex_);
  greeting_ = std::move(greeting);
}

std::vector<v1::AlertBatch> FakeRouter::taken(const std::string& client_id) const {
  const std::lock_guard lock(mutex_);
  const auto client = clients_.find(client_id);
  return client == clients_.end() ? std::vector<v1::AlertBatch>() : client->second.batches;
}

std::vector<std::string> FakeRouter::keys(const std::string& client_id) const {
  const std::lock_guard lock(mutex_);
  const auto client = clients_.find(client_id);
  return client == clients_.end() ? std::vector<std::string>() : client->second.keys;
}

v1::Hello FakeRouter::last_hello() const {
  const std::lock_guard lock(mutex_);
  return hello_;
}

std::string FakeRouter::last_token() const {
  const std::lock_guard lock(mutex_);
  return token_;
}

int FakeRouter::streams() const {
  const std::lock_guard lock(mutex_);
  return streams_;
}

void FakeRouter::SetResolveTimeout(std::chrono::milliseconds timeout) {
  const std::lock_guard lock(mutex_);
  resolve_timeout_ = timeout;
}

void FakeRouter::WithholdReceipts(std::size_t batches) {
  const std::lock_guard lock(mutex_);
  withheld_ = batches;
}

std::size_t FakeRouter::withheld() const {
  const std::lock_guard lock(mutex_);
  return withheld_;
}

void FakeRouter::SetLastDurable(const std::string& client_id, std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  clients_[client_id].last_durable = number;
}

bool FakeRouter::AwaitStreams(int streams) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return streams_ >= streams; });
}

bool FakeRouter::AwaitAlerts(const std::string& client_id, std::size_t alerts) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(30), [&] {
    const auto client = clients_.find(client_id);
    return client != clients_.end() && client->second.keys.size() >= alerts;
  });
}

}  // namespace tandem::client
