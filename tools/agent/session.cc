#include "tools/agent/session.h"

#include <fmt/format.h>

#include <utility>

#include "router/base/status.h"
#include "tools/agent/wire.h"

namespace tandem::client {
namespace {

absl::Status ProtocolError(std::string_view message) {
  return Error(absl::StatusCode::kInternal, "PROTOCOL_BROKEN", message);
}

absl::Status SharedId(std::string_view client_id) {
  return Error(absl::StatusCode::kFailedPrecondition, "CLIENT_ID_SHARED",
               fmt::format("the router holds batches of the client id '{}' that this sender never "
                           "sent: another sender uses it, or an old spool was restored. Give each "
                           "sender its own client id. What waits is sent under new numbers.",
                           client_id));
}

}  // namespace

grpc::ByteBuffer Session::Begin() {
  in_flight_.clear();
  sent_ = BatchNumber();
  welcomed_ = false;
  v1::Hello hello;
  if (!options_.tenant.empty()) hello.set_parent("tenants/" + options_.tenant);
  hello.set_client_id(options_.client_id);
  hello.set_agent_version(options_.agent_version);
  return HelloMessage(hello);
}

absl::Status Session::OnResponse(const v1::StreamAlertsResponse& response) {
  if (response.has_welcome() && !welcomed_) return OnWelcome(response.welcome());
  if (response.has_receipt() && welcomed_) return OnReceipt(response.receipt());
  return ProtocolError(welcomed_ ? "the router sent neither a receipt nor anything else expected"
                                 : "the router's first answer was not a welcome");
}

absl::Status Session::OnWelcome(const v1::Welcome& welcome) {
  const std::uint64_t durable = welcome.last_durable_batch();
  const std::optional<std::uint64_t> base = spool_.number_base();
  if (!base || shared_id_ || durable > *base + spool_.last().value) {
    // The router's number says nothing about what waits here: a new spool, or foreign batches.
    if (base && !shared_id_) Notice(SharedId(options_.client_id));
    TANDEM_RETURN_IF_ERROR(Renumber(durable));
    shared_id_ = false;
  } else if (durable > *base) {
    Confirm(BatchNumber(durable - *base));
  }
  ++counters_.connects;
  welcomed_ = true;
  if (options_.events.connected) options_.events.connected();
  return absl::OkStatus();
}

absl::Status Session::Renumber(std::uint64_t last_durable) {
  const std::optional<BatchInfo> oldest = spool_.Oldest();
  const std::uint64_t first = oldest ? oldest->number.value : spool_.last().value + 1;
  // A restart may have left a gap below `first`; the numbers of the wire have gaps then, too.
  if (last_durable + 1 < first) return spool_.SetNumberBase(0);
  return spool_.SetNumberBase(last_durable + 1 - first);
}

void Session::Confirm(BatchNumber through) {
  for (auto batch = spool_.ReadAfter(BatchNumber()); batch && batch->info.number <= through;
       batch = spool_.ReadAfter(batch->info.number)) {
    counters_.confirmed_on_resume += batch->info.alerts;
    if (options_.events.receipt) {
      options_.events.receipt({.batch = View(*batch), .already_durable = true});
    }
  }
  spool_.RemoveThrough(through);
}

std::optional<grpc::ByteBuffer> Session::NextMessage() {
  const std::size_t window = one_by_one_ ? 1 : options_.window;
  if (!welcomed_ || in_flight_.size() >= window) return std::nullopt;
  std::optional<SpooledBatch> batch = spool_.ReadAfter(sent_);
  if (!batch) return std::nullopt;
  const BatchView view = View(*batch);
  if (options_.events.sending) options_.events.sending(view);
  grpc::ByteBuffer message = BatchMessage(view.number, view.bytes);
  sent_ = batch->info.number;
  in_flight_.push_back(*std::move(batch));
  ++counters_.batches;
  return message;
}

absl::Status Session::OnReceipt(const v1::Receipt& receipt) {
  if (in_flight_.empty() || View(in_flight_.front()).number != receipt.batch_number()) {
    return ProtocolError(fmt::format("a receipt for batch {} where one for {} was expected",
                                     receipt.batch_number(),
                                     in_flight_.empty() ? 0 : View(in_flight_.front()).number));
  }
  if (receipt.already_durable()) {
    // It was above the welcome's number, and this stream sent it once.
    shared_id_ = true;
    return SharedId(options_.client_id);
  }
  const SpooledBatch batch = std::move(in_flight_.front());
  in_flight_.pop_front();
  ++counters_.receipts;
  const std::optional<BatchInfo> oldest = spool_.Oldest();
  if (!oldest || oldest->number > batch.info.number) return absl::OkStatus();  // given up meanwhile
  counters_.accepted += receipt.accepted();
  if (receipt.refusals_size() > 0) Refuse(batch, receipt);
  if (options_.events.receipt) {
    options_.events.receipt({.batch = View(batch),
                             .accepted = receipt.accepted(),
                             .refused = static_cast<std::uint32_t>(receipt.refusals_size())});
  }
  spool_.RemoveThrough(batch.info.number);
  return absl::OkStatus();
}

void Session::Refuse(const SpooledBatch& batch, const v1::Receipt& receipt) {
  const absl::StatusOr<v1::AlertBatch> alerts = ReadAlerts(batch.bytes);
  for (const v1::Refusal& refusal : receipt.refusals()) {
    ++counters_.refused[refusal.reason()];
    if (!alerts.ok() || refusal.index() >= static_cast<std::uint32_t>(alerts->alerts_size())) {
      continue;  // counted; there is nothing to show
    }
    const v1::Alert& alert = alerts->alerts(static_cast<int>(refusal.index()));
    if (options_.events.refused) {
      options_.events.refused({.alert = alert,
                               .batch = receipt.batch_number(),
                               .reason = refusal.reason(),
                               .field = refusal.field(),
                               .description = refusal.description()});
    }
    refused_.push_back(alert);
  }
}

void Session::OnEnd(const absl::Status& status) {
  if (!absl::IsInvalidArgument(status) || !welcomed_ || in_flight_.empty()) return;
  if (!one_by_one_) {
    one_by_one_ = true;
    return;
  }
  one_by_one_ = false;
  const BatchInfo& batch = in_flight_.front().info;
  Drop({.reason = "REFUSED_WHOLE", .description = MessageOf(status), .alerts = batch.alerts});
  spool_.RemoveThrough(batch.number);
}

void Session::Drop(const DroppedAlerts& dropped) {
  counters_.dropped[dropped.reason] += dropped.alerts;
  if (options_.events.dropped) options_.events.dropped(dropped);
}

std::vector<v1::Alert> Session::TakeRefused() { return std::exchange(refused_, {}); }

BatchView Session::View(const SpooledBatch& batch) const {
  return {.number = spool_.number_base().value_or(0) + batch.info.number.value,
          .alerts = batch.info.alerts,
          .bytes = batch.bytes};
}

void Session::Notice(const absl::Status& notice) const {
  if (options_.events.notice) options_.events.notice(notice);
}

}  // namespace tandem::client
