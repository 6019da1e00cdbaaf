// Between a decided input and the bytes of its record (tandem.journal.v1.Record).
//
// Pure; safe from any thread.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <string_view>

#include "router/codec/alert_reader.h"
#include "router/core/fact.h"
#include "router/core/input.h"
#include "router/core/installation.h"

namespace tandem::codec {

// Named in every record; raised when decisions change.
inline constexpr std::uint32_t kCoreVersion = 1;

// `batch_bytes` are those of an AlertBatch as it came, "" for every other input. They are left out
// when all facts are plain refreshes (see AlertRepeat).
std::string EncodeRecord(const core::Input& input, std::string_view batch_bytes,
                         const core::Facts& facts);
std::string EncodeInstallation(const core::InstallationInput& input);

// A record read back. `input` points into `batch`.
struct DecodedRecord {
  core::Input input;
  core::Facts facts;
  std::unique_ptr<ReadBatch> batch;  // of an AlertBatch with bytes
};

// DATA_LOSS when the bytes are no record, UNIMPLEMENTED when they hold an input or fact that this
// release does not know (a newer one wrote it).
absl::StatusOr<DecodedRecord> DecodeRecord(std::string_view body, const core::IdentityKey& key);
absl::StatusOr<core::InstallationInput> DecodeInstallation(std::string_view body);

// Only the alerts of a record, for display; an empty batch when it holds none.
absl::StatusOr<ReadBatch> DecodeAlerts(std::string_view body, const core::IdentityKey& key);

}  // namespace tandem::codec
