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
  // Alert n is of service n % services (`manufacturing-svc-00000`, at most 100,000 of them) and of
  // job n % jobs (`exporter-0000`, at most 10,000): what playbooks of many rules and many incidents
  // are measured with. 0: all of the same.
  std::uint32_t services = 0;
  std::uint32_t jobs = 0;
};

class ReferenceBatches {
 public:
  explicit ReferenceBatches(ReferenceOptions options);

  // A StreamAlertsRequest with the next alerts as batch `number`: a whole batch, or the first
  // `alerts` of it. REQUIRES: 1 ≤ alerts ≤ options.batch.
  grpc::ByteBuffer Next(std::uint64_t number, std::uint32_t alerts);
  grpc::ByteBuffer Next(std::uint64_t number) { return Next(number, options_.batch); }

  // Of one alert as protobuf: about 272, with 8 labels.
  std::size_t alert_bytes() const { return alert_bytes_; }
  // The id that the next alert has.
  std::uint64_t next_id() const;

 private:
  const ReferenceOptions options_;
  std::size_t alert_bytes_ = 0;
  // Where in body_ the digits of an alert stand, and where the alert ends.
  struct Place {
    std::size_t id = 0;
    std::size_t service = 0;
    std::size_t job = 0;
    std::size_t end = 0;
  };
  std::string body_;  // elements of AlertBatch.alerts
  std::vector<Place> places_;
  std::uint64_t made_ = 0;
};

// The id of an alert of ours; nullopt for any other.
std::optional<std::uint64_t> IdOf(const google::protobuf::RepeatedPtrField<v1::Label>& labels);

}  // namespace tandem::load
