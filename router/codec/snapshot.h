// The whole state of a tenant as bytes, so that recovery need not fold its history from the start.
//
// Pure; one thread at a time.
#pragma once

#include <absl/status/status.h>

#include <string>
#include <string_view>

#include "router/core/state.h"

namespace tandem::codec {

// A serialized tandem.journal.v1.Snapshot; equal states give equal bytes.
std::string EncodeSnapshot(const core::TenantState& state);

// Fills a fresh state (its tenant and key are set, nothing else). DATA_LOSS when the bytes are no
// snapshot.
absl::Status DecodeSnapshot(std::string_view bytes, core::TenantState& state);

}  // namespace tandem::codec
