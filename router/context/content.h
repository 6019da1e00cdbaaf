// Between what the API speaks (tandem.v1.Entity) and what the store keeps (bytes).
//
// The content of an entity is a serialized tandem.v1.Entity with its editable fields alone: what
// names it and who changed it stand in columns of the store. Equal entities give equal bytes.
//
// Pure; safe from any thread.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>

#include "tandem/v1/context.pb.h"

namespace tandem::context {

// The bytes of a message, maps by key: equal messages give equal bytes.
std::string DeterministicBytes(const google::protobuf::MessageLite& message);

// The content of `entity`; name, version, update_time, author and warnings are
// left out.
std::string PackContent(const v1::Entity& entity);

// The editable fields of a content. DATA_LOSS with reason STORE_DAMAGED for bytes that PackContent
// cannot have made.
absl::StatusOr<v1::Entity> UnpackContent(std::string_view content);

}  // namespace tandem::context
