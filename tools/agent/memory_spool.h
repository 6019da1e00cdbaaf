// A spool without a file: what it holds ends with the process.
#pragma once

#include <deque>

#include "tools/agent/spool.h"

namespace tandem::client {

class MemorySpool final : public Spool {
 public:
  absl::StatusOr<BatchNumber> Append(const NewBatch& batch) override;
  absl::Status Sync() override { return absl::OkStatus(); }
  std::optional<SpooledBatch> ReadAfter(BatchNumber number) override;
  void RemoveThrough(BatchNumber number) override;
  std::optional<BatchInfo> Oldest() const override;
  std::uint64_t alerts() const override { return alerts_; }
  std::uint64_t bytes() const override { return bytes_; }
  BatchNumber last() const override { return last_; }
  std::optional<std::uint64_t> number_base() const override { return base_; }
  absl::Status SetNumberBase(std::uint64_t base) override;
  std::vector<SpoolDamage> TakeDamages() override { return {}; }

 private:
  std::deque<SpooledBatch> batches_;
  std::uint64_t bytes_ = 0;
  std::uint64_t alerts_ = 0;
  BatchNumber last_;
  std::optional<std::uint64_t> base_;
};

}  // namespace tandem::client
