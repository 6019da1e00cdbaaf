// The errors of the journal: what each means stands at its maker. Pure; safe from any thread.
#pragma once

#include <absl/status/status.h>

#include <string_view>

#include "router/base/ids.h"

namespace tandem::journal {

inline constexpr std::string_view kDiskFull = "DISK_FULL";

// RESOURCE_EXHAUSTED: nothing was written. `what` says which limit was met.
absl::Status DiskFull(std::string_view what);

// FAILED_PRECONDITION: a record that does not follow the stored head of its tenant.
absl::Status Gap(const TenantId& tenant, Sequence head, Sequence got);

// DATA_LOSS with the facts `tenant` and `sequence`; `what` says what does not fit.
absl::Status DamagedRecord(const TenantId& tenant, Sequence sequence, std::string_view what);

// DATA_LOSS: another row does not fit its seal. `row` says which: "incident 7 of tenant plant".
absl::Status DamagedRow(std::string_view row);

}  // namespace tandem::journal
