#include "tools/agent/cutter.h"

#include <utility>

#include "router/base/check.h"

namespace tandem::client {

std::shared_ptr<Stored> Cutter::Add(std::string_view element, absl::Time now) {
  TANDEM_CHECK(element.size() <= options_.batch_bytes, "an alert must fit a batch");
  if (filling_.bytes.size() + element.size() > options_.batch_bytes) Cut();
  if (filling_.alerts == 0) {
    filling_.first = now;
    bytes_ += kBatchOverheadBytes;
  }
  filling_.bytes.append(element);
  ++filling_.alerts;
  bytes_ += element.size();
  ++alerts_;
  std::shared_ptr<Stored> stored = filling_.stored;
  if (filling_.alerts >= options_.batch_alerts) Cut();
  return stored;
}

void Cutter::Cut() {
  if (filling_.alerts == 0) return;
  cut_.push_back(std::exchange(filling_, CutBatch()));
}

std::vector<CutBatch> Cutter::Take(absl::Time now) {
  if (filling_.alerts > 0 && filling_.first + options_.linger <= now) Cut();
  for (const CutBatch& batch : cut_) {
    bytes_ -= batch.bytes.size() + kBatchOverheadBytes;
    alerts_ -= batch.alerts;
  }
  return std::exchange(cut_, {});
}

absl::Time Cutter::due() const {
  if (!cut_.empty()) return absl::InfinitePast();
  if (filling_.alerts == 0) return absl::InfiniteFuture();
  return filling_.first + options_.linger;
}

}  // namespace tandem::client
