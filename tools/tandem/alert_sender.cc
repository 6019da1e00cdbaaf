#include "tools/tandem/alert_sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "router/base/status.h"

namespace tandem::cli {
namespace {

constexpr absl::Duration kFirstWait = absl::Milliseconds(250);
constexpr absl::Duration kWaitMax = absl::Seconds(30);

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
  } else {
    context_->TryCancel();
  }
  call_->Finish();
}

absl::Status AlertSender::Open() {
  context_ = std::make_unique<grpc::ClientContext>();
  client_.Prepare(*context_);
  call_ = stub_.StreamAlerts(context_.get());
  written_ = 0;
  v1::StreamAlertsRequest request;
  v1::Hello& hello = *request.mutable_hello();
  hello.set_parent(options_.parent);
  hello.set_client_id(options_.client_id);
  hello.set_agent_version("tandem-cli");
  v1::StreamAlertsResponse answer;
  if (!call_->Write(request) || !call_->Read(&answer)) return Break();
  if (!answer.has_welcome()) {
    context_->TryCancel();
    return Break();
  }
  if (!welcomed_) last_number_ = answer.welcome().last_durable_batch();
  welcomed_ = true;
  return absl::OkStatus();
}

absl::Status AlertSender::Write(const v1::AlertBatch& batch) {
  v1::StreamAlertsRequest request;
  *request.mutable_batch() = batch;
  if (!call_->Write(request)) return Break();
  ++written_;
  return absl::OkStatus();
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
  std::this_thread::sleep_for(absl::ToChronoMilliseconds(std::min(wait, kWaitMax)));
  return absl::OkStatus();
}

absl::Status AlertSender::Settle(std::size_t at_most) {
  while (pending_.size() > at_most || written_ < pending_.size()) {
    if (call_ == nullptr) {
      TANDEM_RETURN_IF_ERROR(Open());
    } else if (written_ < pending_.size()) {
      TANDEM_RETURN_IF_ERROR(Write(pending_[written_]));
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
