// Who calls, for a process without the router role: asks the router, with the caller's own token.
//
// Thread-safe. An answer is kept for a second at most, so a revoked token is out a second later. A
// look-up that is not kept blocks its thread for a round trip, two seconds at the worst.
#pragma once

#include <absl/time/time.h>
#include <grpcpp/grpcpp.h>

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "router/base/clock.h"
#include "router/rpc/caller.h"
#include "services/runtime/secret.h"
#include "tandem/v1/admin.grpc.pb.h"

namespace tandem::runtime {

class RemoteAuthenticator final : public rpc::Authenticator {
 public:
  // `token` (role `service`) is for questions of our own: which tenants exist. `clock` must outlive
  // this.
  RemoteAuthenticator(std::shared_ptr<grpc::Channel> router, Secret token, const Clock& clock);

  // Besides what the router answers: UNAVAILABLE with reason ROUTER_UNREACHABLE when it does not.
  absl::StatusOr<rpc::Caller> Authenticate(std::string_view token, absl::Time now) const override;

  // False, too, while the router cannot be asked: NOT_FOUND is the answer that tells nothing.
  bool TenantExists(const TenantId& tenant) const override;

 private:
  struct Known {
    absl::StatusOr<rpc::Caller> answer;
    absl::Time until;
  };

  absl::StatusOr<rpc::Caller> Ask(std::string_view token) const;
  absl::StatusOr<std::set<TenantId>> AskTenants() const;
  void Keep(std::string digest, Known known, absl::Time now) const;

  const std::unique_ptr<v1::Admin::Stub> stub_;
  const Secret token_;
  const Clock& clock_;
  mutable std::mutex mutex_;                    // guards all below; not held while asking
  mutable std::map<std::string, Known> known_;  // by SHA-256 of the token
  mutable std::set<TenantId> tenants_;
  mutable absl::Time tenants_until_ = absl::InfinitePast();
};

}  // namespace tandem::runtime
