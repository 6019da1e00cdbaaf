#include "router/context/entity_key.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "router/base/check.h"
#include "router/base/status.h"
#include "router/base/text.h"
#include "router/context/limits.h"

namespace tandem::context {
namespace {

constexpr std::array<std::pair<EntityKind, std::string_view>, 4> kKinds = {
    {{EntityKind::kSite, "site"},
     {EntityKind::kService, "service"},
     {EntityKind::kDevice, "device"},
     {EntityKind::kApplication, "application"}}};

// The text up to the next slash, which is dropped with it.
std::string_view TakePart(std::string_view& rest) {
  const std::size_t slash = rest.find('/');
  const std::string_view part = rest.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  return part;
}

}  // namespace

std::string_view ToText(EntityKind kind) {
  for (const auto& [candidate, text] : kKinds) {
    if (candidate == kind) return text;
  }
  TANDEM_CHECK(false, "a kind outside the vocabulary");
}

std::optional<EntityKind> ParseEntityKind(std::string_view text) {
  for (const auto& [kind, spelling] : kKinds) {
    if (spelling == text) return kind;
  }
  return std::nullopt;
}

std::string NoSuchKind(std::string_view text) {
  const std::string nearest =
      NearestName(text.substr(0, 64), {"site", "service", "device", "application"});
  return fmt::format("\"{}\" is no kind; expected site, service, device or application{}",
                     Shown(text),
                     nearest.empty() ? "" : fmt::format(" (nearest: \"{}\")", nearest));
}

bool IsEntityId(std::string_view text) {
  return !text.empty() && text.size() <= kEntityIdBytesMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '-';
         });
}

std::string ToText(const EntityKey& key) { return fmt::format("{}/{}", ToText(key.kind), key.id); }

std::string EntityName(const TenantId& tenant, const EntityKey& key) {
  return fmt::format("tenants/{}/entities/{}", tenant.value, ToText(key));
}

absl::StatusOr<EntityKey> ParseEntityName(std::string_view name, std::string_view field) {
  std::string_view rest = name;
  const bool tenants = TakePart(rest) == "tenants";
  TakePart(rest);
  const bool entities = TakePart(rest) == "entities";
  const std::string_view kind_text = TakePart(rest);
  if (!tenants || !entities || rest.empty()) {
    return InvalidField("NAME_INVALID", field,
                        fmt::format("\"{}\" is no entity; expected "
                                    "tenants/{{tenant}}/entities/{{kind}}/{{id}}",
                                    Shown(name)));
  }
  const auto kind = ParseEntityKind(kind_text);
  if (!kind) return InvalidField("KIND_INVALID", field, NoSuchKind(kind_text));
  if (!IsEntityId(rest)) {
    return InvalidField("ID_INVALID", field,
                        fmt::format("\"{}\" is no id; expected 1 to {} bytes of [a-zA-Z0-9._-]",
                                    Shown(rest), kEntityIdBytesMax));
  }
  return EntityKey{*kind, std::string(rest)};
}

}  // namespace tandem::context
