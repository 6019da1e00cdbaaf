#include "tools/agent/agent_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "router/base/status.h"
#include "tools/agent/wire.h"

namespace tandem::client {
namespace {

using Json = nlohmann::ordered_json;

std::string Line(const Json& json) {
  // Labels are not checked before they are sent; a log line must be JSON whatever they hold.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

// Cuts off what stands after the last line's end: a kill left it, and a new line must not join it.
absl::Status CutUnfinishedLine(const FileHandle& file, const std::string& path) {
  constexpr std::uint64_t kBlock = 64u << 10;
  const off_t size = ::lseek(file.fd(), 0, SEEK_END);
  if (size <= 0) return absl::OkStatus();  // new, or not a file that can be cut: a pipe
  auto end = static_cast<std::uint64_t>(size);
  while (end > 0) {
    const std::uint64_t begin = end - std::min(end, kBlock);
    TANDEM_ASSIGN_OR_RETURN(const std::string block, ReadAt(file, path, begin, end - begin));
    const std::size_t newline = block.rfind('\n');
    end = newline == std::string::npos ? begin : begin + newline + 1;
    if (newline != std::string::npos) break;
  }
  if (end == static_cast<std::uint64_t>(size)) return absl::OkStatus();
  if (::ftruncate(file.fd(), static_cast<off_t>(end)) != 0) return DiskError("cut", path, errno);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<AgentLog>> AgentLog::Open(const std::string& path) {
  TANDEM_ASSIGN_OR_RETURN(FileHandle file, OpenFile(path, O_RDWR | O_CREAT | O_APPEND));
  TANDEM_RETURN_IF_ERROR(CutUnfinishedLine(file, path));
  return std::unique_ptr<AgentLog>(new AgentLog(path, std::move(file)));
}

absl::Status AgentLog::WriteAlerts(const BatchView& batch) {
  TANDEM_ASSIGN_OR_RETURN(const v1::AlertBatch alerts, ReadAlerts(batch.bytes));
  std::string lines;
  for (const v1::Alert& alert : alerts.alerts()) {
    lines +=
        Line({{"batch", batch.number}, {"alert", AlertKey(alert)}, {"ends", alert.has_ends_at()}});
  }
  return Write(lines);
}

absl::Status AgentLog::WriteReceipt(const BatchReceipt& receipt) {
  TANDEM_ASSIGN_OR_RETURN(const v1::AlertBatch alerts, ReadAlerts(receipt.batch.bytes));
  Json line = {{"batch", receipt.batch.number},
               {"accepted", receipt.accepted},
               {"refused", receipt.refused},
               {"already_durable", receipt.already_durable}};
  if (!alerts.alerts().empty()) {
    line["first"] = AlertKey(alerts.alerts(0));
    line["last"] = AlertKey(alerts.alerts(alerts.alerts_size() - 1));
  }
  return Write(Line(line));
}

absl::Status AgentLog::Write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(file_.fd(), text.data(), text.size());
    if (n < 0 && errno != EINTR) return DiskError("write", path_, errno);
    if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
  }
  return absl::OkStatus();
}

}  // namespace tandem::client
