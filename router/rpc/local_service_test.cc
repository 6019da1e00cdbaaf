#include "router/rpc/local_service.h"

#include <gtest/gtest.h>

#include "router/base/status.h"

namespace tandem::rpc {
namespace {

class Nobody final : public Authenticator {
 public:
  absl::StatusOr<Caller> Authenticate(std::string_view, absl::Time) const override {
    return Error(absl::StatusCode::kUnauthenticated, "TOKEN_INVALID", "unknown");
  }
  bool TenantExists(const TenantId& tenant) const override { return tenant.value == "acme"; }
};

TEST(LocalServiceAuthenticator, KnowsItsOwnTokenAsAServiceOfAllTenants) {
  const Nobody nobody;
  const LocalServiceAuthenticator authenticator(nobody);
  const auto caller = authenticator.Authenticate(authenticator.token(), absl::UnixEpoch());

  ASSERT_TRUE(caller.ok());
  EXPECT_EQ(caller->role, Role::kService);
  EXPECT_TRUE(caller->all_tenants);
  EXPECT_EQ(authenticator.token().substr(0, caller->token_id.size()), caller->token_id);
}

TEST(LocalServiceAuthenticator, AsksTheOthersForEveryoneElse) {
  const Nobody nobody;
  const LocalServiceAuthenticator authenticator(nobody), neighbour(nobody);

  EXPECT_EQ(ReasonOf(authenticator.Authenticate(neighbour.token(), absl::UnixEpoch()).status()),
            "TOKEN_INVALID");
  EXPECT_TRUE(authenticator.TenantExists(TenantId("acme")));
  EXPECT_FALSE(authenticator.TenantExists(TenantId("globex")));
}

}  // namespace
}  // namespace tandem::rpc
