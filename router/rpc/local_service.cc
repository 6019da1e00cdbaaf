#include "router/rpc/local_service.h"

#include "router/rpc/token.h"

namespace tandem::rpc {

LocalServiceAuthenticator::LocalServiceAuthenticator(const Authenticator& others)
    : others_(others) {
  NewToken token = MakeToken();
  token_ = std::move(token.text);
  caller_ = {.principal = "tandemd",
             .side = Side::kProvider,
             .role = Role::kService,
             .tenants = {},
             .all_tenants = true,
             .token_id = std::move(token.id)};
}

absl::StatusOr<Caller> LocalServiceAuthenticator::Authenticate(std::string_view token,
                                                               absl::Time now) const {
  if (ConstantTimeEqual(token, token_)) return caller_;
  return others_.Authenticate(token, now);
}

absl::StatusOr<Caller> LocalServiceAuthenticator::AuthenticateCertificate(
    std::string_view principal, absl::Time now) const {
  return others_.AuthenticateCertificate(principal, now);
}

bool LocalServiceAuthenticator::TenantExists(const TenantId& tenant) const {
  return others_.TenantExists(tenant);
}

}  // namespace tandem::rpc
