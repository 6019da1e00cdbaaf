#include "router/api/router_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <set>

#include "router/base/status.h"
#include "router/engine/engine_rig.h"
#include "router/engine/shard.h"
#include "router/playbook/parse.h"
#include "tandem/journal/v1/journal.pb.h"

namespace tandem::api {
namespace {

using engine::testing::kHarbor;
using engine::testing::kNoon;
using engine::testing::kPatience;

// Knows the rig's tenants.
class Directory final : public rpc::Authenticator {
 public:
  absl::StatusOr<rpc::Caller> Authenticate(std::string_view, absl::Time) const override {
    return Error(absl::StatusCode::kUnauthenticated, "TOKEN_INVALID", "not asked for here");
  }
  bool TenantExists(const TenantId& tenant) const override { return tenant == kHarbor; }
};

class RouterApiTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(rig_.StartWithTenants().ok());
    SetUpApi();
  }
  void SetUpApi(HasSecret has_secret = nullptr) {
    if (readers_ != nullptr) readers_->Stop();
    readers_ = *ReaderPool::Start(&rig_.journal, {});
    api_ = std::make_unique<RouterApi>(RouterApi::Parts{.engine = rig_.engine.get(),
                                                        .readers = readers_.get(),
                                                        .authenticator = &directory_,
                                                        .clock = &rig_.clock,
                                                        .has_secret = std::move(has_secret)});
  }
  ~RouterApiTest() override {
    rig_.engine.reset();
    if (readers_ != nullptr) readers_->Stop();
  }

  // The answer of `method` to `request`.
  template <typename Response, typename Request>
  absl::StatusOr<Response> Ask(void (RouterApi::*method)(const rpc::Caller&, const Request&,
                                                         Answer<Response>),
                               const Request& request) {
    auto promise = std::make_shared<std::promise<absl::StatusOr<Response>>>();
    (api_.get()->*method)(caller_, request, [promise](absl::StatusOr<Response> response) {
      promise->set_value(std::move(response));
    });
    auto answered = promise->get_future();
    TANDEM_CHECK(answered.wait_for(kPatience) == std::future_status::ready, "no answer came");
    return answered.get();
  }

  static std::string Source(std::string_view more = "") {
    return engine::DefaultPlaybook(kHarbor)->source() + std::string(more);
  }
  static v1::ActivatePlaybookRequest Activation(std::string source, std::string id) {
    v1::ActivatePlaybookRequest request;
    request.set_parent("tenants/harbor-mfg");
    request.set_source(std::move(source));
    request.set_comment("as agreed");
    request.set_request_id(std::move(id));
    return request;
  }

  // The tenant's history, but that these sources cannot be compiled any more.
  std::unique_ptr<journal::Journal> WithSpoiltActivations(const std::set<std::string>& sources) {
    journal::Commit commit;
    const auto copy = [&](const journal::RecordRow& row) {
      journal::v1::Record record;
      TANDEM_CHECK(record.ParseFromString(row.body), "the engine writes records");
      if (sources.contains(record.playbook_activation().source())) {
        record.mutable_playbook_activation()->set_source("playbook: 0\n");
      }
      commit.records.push_back({.tenant = row.tenant,
                                .sequence = row.sequence,
                                .time = row.time,
                                .body = record.SerializeAsString()});
      return true;
    };
    TANDEM_CHECK((*rig_.journal.OpenReader())->ReadRecords(kHarbor, Sequence(1), copy).ok(),
                 "the history can be read");
    auto spoilt = journal::NewMemoryJournal();
    TANDEM_CHECK(spoilt->Append(commit).ok(), "memory takes it");
    return spoilt;
  }

  engine::testing::Rig rig_;
  std::unique_ptr<ReaderPool> readers_;
  Directory directory_;
  rpc::Caller caller_{.principal = "ann",
                      .side = Side::kProvider,
                      .role = rpc::Role::kAdmin,
                      .tenants = {kHarbor},
                      .all_tenants = true,
                      .token_id = "tdm_1"};
  std::unique_ptr<RouterApi> api_;
};

TEST_F(RouterApiTest, AnActivationThatIsSentAgainIsAnsweredWithTheFirst) {
  const auto request = Activation(Source(), "r-1");
  const auto first = Ask(&RouterApi::ActivatePlaybook, request);
  ASSERT_TRUE(first.ok()) << first.status();
  rig_.clock.Advance(absl::Minutes(1));

  const auto again = Ask(&RouterApi::ActivatePlaybook, request);

  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->DebugString(), first->DebugString());
}

