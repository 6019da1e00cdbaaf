#include "tools/tandem/alert_sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "router/base/status.h"
#include "tools/tandem/pause.h"

namespace tandem::cli {
namespace {

constexpr absl::Duration kFirstWait = absl::Milliseconds(250);
constexpr absl::Duration kWaitMax = absl::Seconds(30);
// For a connection that broke, at each attempt: gRPC connects only while somebody waits for it.
constexpr std::chrono::seconds kConnectWait(3);

bool IsWorthTrying(absl::StatusCode code) {
  return code == absl::StatusCode::kUnavailable || code == absl::StatusCode::kResourceExhausted ||
         code == absl::StatusCode::kAborted;
}

}  // namespace

AlertSender::AlertSender(const Client& client, SenderOptions options, OnReceipt on_receipt)
    : client_(client),
      options_(std::move(options)),
      on_receipt_(std::move(on_receipt)),
      stub_(client.channel()) {}

AlertSender::~AlertSender() {
  if (call_ == nullptr) return;
  if (pending_.empty()) {
    call_->WritesDone();
    Skip();
  } else {
    context_->TryCancel();
  }
  call_->Finish();
}

void AlertSender::Skip() {
  v1::StreamAlertsResponse answer;
  while (call_->Read(&answer)) {
  }
}

absl::Status AlertSender::Open() {
  if (failures_ > 0) {
    // What comes of it shows the call.
    client_.channel()->WaitForConnected(std::chrono::system_clock::now() + kConnectWait);
  }
  context_ = std::make_unique<grpc::ClientContext>();
  client_.Prepare(*context_);
  call_ = stub_.StreamAlerts(context_.get());
  written_ = 0;
  writes_broken_ = false;
  v1::StreamAlertsRequest request;
  v1::Hello& hello = *request.mutable_hello();
  hello.set_parent(options_.parent);
  hello.set_client_id(options_.client_id);
  hello.set_agent_version("tandem-cli");
  v1::StreamAlertsResponse answer;
  if (!call_->Write(request)) {
    Skip();
    return Break();
  }
  if (!call_->Read(&answer)) return Break();
  if (!answer.has_welcome()) {
    context_->TryCancel();
    return Break();
  }
  if (!welcomed_) last_number_ = answer.welcome().last_durable_batch();
  welcomed_ = true;
  return absl::OkStatus();
}

void AlertSender::Write(const v1::AlertBatch& batch) {
  v1::StreamAlertsRequest request;
  *request.mutable_batch() = batch;
  if (call_->Write(request)) {
    ++written_;
  } else {
    writes_broken_ = true;
  }
}

absl::Status AlertSender::ReadReceipt() {
  v1::StreamAlertsResponse answer;
  if (!call_->Read(&answer)) return Break();
  if (!answer.has_receipt()) return absl::OkStatus();
  const v1::Receipt& receipt = answer.receipt();
  if (pending_.empty() || receipt.batch_number() != pending_.front().number()) {
    return Error(
        absl::StatusCode::kInternal, "RECEIPT_OUT_OF_ORDER",
        fmt::format("the router gave a receipt for batch {} where {} was due",
                    receipt.batch_number(), pending_.empty() ? 0 : pending_.front().number()));
  }
  failures_ = 0;
  on_receipt_(pending_.front(), receipt);
  pending_.pop_front();
  --written_;
  return absl::OkStatus();
}

absl::Status AlertSender::Break() {
  absl::Status why = client_.Failed("AlertIngest/StreamAlerts", call_->Finish());
  call_.reset();
  if (why.ok()) {
    why = Error(absl::StatusCode::kUnavailable, "STREAM_ENDED",
                "the router ended the stream before every batch had its receipt");
  }
  ++failures_;
  // A router that was never reached is told at once; one that was may be restarting.
  if (!welcomed_ || !IsWorthTrying(why.code()) || failures_ >= options_.attempts_max) return why;
  const absl::Duration wait = RetryOf(why).value_or(
      std::min(kWaitMax, kFirstWait * static_cast<double>(1 << std::min(failures_, 10))));
  // Alerts are sent to the end, whoever still reads the summary.
  Pause(std::min(wait, kWaitMax), kNobody);
  return absl::OkStatus();
}

absl::Status AlertSender::Settle(std::size_t at_most) {
  while (pending_.size() > at_most || written_ < pending_.size()) {
    if (call_ == nullptr) {
      TANDEM_RETURN_IF_ERROR(Open());
    } else if (!writes_broken_ && written_ < pending_.size()) {
      Write(pending_[written_]);
    } else {
      TANDEM_RETURN_IF_ERROR(ReadReceipt());
    }
  }
  return absl::OkStatus();
}

absl::Status AlertSender::Send(v1::AlertBatch batch) {
  // The first number is known only once the router has said where this client stands.
  while (!welcomed_) TANDEM_RETURN_IF_ERROR(Open());
  batch.set_number(++last_number_);
  pending_.push_back(std::move(batch));
  return Settle(options_.window - 1);
}

absl::Status AlertSender::Drain() { return Settle(0); }

}  // namespace tandem::cli
