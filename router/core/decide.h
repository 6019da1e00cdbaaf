// Decide(state, input, now) → facts: all the judgement. Pure; may change with every release.
//
// An input with several parts (the alerts of a batch, the deadlines of a moment) is decided part by
// part, each on the state after the one before; `Step` drives that.
#pragma once

#include <absl/status/status.h>

#include "router/core/fact.h"
#include "router/core/input.h"
#include "router/core/state.h"

namespace tandem::core {

// What came of an input. A refused input leaves no trace: no facts, no record.
struct Outcome {
  Facts facts;
  absl::Status refused;   // OK unless a person's action was not possible
  bool repeated = false;  // a request or a batch that had been taken before
};

// Decides `input` and applies what was decided. The record's sequence is state.last_sequence + 1.
// An outcome without facts changed nothing and needs no record.
// REQUIRES: now is not before state.last_time.
Outcome Step(TenantState& state, const Input& input, absl::Time now);

// Recovery: applies the facts of a record without deciding.
void Replay(TenantState& state, const Input& input, const Facts& facts, Sequence sequence,
            absl::Time time);

}  // namespace tandem::core
