// How long an alert takes to its receipt, and to a reader of the live feed.
#pragma once

#include <absl/status/statusor.h>

#include <chrono>

#include "tools/load/figures.h"
#include "tools/load/ingest_mode.h"

namespace tandem::load {

struct LatencyOptions {
  Target target;
  ReferenceOptions alerts;  // `distinct` must be 0: a repeat makes no event
  double rate = 1000;       // alerts a second, open loop: the schedule does not wait for the router
  std::uint32_t window = 64;
  std::chrono::milliseconds duration{5000};
  // How long the last receipts and events may take. What comes later is reported as missing.
  std::chrono::milliseconds patience{10'000};
};

// Sends alerts by a schedule while it reads the feed in the same process. Each time counts from the
// moment at which the alert was due, so that a router that stalls cannot hide the wait (no
// coordinated omission). The token needs the roles `agent` and `viewer`.
absl::StatusOr<Json> RunLatency(const LatencyOptions& options);

}  // namespace tandem::load
