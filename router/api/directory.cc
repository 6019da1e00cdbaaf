#include "router/api/directory.h"

#include <fmt/format.h>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/rpc/token.h"

namespace tandem::api {

rpc::Caller CallerOf(const core::PrincipalPut& principal, std::string token_id) {
  return {.principal = principal.id,
          .side = principal.side,
          .role = static_cast<rpc::Role>(principal.role),
          .tenants = principal.tenants,
          .all_tenants = principal.all_tenants,
          .token_id = std::move(token_id)};
}

absl::StatusOr<rpc::Caller> Directory::Authenticate(std::string_view token, absl::Time now) const {
  TANDEM_ASSIGN_OR_RETURN(const std::string id, rpc::TokenIdOf(token));
  const auto installation = engine_->Installation();
  const auto found = installation->tokens.find(id);
  if (found == installation->tokens.end() ||
      !rpc::ConstantTimeEqual(rpc::Sha256Hex(token), found->second.secret_hash)) {
    // An unknown id, a wrong secret and a revoked token look alike from outside.
    return Error(absl::StatusCode::kUnauthenticated, "TOKEN_INVALID",
                 "the token is not known here: it may be mistyped, revoked, or of another "
                 "installation");
  }
  if (found->second.expires <= now) {
    return Error(absl::StatusCode::kUnauthenticated, "TOKEN_EXPIRED",
                 fmt::format("token {} expired at {}; ask for a new one", id,
                             SecondsText(found->second.expires)));
  }
  const auto principal = installation->principals.find(found->second.principal);
  if (principal == installation->principals.end()) {
    return Error(absl::StatusCode::kUnauthenticated, "TOKEN_INVALID",
                 "the token's principal is not known any more");
  }
  return CallerOf(principal->second, id);
}

absl::StatusOr<rpc::Caller> Directory::AuthenticateCertificate(std::string_view principal,
                                                               absl::Time) const {
  const auto installation = engine_->Installation();
  const auto found = installation->principals.find(std::string(principal));
  if (found == installation->principals.end()) {
    return Error(absl::StatusCode::kUnauthenticated, "CERTIFICATE_UNKNOWN",
                 "the principal that the client certificate names is not known here");
  }
  return CallerOf(found->second, "");
}

bool Directory::TenantExists(const TenantId& tenant) const {
  return engine_->Installation()->tenants.contains(tenant);
}

}  // namespace tandem::api
