// Who calls. Every RPC begins with a Caller; the tenant of a call comes from it, never from the
// payload alone.
//
// Values; safe from any thread.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <string>
#include <string_view>
#include <vector>

#include "router/base/ids.h"
#include "router/base/words.h"

namespace tandem::rpc {

// Numbers equal those of tandem.v1.Role.
enum class Role { kViewer = 1, kResponder = 2, kEditor = 3, kAdmin = 4, kAgent = 5, kService = 6 };

struct Caller {
  std::string principal;
  Side side = Side::kUnspecified;
  Role role = Role::kViewer;
  std::vector<TenantId> tenants;  // sorted
  bool all_tenants = false;       // roles admin and service of the installation
  std::string token_id;  // for logs and for revocation; never the secret. "": by certificate
};

// Finds the caller of a token, or of a client certificate. Thread-safe; must not block for long.
class Authenticator {
 public:
  virtual ~Authenticator() = default;

  // `token` is what stood behind "Bearer ". UNAUTHENTICATED with reason TOKEN_MISSING,
  // TOKEN_INVALID, TOKEN_EXPIRED or TOKEN_REVOKED.
  virtual absl::StatusOr<Caller> Authenticate(std::string_view token, absl::Time now) const = 0;

  // The caller that a client certificate names, which TLS has checked. UNAUTHENTICATED with reason
  // CERTIFICATE_UNKNOWN when there is no such principal, or when certificates are not looked up
  // here (the default).
  virtual absl::StatusOr<Caller> AuthenticateCertificate(std::string_view principal,
                                                         absl::Time now) const;

  // Whether `tenant` exists at all (for callers with `all_tenants`).
  virtual bool TenantExists(const TenantId& tenant) const = 0;
};

// What a call shows of itself.
struct Credential {
  std::string token = {};        // what stood behind "Bearer "; empty: none
  std::string certificate = {};  // the principal that its client certificate names; empty: none
  friend auto operator<=>(const Credential&, const Credential&) = default;
};

// The caller with that credential: of its token, or without one of its certificate. When it shows
// both they name one principal, or the certificate is that of a service that passes calls on;
// PERMISSION_DENIED with reason CREDENTIALS_DIFFER otherwise.
absl::StatusOr<Caller> Identify(const Credential& credential, const Authenticator& authenticator,
                                absl::Time now);

// The tenant that `name` (`tenants/{tenant}` and nothing behind it) asks for, or the caller's only
// one when `name` is empty. NOT_FOUND with reason TENANT_NOT_FOUND and one text for "does not
// exist" and "is not yours"; INVALID_ARGUMENT when `name` has another form or is empty and
// ambiguous; `field` is the request's field that carried it.
absl::StatusOr<TenantId> ResolveTenant(const Caller& caller, const Authenticator& authenticator,
                                       std::string_view name, std::string_view field);
// The same for the name of something that a tenant has, `tenants/{tenant}/entities/…`: what stands
// behind the tenant is the caller's to read.
absl::StatusOr<TenantId> ResolveTenantOf(const Caller& caller, const Authenticator& authenticator,
                                         std::string_view name, std::string_view field);

}  // namespace tandem::rpc