TEST_F(RouterApiTest, AnActivationThatIsSentAgainAfterAnotherSaysThatItIsNotActiveAnyMore) {
  ASSERT_TRUE(Ask(&RouterApi::ActivatePlaybook, Activation(Source(), "r-1")).ok());
  ASSERT_TRUE(Ask(&RouterApi::ActivatePlaybook, Activation(Source("# newer\n"), "r-2")).ok());

  const auto again = Ask(&RouterApi::ActivatePlaybook, Activation(Source(), "r-1"));

  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_FALSE(again->active());
  EXPECT_EQ(again->source(), Source());
}

TEST_F(RouterApiTest, AnActivationOfAnotherSourceUnderAUsedRequestIdIsRefused) {
  ASSERT_TRUE(Ask(&RouterApi::ActivatePlaybook, Activation(Source(), "r-1")).ok());

  const auto other = Ask(&RouterApi::ActivatePlaybook, Activation(Source("# newer\n"), "r-1"));

  EXPECT_EQ(other.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(other.status()), "REQUEST_ID_REUSED");
  v1::GetPlaybookRequest get;
  get.set_name("tenants/harbor-mfg/playbooks/active");
  EXPECT_EQ(Ask(&RouterApi::GetPlaybook, get)->source(), Source());
}

TEST_F(RouterApiTest, NoOtherActivationIsCompiledForThePlaybookThatIsAskedFor) {
  ASSERT_TRUE(Ask(&RouterApi::ActivatePlaybook, Activation(Source("# oldest\n"), "r-1")).ok());
  const auto first = Ask(&RouterApi::ActivatePlaybook, Activation(Source(), "r-2"));
  ASSERT_TRUE(first.ok()) << first.status();
  const auto spoilt = Ask(&RouterApi::ActivatePlaybook, Activation(Source("# spoilt\n"), "r-3"));
  ASSERT_TRUE(spoilt.ok()) << spoilt.status();
  const auto last = Ask(&RouterApi::ActivatePlaybook, Activation(Source("# newest\n"), "r-4"));
  ASSERT_TRUE(last.ok()) << last.status();
  const auto journal = WithSpoiltActivations({Source("# oldest\n"), spoilt->source()});
  readers_ = *ReaderPool::Start(journal.get(), {});
  api_ = std::make_unique<RouterApi>(RouterApi::Parts{.engine = rig_.engine.get(),
                                                      .readers = readers_.get(),
                                                      .authenticator = &directory_,
                                                      .clock = &rig_.clock});
  const auto get = [this](const std::string& id) {
    v1::GetPlaybookRequest request;
    request.set_name("tenants/harbor-mfg/playbooks/" + id);
    return Ask(&RouterApi::GetPlaybook, request);
  };

  EXPECT_EQ(get("active")->DebugString(), last->DebugString());
  const auto by_digest = get(first->digest());
  ASSERT_TRUE(by_digest.ok()) << by_digest.status();
  EXPECT_EQ(by_digest->source(), Source());
  EXPECT_FALSE(by_digest->active());
  EXPECT_EQ(ReasonOf(get("0123").status()), "PLAYBOOK_NOT_FOUND");
  EXPECT_FALSE(get(spoilt->digest()).ok());
  const auto again = Ask(&RouterApi::ActivatePlaybook, Activation(Source(), "r-2"));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->source(), Source());
  v1::ListPlaybooksRequest list;
  list.set_parent("tenants/harbor-mfg");
  const auto listed = Ask(&RouterApi::ListPlaybooks, list);
  ASSERT_TRUE(listed.ok()) << listed.status();
  ASSERT_EQ(listed->playbooks_size(), 4);
  v1::Playbook newest = *last;
  newest.clear_source();
  EXPECT_EQ(listed->playbooks(0).DebugString(), newest.DebugString());
  EXPECT_EQ(listed->playbooks(1).digest(), spoilt->digest());
  readers_->Stop();
}

