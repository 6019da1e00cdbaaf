#include "services/context/dangling.h"

#include <fmt/format.h>

#include <optional>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/context/content.h"

namespace tandem::context {
namespace {

std::optional<EntityKey> KeyOf(const std::string& target) {
  const std::size_t slash = target.find('/');
  if (slash == std::string::npos) return std::nullopt;
  const auto kind = ParseEntityKind(target.substr(0, slash));
  if (!kind) return std::nullopt;
  return EntityKey{*kind, target.substr(slash + 1)};
}

}  // namespace

absl::StatusOr<bool> DanglingRelations::Exists(const std::string& target) {
  const auto known = known_.find(target);
  if (known != known_.end()) return known->second;
  const std::optional<EntityKey> key = KeyOf(target);
  bool exists = false;
  if (key) {
    TANDEM_ASSIGN_OR_RETURN(const auto found, edit_.Find(*key));
    exists = found.has_value();
  }
  known_.emplace(target, exists);
  return exists;
}

absl::Status DanglingRelations::Look(const EntityKey& key, const v1::Entity& entity) {
  for (int i = 0; i < entity.relations_size(); ++i) {
    const v1::Relation& relation = entity.relations(i);
    TANDEM_ASSIGN_OR_RETURN(const bool exists, Exists(relation.target()));
    if (!exists) Warn(key, i, relation);
  }
  return absl::OkStatus();
}

absl::Status DanglingRelations::LookForRelationsTo(const EntityKey& deleted) {
  const std::string target = ToText(deleted);
  // The bytes of the target may stand elsewhere in an entity, too: only its relations count.
  return edit_.Visit(target,
                     [&](const EntityKey& key, std::string_view content) -> absl::StatusOr<bool> {
                       TANDEM_ASSIGN_OR_RETURN(const v1::Entity entity, UnpackContent(content));
                       for (int i = 0; i < entity.relations_size(); ++i) {
                         if (entity.relations(i).target() == target)
                           Warn(key, i, entity.relations(i));
                       }
                       return true;
                     });
}

void DanglingRelations::Warn(const EntityKey& key, int index, const v1::Relation& relation) {
  if (++count_ > kWarningsMax) return;
  v1::ContextWarning& warning = warnings_.emplace_back();
  warning.set_entity(ToText(key));
  warning.set_field(fmt::format("relations[{}].target", index));
  warning.set_description(
      fmt::format("{} {}: there is no such entity; until there is one, rules that look over this "
                  "relation find nothing",
                  relation.kind(), Shown(relation.target())));
}

}  // namespace tandem::context
