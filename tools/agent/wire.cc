#include "tools/agent/wire.h"

#include <fmt/format.h>
#include <grpcpp/support/slice.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "router/base/status.h"

namespace tandem::client {
namespace {

// Tags of length-delimited and varint fields, as protobuf's encoding has them.
constexpr char kAlertsTag = 2 << 3 | 2;  // AlertBatch.alerts
constexpr char kNumberTag = 1 << 3 | 0;  // AlertBatch.number
constexpr char kBatchTag = 2 << 3 | 2;   // StreamAlertsRequest.batch

void AppendVarint(std::uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

grpc::ByteBuffer OneSlice(std::string_view bytes) {
  const grpc::Slice slice(bytes.data(), bytes.size());
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace

void AppendAlert(const v1::Alert& alert, std::string& alerts) {
  alerts.push_back(kAlertsTag);
  AppendVarint(alert.ByteSizeLong(), alerts);
  alert.AppendToString(&alerts);
}

absl::StatusOr<v1::AlertBatch> ReadAlerts(std::string_view alerts) {
  v1::AlertBatch batch;
  if (!batch.ParseFromArray(alerts.data(), static_cast<int>(alerts.size()))) {
    return Error(absl::StatusCode::kDataLoss, "BATCH_DAMAGED",
                 "a spooled batch is not a list of alerts");
  }
  return batch;
}

grpc::ByteBuffer BatchMessage(std::uint64_t number, std::string_view alerts) {
  std::string named(1, kNumberTag);
  AppendVarint(number, named);
  std::string message(1, kBatchTag);
  message.reserve(alerts.size() + 32);
  AppendVarint(named.size() + alerts.size(), message);
  message.append(named).append(alerts);
  return OneSlice(message);
}

grpc::ByteBuffer HelloMessage(const v1::Hello& hello) {
  v1::StreamAlertsRequest request;
  *request.mutable_hello() = hello;
  return OneSlice(request.SerializeAsString());
}

std::string AlertKey(const v1::Alert& alert) {
  std::vector<std::pair<std::string_view, std::string_view>> labels;
  labels.reserve(static_cast<std::size_t>(alert.labels_size()));
  for (const v1::Label& label : alert.labels()) {
    if (!label.value().empty()) labels.emplace_back(label.name(), label.value());
  }
  std::sort(labels.begin(), labels.end());
  std::string key = "{";
  for (const auto& [name, value] : labels) {
    if (key.size() > 1) key += ',';
    key.append(name).append("=\"");
    for (const char c : value) {
      if (c == '\n') {
        key += "\\n";
        continue;
      }
      if (c == '"' || c == '\\') key += '\\';
      key += c;
    }
    key += '"';
  }
  return key + "}";
}

}  // namespace tandem::client
