#include "services/runtime/remote_authenticator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "router/base/status.h"
#include "router/rpc/grpc_status.h"
#include "router/rpc/token.h"

namespace tandem::runtime {
namespace {

using ::testing::ElementsAre;

// The router's Admin service, as far as it is asked.
class FakeRouter final : public v1::Admin::CallbackService {
 public:
  grpc::ServerUnaryReactor* WhoAmI(grpc::CallbackServerContext* context, const v1::WhoAmIRequest*,
                                   v1::WhoAmIResponse* response) override {
    ++asked;
    auto* reactor = context->DefaultReactor();
    const auto found = context->client_metadata().find("authorization");
    const std::string token(found->second.data(), found->second.size());
    if (token != "Bearer " + known.text || revoked) {
      reactor->Finish(
          rpc::ToGrpc(Error(absl::StatusCode::kUnauthenticated, "TOKEN_REVOKED", "revoked"), "r"));
      return reactor;
    }
    response->set_token_id(known.id);
    auto* principal = response->mutable_principal();
    principal->set_id("anna");
    principal->set_side(v1::CUSTOMER);
    principal->set_role(v1::EDITOR);
    principal->add_tenants("tenants/globex");
    principal->add_tenants("tenants/acme");
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerUnaryReactor* ListTenants(grpc::CallbackServerContext* context,
                                        const v1::ListTenantsRequest* request,
                                        v1::ListTenantsResponse* response) override {
    ++listed;
    response->add_tenants()->set_name(request->page_token().empty() ? "tenants/acme"
                                                                    : "tenants/globex");
    if (request->page_token().empty()) response->set_next_page_token("2");
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  const rpc::NewToken known = rpc::MakeToken();
  std::atomic<bool> revoked = false;
  std::atomic<int> asked = 0;
  std::atomic<int> listed = 0;
};

struct RemoteAuthenticatorTest : testing::Test {
  RemoteAuthenticatorTest() {
    grpc::ServerBuilder builder;
    builder.RegisterService(&router);
    server = builder.BuildAndStart();
    authenticator = std::make_unique<RemoteAuthenticator>(server->InProcessChannel({}),
                                                          Secret(router.known.text), clock);
  }

  FakeRouter router;
  ManualClock clock{absl::FromUnixSeconds(1'800'000'000)};
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<RemoteAuthenticator> authenticator;
};

TEST_F(RemoteAuthenticatorTest, TakesTheRoutersWordForACaller) {
  const auto caller = authenticator->Authenticate(router.known.text, clock.Now());

  ASSERT_TRUE(caller.ok()) << caller.status();
  EXPECT_EQ(caller->principal, "anna");
  EXPECT_EQ(caller->side, Side::kCustomer);
  EXPECT_EQ(caller->role, rpc::Role::kEditor);
  EXPECT_THAT(caller->tenants, ElementsAre(TenantId("acme"), TenantId("globex")));
  EXPECT_EQ(caller->token_id, router.known.id);
}

TEST_F(RemoteAuthenticatorTest, AsksAgainAfterASecond) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(authenticator->Authenticate(router.known.text, clock.Now()).ok());
  }
  EXPECT_EQ(router.asked, 1);
  router.revoked = true;
  clock.Advance(absl::Seconds(1));

  EXPECT_EQ(ReasonOf(authenticator->Authenticate(router.known.text, clock.Now()).status()),
            "TOKEN_REVOKED");
  EXPECT_EQ(router.asked, 2);
}

TEST_F(RemoteAuthenticatorTest, KeepsARefusalToo) {
  const std::string unknown = rpc::MakeToken().text;
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(authenticator->Authenticate(unknown, clock.Now()).ok());
  }

  EXPECT_EQ(router.asked, 1);
}

TEST_F(RemoteAuthenticatorTest, DoesNotAskAboutWhatIsNoToken) {
  EXPECT_EQ(ReasonOf(authenticator->Authenticate("", clock.Now()).status()), "TOKEN_MISSING");
  EXPECT_EQ(ReasonOf(authenticator->Authenticate("x\n", clock.Now()).status()), "TOKEN_INVALID");
  EXPECT_EQ(router.asked, 0);
}

TEST_F(RemoteAuthenticatorTest, SaysThatTheRouterIsAway) {
  const RemoteAuthenticator lonely(
      grpc::CreateChannel("unix:/nonexistent/router", grpc::InsecureChannelCredentials()),
      Secret(router.known.text), clock);
  const auto caller = lonely.Authenticate(router.known.text, clock.Now());

  EXPECT_EQ(caller.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(caller.status()), "ROUTER_UNREACHABLE");
  EXPECT_FALSE(lonely.TenantExists(TenantId("acme")));
}

TEST_F(RemoteAuthenticatorTest, KnowsTheTenantsOfEveryPageForASecond) {
  EXPECT_TRUE(authenticator->TenantExists(TenantId("acme")));
  EXPECT_TRUE(authenticator->TenantExists(TenantId("globex")));
  EXPECT_FALSE(authenticator->TenantExists(TenantId("initech")));
  EXPECT_EQ(router.listed, 2);
  clock.Advance(absl::Seconds(1));
  EXPECT_TRUE(authenticator->TenantExists(TenantId("acme")));

  EXPECT_EQ(router.listed, 4);
}

}  // namespace
}  // namespace tandem::runtime
