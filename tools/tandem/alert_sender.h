// Sends batches of alerts over one StreamAlerts call after another until each has its receipt.
//
// A stream that breaks is opened anew and everything without a receipt is sent again under its old
// number: the router takes a batch once. What waits here lives in memory only; the client with a
// spool on disk is tandem-agent. Used by one thread.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "tandem/v1/alert_ingest.grpc.pb.h"
#include "tools/tandem/client.h"

namespace tandem::cli {

struct SenderOptions {
  std::string parent;
  std::string client_id;
  // Batches without a receipt; Send waits at this number. The router allows 64.
  std::size_t window = 16;
  // Attempts in a row without a single receipt before the sender gives up.
  int attempts_max = 5;
};

class AlertSender {
 public:
  // Told once for each batch, in order: its alerts' count in what was sent is receipt.accepted +
  // receipt.refusals_size(), or all of them when it was durable before.
  using OnReceipt = std::function<void(const v1::AlertBatch& batch, const v1::Receipt& receipt)>;

  AlertSender(const Client& client, SenderOptions options, OnReceipt on_receipt);
  ~AlertSender();

  // Sends `batch` (its number is set here). Returns once it is on its way; waits for receipts when
  // the window is full. An error is final: the attempts are used up or trying again is of no use.
  absl::Status Send(v1::AlertBatch batch);

  // Waits until every batch has its receipt.
  absl::Status Drain();

  // Batches without a receipt; after an error: what may not be durable.
  std::size_t pending() const { return pending_.size(); }

 private:
  using Call = grpc::ClientReaderWriter<v1::StreamAlertsRequest, v1::StreamAlertsResponse>;

  absl::Status Open();
  // A write that fails says only that the call is over: receipts may still wait to be read, and
  // gRPC gives the status of a call only behind its last message.
  void Write(const v1::AlertBatch& batch);
  absl::Status ReadReceipt();
  void Skip();  // reads to the end of the call
  // Takes the status of a call whose messages are all read; OK when another attempt is worth it
  // (after its wait).
  absl::Status Break();
  absl::Status Settle(std::size_t at_most);

  const Client& client_;
  SenderOptions options_;
  OnReceipt on_receipt_;
  v1::AlertIngest::Stub stub_;
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<Call> call_;
  std::deque<v1::AlertBatch> pending_;
  std::size_t written_ = 0;     // of pending_, on the open call
  bool writes_broken_ = false;  // on the open call
  std::uint64_t last_number_ = 0;
  bool welcomed_ = false;  // ever
  int failures_ = 0;       // in a row
};

}  // namespace tandem::cli
