// Columns of a CSV file that became an attribute although their name is nearly that of something
// known: taken, since every other column is an attribute, and warned of, since more often the name
// is mistyped.
//
// One thread; works inside a change.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <vector>

#include "services/context/edit.h"
#include "tandem/v1/context.pb.h"

namespace tandem::context {

// One warning for each of `columns` that no entity of the tenant has as an attribute yet, and whose
// name is near to a column with a meaning of its own, to an attribute that some entity has, or to
// one that every example has. Reads the entities until every column is known, and all of them when
// one is not. Empty for no columns. To be asked before the file is put in.
absl::StatusOr<std::vector<v1::ContextWarning>> NearColumns(
    Edit& edit, const std::vector<std::string>& columns);

}  // namespace tandem::context
