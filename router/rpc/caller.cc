#include "router/rpc/caller.h"

#include <fmt/format.h>

#include <algorithm>

#include "router/base/status.h"
#include "router/base/text.h"

namespace tandem::rpc {
namespace {

constexpr std::string_view kCollection = "tenants/";
constexpr std::size_t kTenantIdMax = 63;  // bytes; see Tenant.name in admin.proto

bool IsTenantId(std::string_view id) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !id.empty() && id.size() <= kTenantIdMax && id.front() >= 'a' && id.front() <= 'z' &&
         std::all_of(id.begin(), id.end(), allowed);
}

absl::Status BadName(std::string_view name, std::string_view field) {
  return InvalidField("TENANT_NAME_INVALID", field,
                      fmt::format("\"{}\" does not name a tenant; expected tenants/{{tenant}}, the "
                                  "id with 1 to 63 of a-z, 0-9 and -, a letter first",
                                  Shown(name)));
}

}  // namespace

absl::StatusOr<Caller> Authenticator::AuthenticateCertificate(std::string_view, absl::Time) const {
  return Error(absl::StatusCode::kUnauthenticated, "CERTIFICATE_UNKNOWN",
               "this process does not know callers by their certificate; send metadata "
               "`authorization: Bearer tdm_…` too");
}

absl::StatusOr<Caller> Identify(const Credential& credential, const Authenticator& authenticator,
                                absl::Time now) {
  const auto& [token, certificate] = credential;
  if (token.empty()) return authenticator.AuthenticateCertificate(certificate, now);
  TANDEM_ASSIGN_OR_RETURN(Caller caller, authenticator.Authenticate(token, now));
  if (certificate.empty() || certificate == caller.principal) return caller;
  const auto bearer = authenticator.AuthenticateCertificate(certificate, now);
  if (bearer.ok() && bearer->role == Role::kService) return caller;
  return Error(absl::StatusCode::kPermissionDenied, "CREDENTIALS_DIFFER",
               "the client certificate and the token of this call are of different principals; "
               "send the token of the principal that the certificate names, or none");
}

absl::StatusOr<TenantId> ResolveTenant(const Caller& caller, const Authenticator& authenticator,
                                       std::string_view name, std::string_view field) {
  if (name.empty()) {
    if (!caller.all_tenants && caller.tenants.size() == 1) return caller.tenants.front();
    return InvalidField("TENANT_AMBIGUOUS", field,
                        "is empty, and the caller has not exactly one tenant; expected "
                        "tenants/{tenant}");
  }
  if (name.substr(0, kCollection.size()) != kCollection) return BadName(name, field);
  const std::string_view id = name.substr(kCollection.size());
  if (!IsTenantId(id)) return BadName(name, field);
  TenantId tenant{std::string(id)};
  const bool has = caller.all_tenants
                       ? authenticator.TenantExists(tenant)
                       : std::binary_search(caller.tenants.begin(), caller.tenants.end(), tenant);
  if (has) return tenant;
  // One text for both cases: an answer must not tell which tenants exist.
  return AddFact(Error(absl::StatusCode::kNotFound, "TENANT_NOT_FOUND",
                       fmt::format("tenants/{} does not exist, or is not one of the caller's", id)),
                 "tenant", fmt::format("tenants/{}", id));
}

absl::StatusOr<TenantId> ResolveTenantOf(const Caller& caller, const Authenticator& authenticator,
                                         std::string_view name, std::string_view field) {
  const bool named = name.substr(0, kCollection.size()) == kCollection;
  return ResolveTenant(caller, authenticator,
                       named ? name.substr(0, name.find('/', kCollection.size())) : name, field);
}

}  // namespace tandem::rpc
