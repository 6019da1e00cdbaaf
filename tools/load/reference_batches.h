// Batches of the reference alert, ready to be written to a stream: what a load generator spends on
// an alert must be little beside what the router spends.
//
// Not thread-safe.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tandem/v1/common.pb.h"

namespace tandem::load {

// The label that tells alerts apart: 12 digits.
inline constexpr std::string_view kIdLabel = "load_id";

struct ReferenceOptions {
  std::uint32_t batch = 64;    // alerts a batch, 1 to 512
  std::uint32_t run = 0;       // 0 to 9999: part of the labels, so that two runs share no alert
  std::uint64_t first = 0;     // id of the first alert
  std::uint64_t distinct = 0;  // ids begin again after so many; 0: never
  std::uint32_t sites = 10;    // alerts spread over `load-00`, `load-01` and so on, 1 to 100
};

class ReferenceBatches {
 public:
  explicit ReferenceBatches(ReferenceOptions options);

  // A StreamAlertsRequest with the next alerts as batch `number`.
  grpc::ByteBuffer Next(std::uint64_t number);

  // Of one alert as protobuf: about 272, with 8 labels.
  std::size_t alert_bytes() const { return alert_bytes_; }
  // The id that the next alert has.
  std::uint64_t next_id() const;

 private:
  const ReferenceOptions options_;
  std::size_t alert_bytes_ = 0;
  std::string body_;                 // elements of AlertBatch.alerts
  std::vector<std::size_t> digits_;  // where in body_ the id of each alert stands
  std::uint64_t made_ = 0;
};

// The id of an alert of ours; nullopt for any other.
std::optional<std::uint64_t> IdOf(const google::protobuf::RepeatedPtrField<v1::Label>& labels);

}  // namespace tandem::load
