// Alerts as JSON, in the form in which Alertmanager's API takes them:
//
//   {"labels": {"alertname": "Down"}, "annotations": {}, "startsAt": "2026-01-02T03:04:05Z",
//    "endsAt": "…", "generatorURL": "…"}
//
// Pure; safe to call from any thread.
#pragma once

#include <absl/status/statusor.h>

#include <string_view>

#include "tandem/v1/alert_ingest.pb.h"

namespace tandem::client {

// Longer lines are refused.
inline constexpr std::size_t kJsonLineMaxBytes = 1u << 20;

// `labels` is required; all else may be missing. Times are RFC 3339; Go's zero time counts as
// missing. Members of other names are passed over, as Alertmanager's own output has some.
// INVALID_ARGUMENT says which member is wrong and what was expected. What a label may be is the
// router's to judge.
absl::StatusOr<v1::Alert> ReadJsonAlert(std::string_view line);

}  // namespace tandem::client
