// Entities from YAML:
//
//   entities:
//     - kind: site
//       id: plant-7
//       name: Plant 7, Dayton
//       attributes: {kind: factory, criticality: high}
//       relations:
//         - {kind: supplied_by, target: site/warehouse-2}
//       calendars:
//         production:
//           location: America/New_York
//           intervals:
//             - {weekdays: ["monday:friday"], times: ["06:00-22:00"]}
//         shutdown: {location: America/New_York, dates: ["2026-12-24:2027-01-02"]}
//         patch-night:
//           location: America/New_York
//           recurring: [{start: "2026-01-13 22:00", duration: 4h, rule: "FREQ=MONTHLY;BYDAY=2TU"}]
//           exceptions: ["2026-12-08"]
//       matchers: ['instance=~"plc-7-.*"']
//       coordination: [plant-it]
//
// `kind` and `id` are required. Duplicate and unknown keys, anchors, aliases and tags are mistakes;
// a mistake names its line and column and the entity's position in the list.
//
// Pure; safe from any thread.
#pragma once

#include <absl/status/statusor.h>

#include <string_view>

#include "services/context/import_file.h"

namespace tandem::context {

// All the entities, or INVALID_ARGUMENT with every mistake (see ImportProblems).
absl::StatusOr<ImportedFile> ReadYaml(std::string_view content);

}  // namespace tandem::context
