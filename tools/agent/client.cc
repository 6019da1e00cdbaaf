#include "tools/agent/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "router/base/status.h"
#include "tools/agent/channel.h"
#include "tools/agent/file_spool.h"
#include "tools/agent/memory_spool.h"
#include "tools/agent/wire.h"
#include "tools/agent/worker.h"

namespace tandem::client {
namespace {

bool IsClientId(std::string_view id) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/-";
  return !id.empty() && id.size() <= 128 &&
         id.find_first_not_of(kAllowed) == std::string_view::npos;
}

absl::Status Check(const ClientOptions& options) {
  if (options.connection.address.empty()) {
    return InvalidField("OPTION_INVALID", "address", "`host:port` or `unix:/path` was expected");
  }
  if (!IsClientId(options.client_id)) {
    return InvalidField("OPTION_INVALID", "client_id",
                        "1 to 128 bytes of [a-zA-Z0-9._:/-] were expected");
  }
  if (options.batch_alerts < 1 || options.batch_alerts > kBatchMaxAlerts) {
    return InvalidField("OPTION_INVALID", "batch_alerts",
                        fmt::format("1 to {} were expected", kBatchMaxAlerts));
  }
  if (options.window < 1 || options.window > 64) {
    return InvalidField("OPTION_INVALID", "window", "1 to 64 were expected");
  }
  if (options.linger < absl::ZeroDuration() || options.linger > absl::Seconds(10)) {
    return InvalidField("OPTION_INVALID", "linger", "0 to 10 s were expected");
  }
  if (options.resend_interval && *options.resend_interval < absl::ZeroDuration()) {
    return InvalidField("OPTION_INVALID", "resend_interval", "no time below 0 was expected");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Spool>> OpenSpool(const ClientOptions& options, const Clock& clock) {
  if (options.spool.directory.empty()) return std::make_unique<MemorySpool>();
  return FileSpool::Open(
      {.directory = options.spool.directory, .client_id = options.client_id, .clock = &clock});
}

}  // namespace

absl::StatusOr<std::unique_ptr<AlertClient>> AlertClient::Start(ClientOptions options) {
  static const SystemClock system_clock;
  TANDEM_RETURN_IF_ERROR(Check(options));
  TANDEM_ASSIGN_OR_RETURN(auto channel, OpenChannel(options.connection));
  TANDEM_ASSIGN_OR_RETURN(
      auto spool, OpenSpool(options, options.clock != nullptr ? *options.clock : system_clock));
  return std::unique_ptr<AlertClient>(new AlertClient(
      std::make_unique<Worker>(std::move(options), std::move(channel), std::move(spool))));
}

AlertClient::AlertClient(std::unique_ptr<Worker> worker) : worker_(std::move(worker)) {}
AlertClient::~AlertClient() = default;

absl::Status AlertClient::Send(std::span<const v1::Alert> alerts) { return worker_->Send(alerts); }
absl::Status AlertClient::Send(const v1::Alert& alert) {
  return worker_->Send(std::span(&alert, 1));
}
absl::Status AlertClient::Flush(absl::Duration timeout) { return worker_->Flush(timeout); }
absl::Status AlertClient::Stop(absl::Duration timeout) { return worker_->Stop(timeout); }
ClientStats AlertClient::stats() const { return worker_->stats(); }

}  // namespace tandem::client