TEST_F(RouterApiTest, ASourceBeyondTheLimitIsRefusedWithItsSize) {
  const std::string large = Source() + std::string(playbook::kSourceBytesMax, '#');
  v1::ValidatePlaybookRequest validate;
  validate.set_parent("tenants/harbor-mfg");
  validate.set_source(large);

  for (const absl::Status& status :
       {Ask(&RouterApi::ActivatePlaybook, Activation(large, "")).status(),
        Ask(&RouterApi::ValidatePlaybook, validate).status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(ReasonOf(status), "PLAYBOOK_TOO_LARGE");
    EXPECT_THAT(MessageOf(status), ::testing::HasSubstr(std::to_string(large.size()) + " bytes"));
    EXPECT_THAT(MessageOf(status), ::testing::HasSubstr("3145728 (3 MiB)"));
  }
}

constexpr char kWithSecrets[] = R"(playbook: 1
tenant: harbor-mfg
contacts:
  anna: {side: provider, webhook: {url: "https://hooks.example/a", secret: known}}
  ben: {side: provider, webhook: {url: "https://hooks.example/b", secret: unknown}}
  cleo: {side: provider, webhook: {url: "https://hooks.example/c"}}
teams:
  noc: {side: provider, contacts: [anna, ben, cleo]}
escalations:
  e: {steps: [{after: 0s, notify: [noc]}]}
rules:
  - {name: rest, owner: noc, handling: autonomous, escalation: e, reason: The NOC begins.}
)";

TEST_F(RouterApiTest, WarnsOfASecretThatTheNotifierHasNotGot) {
  SetUpApi([](const TenantId& tenant, const std::string& name) {
    return tenant == kHarbor && name == "known";
  });
  v1::ValidatePlaybookRequest request;
  request.set_parent("tenants/harbor-mfg");
  request.set_source(kWithSecrets);
  const auto response = Ask(&RouterApi::ValidatePlaybook, request);

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_TRUE(response->valid() && response->secrets_checked());
  ASSERT_EQ(response->findings_size(), 1);
  EXPECT_EQ(response->findings(0).level(), v1::PlaybookFinding::WARNING);
  EXPECT_EQ(response->findings(0).line(), 5u);
  EXPECT_EQ(response->findings(0).column(), 75u);
  EXPECT_EQ(response->findings(0).message(),
            "contacts.ben.webhook.secret: the notifier has no secret harbor-mfg/unknown: nothing "
            "is delivered to ben until an operator adds it to notifier.secrets");
}

TEST_F(RouterApiTest, SaysThatItCannotKnowTheSecretsOfANotifierElsewhere) {
  v1::ValidatePlaybookRequest request;
  request.set_parent("tenants/harbor-mfg");
  request.set_source(kWithSecrets);
  const auto response = Ask(&RouterApi::ValidatePlaybook, request);

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_TRUE(response->valid());
  EXPECT_FALSE(response->secrets_checked());
  EXPECT_EQ(response->findings_size(), 0);
}

TEST_F(RouterApiTest, AnActivationsCommentIsPlainText) {
  auto request = Activation(Source(), "r-1");
  request.set_comment("agreed\x1b[2J");
  EXPECT_EQ(ReasonOf(Ask(&RouterApi::ActivatePlaybook, request).status()), "CONTROL_CHARACTER");
}

v1::CreateTenantRequest NewTenant(std::string name, std::string id) {
  v1::CreateTenantRequest request;
  request.mutable_tenant()->set_name("tenants/" + name);
  request.mutable_tenant()->set_display_name("Dock 4");
  request.set_request_id(std::move(id));
  return request;
}

v1::PutPrincipalRequest NewPrincipal(v1::Role role, std::string id) {
  v1::PutPrincipalRequest request;
  request.mutable_principal()->set_id("bea");
  request.mutable_principal()->set_side(v1::PROVIDER);
  request.mutable_principal()->set_role(role);
  request.mutable_principal()->add_tenants("tenants/harbor-mfg");
  request.set_request_id(std::move(id));
  return request;
}

TEST_F(RouterApiTest, ATenantThatIsCreatedAgainUnderItsRequestIdIsTheFirst) {
  const auto first = Ask(&RouterApi::CreateTenant, NewTenant("dock", "r-1"));
  ASSERT_TRUE(first.ok()) << first.status();
  rig_.clock.Advance(absl::Minutes(1));

  const auto again = Ask(&RouterApi::CreateTenant, NewTenant("dock", "r-1"));

  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->DebugString(), first->DebugString());
  EXPECT_EQ(ReasonOf(Ask(&RouterApi::CreateTenant, NewTenant("dock", "r-2")).status()),
            "TENANT_EXISTS");
}

