#include "services/context/dangling.h"

#include <fmt/format.h>

#include <optional>

#include "router/base/status.h"
#include "router/base/text.h"

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
    if (exists || ++count_ > kWarningsMax) continue;
    v1::ContextWarning& warning = warnings_.emplace_back();
    warning.set_entity(ToText(key));
    warning.set_field(fmt::format("relations[{}].target", i));
    warning.set_description(
        fmt::format("{} {}: there is no such entity; until there is one, rules that look over this "
                    "relation find nothing",
                    relation.kind(), Shown(relation.target())));
  }
  return absl::OkStatus();
}

}  // namespace tandem::context
