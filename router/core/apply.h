// Apply(state, fact) → state': no judgement, total over the facts of every release, changes only
// with the stored format.
#pragma once

#include "router/core/fact.h"
#include "router/core/input.h"
#include "router/core/state.h"

namespace tandem::core {

// Where a fact stands: the input of its record, its position and its time.
struct Position {
  const Input* input = nullptr;
  Sequence sequence;
  Micros time = 0;
};

// REQUIRES: the fact was decided on this state (facts are folded in order, each once).
void Apply(TenantState& state, const Position& position, const Fact& fact);

// Ends a record: what has no fact of its own because it follows from the input alone (position,
// time, the wakes of alerts that were looked at).
void EndRecord(TenantState& state, const Position& position);

// Ends a look at the alerts whose time has come: those still active are put at their new end.
// Nothing while ends are deferred.
void SettleAlerts(TenantState& state, Micros now);

// Puts an incident that was restored from a snapshot among the deadlines.
void RestoreDeadline(TenantState& state, Incident& incident);

// How many alerts one TimePassed looks at; more are left for the next.
inline constexpr std::size_t kAlertsPerTimePassed = 4096;

}  // namespace tandem::core
