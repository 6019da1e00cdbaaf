// Tokens and certificates to callers, by the installation as it is committed.
//
// Thread-safe.
#pragma once

#include "router/engine/engine.h"
#include "router/rpc/caller.h"

namespace tandem::api {

class Directory final : public rpc::Authenticator {
 public:
  // `engine` outlives the directory.
  explicit Directory(const engine::Engine* engine) : engine_(engine) {}

  absl::StatusOr<rpc::Caller> Authenticate(std::string_view token, absl::Time now) const override;
  absl::StatusOr<rpc::Caller> AuthenticateCertificate(std::string_view principal,
                                                      absl::Time now) const override;
  bool TenantExists(const TenantId& tenant) const override;

 private:
  const engine::Engine* engine_;
};

// The caller that a principal is, with a token's id.
rpc::Caller CallerOf(const core::PrincipalPut& principal, std::string token_id);

}  // namespace tandem::api
