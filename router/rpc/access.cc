#include "router/rpc/access.h"

#include <fmt/format.h>

#include "router/base/check.h"
#include "router/base/status.h"
#include "router/base/text.h"

namespace tandem::rpc {
namespace {

constexpr std::array kRoles = {Role::kViewer, Role::kResponder, Role::kEditor,
                               Role::kAdmin,  Role::kAgent,     Role::kService};

std::string NeededRoles(const AccessRow& row) {
  std::string out;
  for (const Role role : kRoles) {
    if (!MayCall(role, row)) continue;
    if (!out.empty()) out += ", ";
    out += ToText(role);
  }
  return out;
}

}  // namespace

std::string_view ToText(Role role) {
  switch (role) {
    case Role::kViewer:
      return "viewer";
    case Role::kResponder:
      return "responder";
    case Role::kEditor:
      return "editor";
    case Role::kAdmin:
      return "admin";
    case Role::kAgent:
      return "agent";
    case Role::kService:
      return "service";
  }
  TANDEM_CHECK(false, "a role outside the vocabulary");
}

bool MayCall(Role role, const AccessRow& row) {
  if (role == Role::kAgent) return row.agents;
  if (role == Role::kService) return row.services;
  return row.people != People::kNobody && static_cast<int>(role) >= static_cast<int>(row.people);
}

absl::Status CheckAccess(const Caller& caller, std::string_view method) {
  const std::size_t index = AccessIndex(method);
  if (index == kAccess.size()) {
    return Error(absl::StatusCode::kPermissionDenied, "METHOD_UNKNOWN",
                 fmt::format("{} is no method that anyone may call", Shown(method)));
  }
  if (MayCall(caller.role, kAccess[index])) return absl::OkStatus();
  const std::string needed = NeededRoles(kAccess[index]);
  absl::Status denied = Error(absl::StatusCode::kPermissionDenied, "ROLE_INSUFFICIENT",
                              fmt::format("role {} may not call {}; it needs one of: {}",
                                          ToText(caller.role), method.substr(1), needed));
  denied = AddFact(std::move(denied), "role", ToText(caller.role));
  return AddFact(std::move(denied), "needed_roles", needed);
}

}  // namespace tandem::rpc
