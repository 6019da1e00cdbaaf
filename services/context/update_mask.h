// Which parts of an entity a PutEntity replaces.
//
// Values; pure.
#pragma once

#include <absl/status/statusor.h>
#include <google/protobuf/field_mask.pb.h>

#include <vector>

#include "tandem/v1/context.pb.h"

namespace tandem::context {

class UpdateMask {
 public:
  // INVALID_ARGUMENT with reason UPDATE_MASK_INVALID for a path that is none of the editable
  // fields.
  static absl::StatusOr<UpdateMask> Read(const google::protobuf::FieldMask& mask);

  // No path was given: everything is replaced.
  bool all() const { return paths_.empty(); }

  // Copies the named parts of `from` to `to`; a part that `from` has not got is cleared.
  void Apply(const v1::Entity& from, v1::Entity& to) const;

 private:
  std::vector<std::string> paths_;
};

}  // namespace tandem::context
