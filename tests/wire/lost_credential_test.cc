// A stream may be open for weeks: it ends soon after its caller has lost what let it in.
#include <fmt/format.h>

#include "tandem/v1/context.grpc.pb.h"
#include "tandem/v1/deliveries.grpc.pb.h"
#include "tandem/v1/feed.grpc.pb.h"
#include "tandem/v1/incidents.pb.h"
#include "tests/wire/agent.h"
#include "tests/wire/watch.h"

namespace tandem::wire {
namespace {

using ::testing::HasSubstr;

class LostCredential : public ::testing::Test {
 protected:
  void Revoke(const std::string& secret, const std::string& by) {
    rig_.Must<v1::RevokeTokenResponse>("/tandem.v1.Admin/RevokeToken", by,
                                       fmt::format("id: '{}'", Rig::IdOf(secret)));
  }
  static void ExpectEnded(const grpc::Status& ended, grpc::StatusCode code, const char* reason) {
    EXPECT_EQ(ended.error_code(), code) << ended.error_message();
    EXPECT_EQ(ReasonOf(rpc::FromGrpc(ended)), reason);
    ExpectWellFormed(ended);
  }

  Rig rig_;
  const std::string agent_ = rig_.NewToken({"agent-1", v1::AGENT, {"harbor"}});
  const std::string viewer_ = rig_.NewToken({"vera", v1::VIEWER, {"harbor", "mill"}});
  const std::string service_ = rig_.NewToken({"robot", v1::SERVICE, {"harbor"}});
};

const auto kUnauthenticated = grpc::StatusCode::UNAUTHENTICATED;
const auto kDenied = grpc::StatusCode::PERMISSION_DENIED;

TEST_F(LostCredential, EndsEveryKindOfStreamWhenItsTokenIsRevoked) {
  AgentStream alerts(rig_, agent_);
  EXPECT_EQ(alerts.Begin("spool"), 0U);
  Watch<v1::FeedEvent> feed(rig_, "/tandem.v1.Feed/Subscribe", viewer_, "");
  Watch<v1::DeliveryEvent> deliveries(rig_, "/tandem.v1.Deliveries/WatchDeliveries", service_, "");
  Watch<v1::WatchContextResponse> context(rig_, "/tandem.v1.Context/WatchContext", service_, "");
  for (const std::string& token : {agent_, viewer_, service_}) Revoke(token, rig_.admin());

  ExpectEnded(alerts.End(), kUnauthenticated, "TOKEN_REVOKED");
  ExpectEnded(feed.End(), kUnauthenticated, "TOKEN_REVOKED");
  ExpectEnded(deliveries.End(), kUnauthenticated, "TOKEN_REVOKED");
  ExpectEnded(context.End(), kUnauthenticated, "TOKEN_REVOKED");
}

TEST_F(LostCredential, LeavesTheStreamsOfOtherTokensAlone) {
  const std::string other = rig_.NewToken({"agent-1", v1::AGENT, {"harbor"}});  // same principal
  AgentStream lost(rig_, agent_);
  AgentStream kept(rig_, other);
  EXPECT_EQ(lost.Begin("a"), 0U);
  EXPECT_EQ(kept.Begin("b"), 0U);
  Revoke(agent_, rig_.admin());

  ExpectEnded(lost.End(), kUnauthenticated, "TOKEN_REVOKED");
  kept.Push(1, {"A"});
  EXPECT_EQ(kept.ReceiptText(), "1: 1 taken");
}

TEST_F(LostCredential, EndsAStreamWhoseTokenHasExpired) {
  const auto shortly =
      rig_.Must<v1::CreateTokenResponse>("/tandem.v1.Admin/CreateToken", rig_.admin(),
                                         "principal: 'agent-1' expires_in { seconds: 60 }");
  AgentStream stream(rig_, shortly.secret());
  EXPECT_EQ(stream.Begin("spool"), 0U);
  rig_.clock().Advance(absl::Seconds(59));
  stream.Push(1, {"A"});
  EXPECT_EQ(stream.ReceiptText(), "1: 1 taken");
  rig_.clock().Advance(absl::Seconds(1));

  const grpc::Status ended = stream.End();
  ExpectEnded(ended, kUnauthenticated, "TOKEN_EXPIRED");
  EXPECT_THAT(ended.error_message(), HasSubstr("ask for a new one"));
}

TEST_F(LostCredential, EndsAStreamWhosePrincipalHasLostATenantOrItsRole) {
  Watch<v1::FeedEvent> feed(rig_, "/tandem.v1.Feed/Subscribe", viewer_, "parents: 'tenants/mill'");
  AgentStream alerts(rig_, agent_);
  EXPECT_EQ(alerts.Begin("spool"), 0U);
  rig_.NewToken({"vera", v1::VIEWER, {"harbor"}});
  rig_.NewToken({"agent-1", v1::VIEWER, {"harbor"}});

  ExpectEnded(feed.End(), kDenied, "TENANT_LOST");
  ExpectEnded(alerts.End(), kDenied, "ROLE_INSUFFICIENT");
}

TEST_F(LostCredential, LeavesAStreamAloneWhosePrincipalGainsATenant) {
  AgentStream alerts(rig_, agent_);
  EXPECT_EQ(alerts.Begin("spool"), 0U);
  rig_.NewToken({"agent-1", v1::AGENT, {"harbor", "mill"}});
  alerts.Push(1, {"A"});
  EXPECT_EQ(alerts.ReceiptText(), "1: 1 taken");
}

TEST_F(LostCredential, LosesNothingThatWasDurableAndGoesOnWithANewToken) {
  Watch<v1::FeedEvent> feed(rig_, "/tandem.v1.Feed/Subscribe", viewer_, "");
  std::string cursor = feed.first().cursor();
  AgentStream alerts(rig_, agent_);
  EXPECT_EQ(alerts.Begin("spool"), 0U);
  alerts.Push(1, {"A"});
  EXPECT_EQ(alerts.ReceiptText(), "1: 1 taken");
  Revoke(agent_, rig_.admin());
  Revoke(viewer_, rig_.admin());
  ExpectEnded(alerts.End(), kUnauthenticated, "TOKEN_REVOKED");
  v1::FeedEvent event;
  while (feed.Read(&event)) cursor = event.cursor();

  AgentStream again(rig_, rig_.NewToken({"agent-1", v1::AGENT, {"harbor"}}));
  EXPECT_EQ(again.Begin("spool"), 1U);
  again.Push(2, {"B"});
  EXPECT_EQ(again.ReceiptText(), "2: 1 taken");
  const std::string renewed = rig_.NewToken({"vera", v1::VIEWER, {"harbor", "mill"}});
  Watch<v1::FeedEvent> resumed(rig_, "/tandem.v1.Feed/Subscribe", renewed,
                               fmt::format("cursor: '{}'", cursor));
  do {
    ASSERT_TRUE(resumed.Read(&event));
  } while (event.heartbeat() || event.incident().name() != "tenants/harbor/incidents/2");
}

TEST_F(LostCredential, AnswersTheAdministratorWhoRevokesTheTokenInHisHand) {
  const std::string token = rig_.NewToken({"root", v1::ADMIN, {"-"}});
  Revoke(token, token);
  EXPECT_EQ(rig_.Call("/tandem.v1.Admin/WhoAmI", token, "").reason(), "TOKEN_INVALID");
}

// The order in which a stream is admitted and its token revoked can be any: it never stays.
TEST_F(LostCredential, EndsAStreamThatBeginsWhileItsTokenIsRevoked) {
  for (int i = 0; i < 20; ++i) {
    const std::string token = rig_.NewToken({"agent-1", v1::AGENT, {"harbor"}});
    AgentStream stream(rig_, token);
    stream.Hello(fmt::format("c{}", i));
    Revoke(token, rig_.admin());
    EXPECT_EQ(stream.End().error_code(), kUnauthenticated);
  }
}

}  // namespace
}  // namespace tandem::wire
