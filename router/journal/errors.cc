#include "router/journal/errors.h"

#include <fmt/format.h>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/journal/journal.h"

namespace tandem::journal {

absl::Status DiskFull(std::string_view what) {
  return Error(absl::StatusCode::kResourceExhausted, kDiskFull,
               fmt::format("journal: the disk is full: {}. Nothing was written; input is accepted "
                           "again when there is room",
                           what));
}

bool IsDiskFull(const absl::Status& status) {
  return absl::IsResourceExhausted(status) && ReasonOf(status) == kDiskFull;
}

absl::Status Gap(const TenantId& tenant, Sequence head, Sequence got) {
  return Error(absl::StatusCode::kFailedPrecondition, "JOURNAL_GAP",
               fmt::format("journal: record {} of tenant {} does not follow the stored head {}; "
                           "stop and recover from the journal",
                           got.value, Printable(tenant.value), head.value));
}

absl::Status DamagedRecord(const TenantId& tenant, Sequence sequence, std::string_view what) {
  absl::Status status =
      Error(absl::StatusCode::kDataLoss, "JOURNAL_DAMAGED",
            fmt::format("journal: record {} of tenant {}: {}. Restore the journal from a copy",
                        sequence.value, Printable(tenant.value), what));
  status = AddFact(std::move(status), "tenant", tenant.value);
  return AddFact(std::move(status), "sequence", fmt::format("{}", sequence.value));
}

absl::Status DamagedRow(std::string_view row) {
  return Error(
      absl::StatusCode::kDataLoss, "JOURNAL_DAMAGED",
      fmt::format("journal: {} does not fit its checksum. Restore the journal from a copy", row));
}

}  // namespace tandem::journal
