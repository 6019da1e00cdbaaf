// Facts about one incident in sentences for people. Pure.
#pragma once

#include <optional>

#include "router/core/fact.h"
#include "router/core/state.h"
#include "tandem/v1/incidents.pb.h"

namespace tandem::codec {

// The incident that a fact is about; nullopt when it is about none, or about an alert (those are
// told by the batch, not one by one).
std::optional<IncidentNumber> IncidentOf(const core::Fact& fact);

// Fills kind, text, actor, comment and delivery of an entry; false when the fact is not told (what
// only plans ahead). `incident` is as it is after the record.
bool Tell(const core::TenantState& state, const core::Incident& incident, const core::Fact& fact,
          v1::TimelineEntry* entry);

}  // namespace tandem::codec
