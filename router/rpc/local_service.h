// Lets the roles of one process call each other: one token, made when the process starts, known to
// nobody outside it, that acts as role `service` for all tenants.
//
// Thread-safe.
#pragma once

#include <string>

#include "router/rpc/caller.h"

namespace tandem::rpc {

class LocalServiceAuthenticator final : public Authenticator {
 public:
  // Everyone else is asked of `others`, which must outlive this.
  explicit LocalServiceAuthenticator(const Authenticator& others);

  // Goes as `authorization: Bearer {token}` on in-process channels, never onto a network.
  const std::string& token() const { return token_; }

  absl::StatusOr<Caller> Authenticate(std::string_view token, absl::Time now) const override;
  absl::StatusOr<Caller> AuthenticateCertificate(std::string_view principal,
                                                 absl::Time now) const override;
  bool TenantExists(const TenantId& tenant) const override;

 private:
  const Authenticator& others_;
  std::string token_;
  Caller caller_;
};

}  // namespace tandem::rpc