TEST_F(RouterApiTest, AnAdminsRequestIdThatComesAgainWithSomethingElseIsRefused) {
  ASSERT_TRUE(Ask(&RouterApi::CreateTenant, NewTenant("dock", "r-1")).ok());
  const auto other = Ask(&RouterApi::CreateTenant, NewTenant("pier", "r-1"));
  EXPECT_EQ(other.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(other.status()), "REQUEST_ID_REUSED");
  EXPECT_EQ(ReasonOf(Ask(&RouterApi::PutPrincipal, NewPrincipal(v1::VIEWER, "r-1")).status()),
            "REQUEST_ID_REUSED");
  EXPECT_FALSE(rig_.engine->Installation()->tenants.contains(TenantId("pier")));

  ASSERT_TRUE(Ask(&RouterApi::PutPrincipal, NewPrincipal(v1::VIEWER, "r-2")).ok());
  EXPECT_EQ(ReasonOf(Ask(&RouterApi::PutPrincipal, NewPrincipal(v1::EDITOR, "r-2")).status()),
            "REQUEST_ID_REUSED");
}

TEST_F(RouterApiTest, APrincipalThatIsPutAgainUnderItsRequestIdUndoesNothing) {
  const auto first = Ask(&RouterApi::PutPrincipal, NewPrincipal(v1::VIEWER, "r-1"));
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(Ask(&RouterApi::PutPrincipal, NewPrincipal(v1::EDITOR, "r-2")).ok());

  const auto again = Ask(&RouterApi::PutPrincipal, NewPrincipal(v1::VIEWER, "r-1"));

  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->DebugString(), first->DebugString());
  EXPECT_EQ(rig_.engine->Installation()->principals.at("bea").role, core::PrincipalRole::kEditor);
}

TEST_F(RouterApiTest, AnAdminsRequestIsKnownAgainAfterANewStartAndForADayOnly) {
  const auto first = Ask(&RouterApi::CreateTenant, NewTenant("dock", "r-1"));
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(rig_.Start().ok());
  SetUpApi();
  EXPECT_EQ(Ask(&RouterApi::CreateTenant, NewTenant("dock", "r-1"))->DebugString(),
            first->DebugString());

  rig_.clock.Advance(absl::Hours(25));
  ASSERT_TRUE(Ask(&RouterApi::CreateTenant, NewTenant("pier", "r-2")).ok());

  EXPECT_EQ(ReasonOf(Ask(&RouterApi::CreateTenant, NewTenant("dock", "r-1")).status()),
            "TENANT_EXISTS");
}

TEST_F(RouterApiTest, ADisplayNameIsOneLineOfAtMost256Bytes) {
  auto request = NewTenant("dock", "");
  request.mutable_tenant()->set_display_name(std::string(257, 'x'));
  EXPECT_EQ(ReasonOf(Ask(&RouterApi::CreateTenant, request).status()), "TEXT_TOO_LONG");
  request.mutable_tenant()->set_display_name("Dock\n4");
  EXPECT_EQ(ReasonOf(Ask(&RouterApi::CreateTenant, request).status()), "CONTROL_CHARACTER");
}

TEST_F(RouterApiTest, TellsTheCallerUntilWhenItsTokenHolds) {
  ASSERT_TRUE(Ask(&RouterApi::PutPrincipal, NewPrincipal(v1::VIEWER, "")).ok());
  v1::CreateTokenRequest create;
  create.set_principal("bea");
  create.mutable_expires_in()->set_seconds(3600);
  const auto token = Ask(&RouterApi::CreateToken, create);
  ASSERT_TRUE(token.ok()) << token.status();

  const v1::WhoAmIResponse me = api_->WhoAmI({.principal = "bea", .token_id = token->token().id()});

  EXPECT_EQ(me.token_expire_time().seconds(), absl::ToUnixSeconds(kNoon + absl::Hours(1)));
  EXPECT_FALSE(api_->WhoAmI({.principal = "bea", .token_id = "tdm_gone"}).has_token_expire_time());
}

}  // namespace
}  // namespace tandem::api
