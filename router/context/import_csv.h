// Entities from CSV, one a row below a row of column names:
//
//   kind,id,name,criticality,relation:runs_at,coordination
//   service,mes,Manufacturing execution,high,site/plant-7,plant-it;noc
//
// Columns: `kind` and `id` (required), `name`, `coordination` (teams, `;` between them),
// `relation:{relation}` (targets, `;` between them); every other column is an attribute of that
// name, and `attribute:kind` one whose name alone means something else. An empty cell is absent.
// Calendars and matchers cannot be said in CSV: an entity keeps those it has.
//
// A mistake names its row, counted as a spreadsheet does, and its column.
//
// Pure; safe from any thread.
#pragma once

#include <absl/status/statusor.h>

#include <string_view>

#include "router/context/import_file.h"

namespace tandem::context {

// All the entities, or INVALID_ARGUMENT with every mistake (see ImportProblems).
absl::StatusOr<ImportedFile> ReadCsv(std::string_view content);

}  // namespace tandem::context
