// An agent's stream of alerts, step by step. For tests; one thread at a time, but one may send
// while another reads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tandem/v1/alert_ingest.grpc.pb.h"
#include "tests/wire/rig.h"

namespace tandem::wire {

class AgentStream {
 public:
  AgentStream(Rig& rig, const std::string& token)
      : context_(token),
        stub_(v1::AlertIngest::NewStub(rig.channel())),
        stream_(stub_->StreamAlerts(context_.get())) {}
  ~AgentStream() { context_->TryCancel(); }

  void Hello(const std::string& client_id, const std::string& parent = "") {
    v1::StreamAlertsRequest request;
    request.mutable_hello()->set_client_id(client_id);
    request.mutable_hello()->set_parent(parent);
    Send(request);
  }
  // The last durable batch that the router knows of.
  std::uint64_t Welcome() {
    const v1::StreamAlertsResponse response = Next();
    EXPECT_TRUE(response.has_welcome()) << response.ShortDebugString();
    return response.welcome().last_durable_batch();
  }
  std::uint64_t Begin(const std::string& client_id) {
    Hello(client_id);
    return Welcome();
  }

  // A batch with one alert for each name; none: a batch that is refused.
  void Push(std::uint64_t number, const std::vector<std::string>& names) {
    v1::StreamAlertsRequest request;
    request.mutable_batch()->set_number(number);
    for (const std::string& name : names) {
      v1::Label* label = request.mutable_batch()->add_alerts()->add_labels();
      label->set_name("alertname");
      label->set_value(name);
    }
    Send(request);
  }
  void Send(const v1::StreamAlertsRequest& request) { stream_->Write(request); }

  v1::Receipt Receipt() {
    const v1::StreamAlertsResponse response = Next();
    EXPECT_TRUE(response.has_receipt()) << response.ShortDebugString();
    return response.receipt();
  }
  // "7: 2 taken" or "7: known".
  std::string ReceiptText() {
    const v1::Receipt receipt = Receipt();
    const std::string number = std::to_string(receipt.batch_number());
    if (receipt.already_durable()) {
      EXPECT_EQ(receipt.accepted(), 0U);
      return number + ": known";
    }
    return number + ": " + std::to_string(receipt.accepted()) + " taken";
  }
  v1::StreamAlertsResponse Next() {
    v1::StreamAlertsResponse response;
    EXPECT_TRUE(stream_->Read(&response)) << "the stream has ended";
    return response;
  }

  // Says that nothing more comes.
  void Done() { stream_->WritesDone(); }
  // Reads to the end; how it ended.
  grpc::Status End() {
    v1::StreamAlertsResponse response;
    while (stream_->Read(&response)) {
    }
    return stream_->Finish();
  }
  void Cancel() { context_->TryCancel(); }

 private:
  Context context_;
  std::unique_ptr<v1::AlertIngest::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::StreamAlertsRequest, v1::StreamAlertsResponse>>
      stream_;
};

}  // namespace tandem::wire
