// Alerts as people and other programs write them: `name=value` options and Alertmanager's JSON.
//
// Pure. What the router judges (names, lengths, times) is left to the router: its refusals are
// shown.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <string>
#include <string_view>
#include <vector>

#include "tandem/v1/alert_ingest.pb.h"

namespace tandem::cli {

// `severity=critical`. The value is everything behind the first `=`. `option` names the option in
// the error (reason USAGE).
absl::StatusOr<v1::Label> ReadLabel(std::string_view option, std::string_view text);

// RFC 3339 (`2026-11-23T14:05:00Z`), `now`, or a duration from now: `10m`, `-10m`.
absl::StatusOr<absl::Time> ReadTime(std::string_view option, std::string_view text, absl::Time now);

// One alert as Alertmanager's API takes it: an object with `labels`, `annotations`, `startsAt`,
// `endsAt`, `generatorURL`; other names are ignored. INVALID_ARGUMENT says what was expected.
// A zero time (`0001-01-01T00:00:00Z`), which Go programs send for "none", counts as absent.
absl::StatusOr<v1::Alert> ReadAlertJson(std::string_view line);

}  // namespace tandem::cli
