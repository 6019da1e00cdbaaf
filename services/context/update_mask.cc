#include "services/context/update_mask.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/context/limits.h"

namespace tandem::context {
namespace {

const std::vector<std::string>& EditableFields() {
  static const auto* fields = new std::vector<std::string>{
      "display_name", "attributes", "relations", "calendars", "matchers", "coordination"};
  return *fields;
}

}  // namespace

absl::StatusOr<UpdateMask> UpdateMask::Read(const google::protobuf::FieldMask& mask) {
  if (static_cast<std::size_t>(mask.paths_size()) > kUpdateMaskPathsMax) {
    return InvalidField(
        "UPDATE_MASK_INVALID", "update_mask",
        fmt::format("has {} paths; expected at most {}", mask.paths_size(), kUpdateMaskPathsMax));
  }
  UpdateMask read;
  for (const std::string& path : mask.paths()) {
    const std::vector<std::string>& fields = EditableFields();
    if (std::find(fields.begin(), fields.end(), path) == fields.end()) {
      const std::string nearest = NearestName(path.substr(0, 64), fields);
      return InvalidField(
          "UPDATE_MASK_INVALID", fmt::format("update_mask.paths[{}]", read.paths_.size()),
          fmt::format("\"{}\" is no editable field; expected {}{}", Shown(path),
                      fmt::join(fields, ", "),
                      nearest.empty() ? "" : fmt::format(" (nearest: \"{}\")", nearest)));
    }
    read.paths_.push_back(path);
  }
  return read;
}

void UpdateMask::Apply(const v1::Entity& from, v1::Entity& to) const {
  for (const std::string& path : paths_) {
    if (path == "display_name") to.set_display_name(from.display_name());
    if (path == "attributes") *to.mutable_attributes() = from.attributes();
    if (path == "relations") *to.mutable_relations() = from.relations();
    if (path == "calendars") *to.mutable_calendars() = from.calendars();
    if (path == "matchers") *to.mutable_matchers() = from.matchers();
    if (path == "coordination") *to.mutable_coordination() = from.coordination();
  }
}

}  // namespace tandem::context
