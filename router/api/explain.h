// Why an incident went where it did, re-derived from the journal alone and checked against what was
// recorded.
//
// Reads only; the caller's thread.
#pragma once

#include <absl/status/statusor.h>

#include <vector>

#include "router/api/names.h"
#include "router/engine/command.h"
#include "router/journal/journal.h"
#include "tandem/v1/incidents.pb.h"

namespace tandem::api {

// `milestones` answers a MilestonesQuery. NOT_FOUND with reason
// EVIDENCE_EXPIRED when the record of the decision is no longer kept.
absl::StatusOr<v1::Explanation> Explain(journal::Reader& reader, const IncidentRef& ref,
                                        v1::Incident incident, const engine::Reply& milestones);

}  // namespace tandem::api
