// Entities from YAML:
//
//   entities:
//     - kind: site
//       id: plant-7
//       name: Plant 7, Dayton
//       attributes: {kind: factory, criticality: high}
//       relations:
//         - {kind: supplied_by, target: site/warehouse-2}   # or: supplied_by site/warehouse-2
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

#include <absl/functional/function_ref.h>
#include <absl/status/statusor.h>

#include <optional>
#include <string_view>

#include "router/context/import_file.h"
#include "router/context/yaml_tree.h"

namespace tandem::context {

// All the entities, or INVALID_ARGUMENT with every mistake (see ImportProblems).
absl::StatusOr<ImportedFile> ReadYaml(std::string_view content);

// Is told of a mistake: where it stands in the file, where in the entity (`relations[0].target`, ""
// for all of it), and what it is.
using EntityProblem = absl::FunctionRef<void(YamlPosition position, std::string_view path,
                                             std::string_view description)>;

// One entity, which may stand anywhere; nullopt once `problem` was told why not.
std::optional<ImportedEntity> ReadYamlEntity(const YamlNode& item, EntityProblem problem);

}  // namespace tandem::context
