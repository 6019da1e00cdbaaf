#include "tools/agent/memory_spool.h"

#include <algorithm>

namespace tandem::client {

absl::StatusOr<BatchNumber> MemorySpool::Append(const NewBatch& batch) {
  last_ = last_.Next();
  batches_.push_back({.info = {.number = last_,
                               .alerts = batch.alerts,
                               .bytes = static_cast<std::uint32_t>(batch.bytes.size()),
                               .time = batch.time},
                      .bytes = std::string(batch.bytes)});
  bytes_ += batch.bytes.size() + kBatchOverheadBytes;
  alerts_ += batch.alerts;
  return last_;
}

std::optional<SpooledBatch> MemorySpool::ReadAfter(BatchNumber number) {
  const auto next = std::upper_bound(
      batches_.begin(), batches_.end(), number,
      [](BatchNumber n, const SpooledBatch& batch) { return n < batch.info.number; });
  if (next == batches_.end()) return std::nullopt;
  return *next;
}

void MemorySpool::RemoveThrough(BatchNumber number) {
  while (!batches_.empty() && batches_.front().info.number <= number) {
    bytes_ -= batches_.front().bytes.size() + kBatchOverheadBytes;
    alerts_ -= batches_.front().info.alerts;
    batches_.pop_front();
  }
}

std::optional<BatchInfo> MemorySpool::Oldest() const {
  if (batches_.empty()) return std::nullopt;
  return batches_.front().info;
}

absl::Status MemorySpool::SetNumberBase(std::uint64_t base) {
  base_ = base;
  return absl::OkStatus();
}

}  // namespace tandem::client
