// An entity in the form in which rules ask for it.
//
// Pure; safe from any thread.
#pragma once

#include <absl/status/statusor.h>

#include "router/context/import_file.h"
#include "router/playbook/environment.h"
#include "tandem/v1/context.pb.h"

namespace tandem::context {

// What the API shows; kind and id are those of its name, empty when it has none.
playbook::EntitySpec SpecOf(const v1::Entity& entity);

// What a file says. DATA_LOSS as of UnpackContent.
absl::StatusOr<playbook::EntitySpec> SpecOf(const ImportedEntity& entity);

}  // namespace tandem::context
