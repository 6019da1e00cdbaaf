// From what the store keeps to what the API shows.
//
// Pure; safe from any thread.
#pragma once

#include <absl/status/statusor.h>

#include "router/base/ids.h"
#include "services/context/store.h"
#include "tandem/v1/context.pb.h"

namespace tandem::context {

// DATA_LOSS with reason STORE_DAMAGED for a content that PackContent cannot have made.
absl::StatusOr<v1::Entity> ToProto(const TenantId& tenant, const StoredEntity& stored);
absl::StatusOr<v1::ContextRevision> ToProto(const TenantId& tenant, const StoredRevision& stored);

}  // namespace tandem::context
