// What names a thing: its kind and its id within a tenant, and how that is written.
//
// Values; pure.
#pragma once

#include <absl/status/statusor.h>

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "router/base/ids.h"

namespace tandem::context {

// The context version of a tenant: 0 before the first change, rising by one with each.
using Version = StrongId<struct ContextVersionTag>;

// Stored: never renumber. The order is that of playbook::kEntityKinds and of every list.
enum class EntityKind : std::uint8_t { kSite = 1, kService = 2, kDevice = 3, kApplication = 4 };

// "site".
std::string_view ToText(EntityKind kind);
std::optional<EntityKind> ParseEntityKind(std::string_view text);
// What is wrong with a text that is no kind: `"sit" is no kind; expected site, … (nearest:
// "site")`.
std::string NoSuchKind(std::string_view text);

// 1 to 128 bytes of [a-zA-Z0-9._-].
bool IsEntityId(std::string_view text);

struct EntityKey {
  EntityKind kind = EntityKind::kSite;
  std::string id;
  friend auto operator<=>(const EntityKey&, const EntityKey&) = default;
};

// "site/plant-7".
std::string ToText(const EntityKey& key);
// "tenants/acme/entities/site/plant-7".
std::string EntityName(const TenantId& tenant, const EntityKey& key);

// The key in `tenants/{tenant}/entities/{kind}/{id}`; INVALID_ARGUMENT for any other form. The
// tenant is not judged here (rpc::ResolveTenant does). `field` is the request's field that carried
// it.
absl::StatusOr<EntityKey> ParseEntityName(std::string_view name, std::string_view field);

}  // namespace tandem::context
