// A tenant's context as a file that `tandem context import` takes: what comes in again changes
// nothing.
//
// Pure.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "tandem/v1/context.pb.h"

namespace tandem::cli {

// All that an import states: no versions, no authors. Entities in the order of `list`.
std::string ExportYaml(const v1::ListEntitiesResponse& list);
// The same as JSON, which is YAML, too.
std::string ExportJson(const v1::ListEntitiesResponse& list);

// A table for spreadsheets: kind, id, name, coordination, a column for each relation and attribute.
// Calendars and matchers have no column; an import of CSV leaves those as they are.
// FAILED_PRECONDITION, NOT_IN_CSV, names the entity and what of it CSV cannot say.
absl::StatusOr<std::string> ExportCsv(const v1::ListEntitiesResponse& list);

}  // namespace tandem::cli
