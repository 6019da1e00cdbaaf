// Reads and judges a batch of alerts straight from the bytes in which it came.
//
// An own reader of the protobuf wire format, because this is where a router spends its time: it
// makes no objects, points into the received bytes, and costs about a fifth of a parse into
// messages (router/decisions/0006). tests/fuzz compares it with protobuf's own parser.
//
// Pure; safe from any thread.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "router/core/identity.h"
#include "router/core/input.h"

namespace tandem::codec {

// Limits of the public API (proto/tandem/v1/alert_ingest.proto).
inline constexpr std::size_t kBatchBytesMax = 1 << 20;
inline constexpr std::size_t kBatchAlertsMax = 512;
inline constexpr std::size_t kLabelsMax = 64;
inline constexpr std::size_t kAnnotationsMax = 64;
inline constexpr std::size_t kLabelNameMax = 128;
inline constexpr std::size_t kLabelValueMax = 2048;
inline constexpr std::size_t kAnnotationMax = 8192;
inline constexpr std::size_t kUrlMax = 2048;
inline constexpr std::size_t kClientIdMax = 128;

// An alert that is not taken.
struct Refusal {
  std::uint32_t index = 0;
  std::string reason;       // UPPER_SNAKE_CASE, see tandem.v1.Refusal
  std::string field;        // below the alert
  std::string description;  // what was wrong and what was expected
  friend bool operator==(const Refusal&, const Refusal&) = default;
};

// A batch and the views into it. Moving it keeps the views valid; copying is not possible.
class ReadBatch {
 public:
  ReadBatch() = default;
  ReadBatch(ReadBatch&&) = default;
  ReadBatch& operator=(ReadBatch&&) = default;
  ReadBatch(const ReadBatch&) = delete;
  ReadBatch& operator=(const ReadBatch&) = delete;

  std::uint64_t number = 0;
  std::uint32_t sent = 0;              // alerts in the batch
  std::vector<core::AlertItem> items;  // the valid ones, by index
  std::vector<Refusal> refusals;       // the others, by index
  std::string_view bytes() const { return {bytes_.data(), bytes_.size()}; }

 private:
  friend class BatchReader;
  std::vector<char> bytes_;  // a vector, because a short std::string moves its characters
  std::vector<playbook::LabelView> labels_;
};

// Judges each alert alone. INVALID_ARGUMENT when the batch as a whole is refused: malformed bytes,
// too large, too many alerts, or none; `now` is the time of receipt. Whether a number is needed is
// for the caller to say: a sender without a client id has none.
absl::StatusOr<ReadBatch> ReadAlertBatch(std::string_view bytes, const core::IdentityKey& key,
                                         absl::Time now);

// Reads a batch that was judged before, for recovery and for display: every alert that can be read
// is an item, no limit is applied.
ReadBatch ReadStoredBatch(std::string_view bytes, const core::IdentityKey& key);

// INVALID_ARGUMENT unless `client_id` has at most 128 bytes of [a-zA-Z0-9._:/-].
absl::Status CheckClientId(std::string_view client_id, std::string_view field);

}  // namespace tandem::codec
