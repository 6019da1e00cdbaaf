// Facts to and from their stored form; runs of facts about alerts are stored by column. Pure.
#pragma once

#include <absl/status/status.h>

#include "router/core/fact.h"
#include "tandem/journal/v1/journal.pb.h"

namespace tandem::codec {

// Appends to `record`.
void EncodeFacts(const core::Facts& facts, journal::v1::Record* record);

// DATA_LOSS when columns differ in length; UNIMPLEMENTED for a fact that this release does not
// know.
absl::Status DecodeFacts(const journal::v1::Record& record, core::Facts& facts);

}  // namespace tandem::codec
