// The ingest stream's messages as bytes, so that an alert is serialised once: on its way into the
// spool. What the spool holds goes to the router as it lies there.
//
// Pure; safe to call from any thread.
#pragma once

#include <absl/status/statusor.h>
#include <grpcpp/support/byte_buffer.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "tandem/v1/alert_ingest.pb.h"

namespace tandem::client {

inline constexpr char kStreamAlertsMethod[] = "/tandem.v1.AlertIngest/StreamAlerts";

// The router's limits for a batch (proto/tandem/v1/alert_ingest.proto).
inline constexpr std::uint32_t kBatchMaxAlerts = 512;
// 1 MiB, less tag and varint of the batch's number.
inline constexpr std::size_t kBatchMaxBytes = (1u << 20) - 16;

// Appends `alert` as one element of the field `alerts` of an AlertBatch.
void AppendAlert(const v1::Alert& alert, std::string& alerts);

// The alerts that AppendAlert wrote. DATA_LOSS when the bytes are not of its making.
absl::StatusOr<v1::AlertBatch> ReadAlerts(std::string_view alerts);

// A StreamAlertsRequest with the batch `number` of these alerts.
grpc::ByteBuffer BatchMessage(std::uint64_t number, std::string_view alerts);

// A StreamAlertsRequest that opens the stream.
grpc::ByteBuffer HelloMessage(const v1::Hello& hello);

// The identity of an alert within its tenant as text, one for equal label sets:
// `{alertname="Down",site="plant-7"}`, names in byte order, values escaped as in matchers. Labels
// with an empty value are left out, as the router does.
std::string AlertKey(const v1::Alert& alert);

}  // namespace tandem::client
