#include "router/core/installation.h"

#include <gtest/gtest.h>

#include "router/base/status.h"

namespace tandem::core {
namespace {

const absl::Time kNoon = absl::FromUnixSeconds(1'780'315'200);
const std::string kHash(64, 'a');

PrincipalPut Person(std::string id, std::vector<TenantId> tenants, Side side = Side::kProvider,
                    PrincipalRole role = PrincipalRole::kResponder) {
  return {.id = std::move(id),
          .display_name = {},
          .side = side,
          .role = role,
          .tenants = std::move(tenants)};
}

PrincipalPut Root() {
  return {.id = "root",
          .display_name = {},
          .side = Side::kProvider,
          .role = PrincipalRole::kAdmin,
          .all_tenants = true,
          .tenants = {}};
}

TokenCreated TokenOf(std::string id, std::string principal) {
  return {.id = std::move(id),
          .secret_hash = kHash,
          .principal = std::move(principal),
          .created = kNoon,
          .expires = kNoon + absl::Hours(1)};
}

const TenantId kA("a");
const TenantId kB("b");

// The tenants a and b; root, who has all, and ada, who administers a for the provider.
struct InstallationTest : testing::Test {
  InstallationTest() {
    for (const TenantId& tenant : {kA, kB}) Must(TenantCreated{tenant, "", kNoon});
    Must(Root());
    Must(Person("ada", {kA}, Side::kProvider, PrincipalRole::kAdmin));
    Must(Person("bob", {kB}));
    Must(Person("cat", {kA}, Side::kCustomer));
    Must(TokenOf("tdm_bob", "bob"));
  }

  // "OK", or the reason why not; what may be done is done.
  std::string Do(const InstallationFact& wanted, const std::string& actor = "root") {
    const InstallationInput input{.actor = {actor, Side::kProvider}, .wanted = wanted};
    const absl::Status status = DecideInstallation(state, input);
    if (status.ok()) {
      ApplyInstallation(state, input, state.last_sequence.Next(), absl::ToUnixMicros(kNoon));
    }
    return ReasonOf(status);
  }
  void Must(const InstallationFact& wanted) { EXPECT_EQ(Do(wanted), "OK"); }

  InstallationState state;
};

TEST_F(InstallationTest, HoldsWhatWasDoneInOrder) {
  EXPECT_EQ(state.tenants.size(), 2U);
  EXPECT_EQ(state.principals.at("bob"), Person("bob", {kB}));
  EXPECT_EQ(state.tokens.at("tdm_bob"), TokenOf("tdm_bob", "bob"));
  EXPECT_EQ(state.last_sequence.value, 7U);
  EXPECT_EQ(state.last_time, absl::ToUnixMicros(kNoon));
}

TEST_F(InstallationTest, CreatesATenantOnce) {
  EXPECT_EQ(Do(TenantCreated{kA, "", kNoon}), "TENANT_EXISTS");
  EXPECT_EQ(state.last_sequence.value, 7U);
}

TEST_F(InstallationTest, TakesIdsOfOneForm) {
  for (const char* id : {"", "A", "1a", "-a", "a_b", "a/b", "a\n"}) {
    EXPECT_EQ(Do(TenantCreated{TenantId(id), "", kNoon}), "NAME_INVALID") << id;
  }
  EXPECT_EQ(Do(TenantCreated{TenantId(std::string(64, 'a')), "", kNoon}), "NAME_INVALID");
  EXPECT_EQ(Do(TenantCreated{TenantId(std::string(63, 'a')), "", kNoon}), "OK");
  for (const char* id : {"", "A", "a b", "a/b", "a\n"}) {
    EXPECT_EQ(Do(Person(id, {kA})), "NAME_INVALID") << id;
  }
  EXPECT_EQ(Do(Person("1.a_b@c-d", {kA})), "OK");
  // The installation's own history has a name that no tenant can have.
  EXPECT_EQ(Do(TenantCreated{kInstallation, "", kNoon}), "NAME_INVALID");
}

TEST_F(InstallationTest, PutsAPrincipalAgainAsOftenAsItLikes) {
  EXPECT_EQ(Do(Person("bob", {kB})), "OK");
  EXPECT_EQ(Do(Person("bob", {kA, kB})), "OK");
  EXPECT_EQ(state.principals.at("bob").tenants.size(), 2U);
  EXPECT_EQ(Do(Person("bob", {kB}, Side::kCustomer)), "SIDE_CHANGED");
}

TEST_F(InstallationTest, GivesACustomerOneTenantAndAllTenantsOnlyToThoseOfTheInstallation) {
  EXPECT_EQ(Do(Person("x", {kA, kB}, Side::kCustomer)), "TENANTS_INVALID");
  EXPECT_EQ(Do(Person("x", {})), "TENANTS_INVALID");
  EXPECT_EQ(Do(Person("x", {TenantId("c")})), "TENANT_NOT_FOUND");
  PrincipalPut all = Person("x", {});
  all.all_tenants = true;
  EXPECT_EQ(Do(all), "TENANTS_INVALID");
  all.role = PrincipalRole::kService;
  EXPECT_EQ(Do(all), "OK");
  EXPECT_EQ(Do(Person("y", {kA}, Side::kUnspecified)), "SIDE_MISSING");
  PrincipalPut odd = Person("y", {kA});
  odd.role = static_cast<PrincipalRole>(7);
  EXPECT_EQ(Do(odd), "ROLE_INVALID");
}

TEST_F(InstallationTest, RevokesATokenOnceAndForGood) {
  EXPECT_EQ(Do(TokenOf("tdm_bob", "bob")), "TOKEN_EXISTS");
  EXPECT_EQ(Do(TokenRevoked{"tdm_bob"}), "OK");
  EXPECT_TRUE(state.tokens.empty());
  EXPECT_EQ(Do(TokenRevoked{"tdm_bob"}), "TOKEN_NOT_FOUND");
  EXPECT_EQ(Do(TokenOf("tdm_x", "nobody")), "PRINCIPAL_NOT_FOUND");
}

TEST_F(InstallationTest, ForgetsATokenAMonthAfterItExpiredAtTheNextChange) {
  TokenCreated lasting = TokenOf("tdm_lasting", "bob");
  lasting.expires = absl::InfiniteFuture();
  Must(lasting);
  const absl::Time expired = state.tokens.at("tdm_bob").expires;
  const auto change_at = [this](absl::Time now) {
    ApplyInstallation(state, {.actor = {"root", Side::kProvider}, .wanted = Person("bob", {kB})},
                      state.last_sequence.Next(), absl::ToUnixMicros(now));
  };
  change_at(expired + absl::Hours(30 * 24));
  EXPECT_TRUE(state.tokens.contains("tdm_bob"));

  change_at(expired + absl::Hours(30 * 24) + absl::Microseconds(1));

  EXPECT_FALSE(state.tokens.contains("tdm_bob"));
  EXPECT_TRUE(state.tokens.contains("tdm_lasting"));
  EXPECT_TRUE(state.tokens_by_expiry.empty());
  EXPECT_EQ(Do(TokenRevoked{"tdm_bob"}), "TOKEN_NOT_FOUND");
}

TEST_F(InstallationTest, HasRoomForATokenWhereAnotherIsToBeForgotten) {
  for (std::size_t i = state.tokens.size(); i < InstallationState::kTokensMax; ++i) {
    ApplyInstallation(
        state,
        {.actor = {"root", Side::kProvider}, .wanted = TokenOf("tdm_" + std::to_string(i), "bob")},
        state.last_sequence.Next(), absl::ToUnixMicros(kNoon));
  }
  TokenCreated next = TokenOf("tdm_next", "bob");
  EXPECT_EQ(Do(next), "LIMIT_REACHED");

  next.created = kNoon + absl::Hours(31 * 24);
  EXPECT_EQ(Do(next), "OK");
}

TEST_F(InstallationTest, LetsAnAdministratorOfATenantManageItsPrincipalsOfHisSide) {
  EXPECT_EQ(Do(Person("dan", {kA}), "ada"), "OK");
  EXPECT_EQ(Do(TokenOf("tdm_dan", "dan"), "ada"), "OK");
  EXPECT_EQ(Do(TokenRevoked{"tdm_dan"}, "ada"), "OK");
}

TEST_F(InstallationTest, HidesEverythingElseFromHim) {
  EXPECT_EQ(Do(Person("dan", {kB}), "ada"), "TENANT_NOT_FOUND");
  EXPECT_EQ(Do(Person("dan", {kA, kB}), "ada"), "TENANT_NOT_FOUND");
  EXPECT_EQ(Do(TokenOf("tdm_x", "bob"), "ada"), "PRINCIPAL_NOT_FOUND");
  EXPECT_EQ(Do(TokenOf("tdm_x", "root"), "ada"), "PRINCIPAL_NOT_FOUND");
  EXPECT_EQ(Do(TokenOf("tdm_x", "cat"), "ada"), "PRINCIPAL_NOT_FOUND");
  EXPECT_EQ(Do(TokenRevoked{"tdm_bob"}, "ada"), "TOKEN_NOT_FOUND");
  EXPECT_EQ(Do(Person("bob", {kA}), "ada"), "PRINCIPAL_ID_TAKEN");
}

TEST_F(InstallationTest, LetsHimMakeNobodyWhoIsMoreThanHe) {
  PrincipalPut root = Root();
  root.id = "ada";
  EXPECT_EQ(Do(root, "ada"), "INSTALLATION_ADMIN_NEEDED");
  EXPECT_EQ(Do(Person("x", {kA}, Side::kProvider, PrincipalRole::kService), "ada"),
            "INSTALLATION_ADMIN_NEEDED");
  EXPECT_EQ(Do(Person("x", {kA}, Side::kCustomer), "ada"), "OTHER_SIDE");
  EXPECT_EQ(Do(TenantCreated{TenantId("c"), "", kNoon}, "ada"), "INSTALLATION_ADMIN_NEEDED");
}

TEST_F(InstallationTest, ManagesThoseWhoseTenantsAreAllAmongHis) {
  const PrincipalPut ada = Person("ada", {kA});
  EXPECT_TRUE(Manages(ada, ada));
  EXPECT_FALSE(Manages(ada, Person("x", {kA, kB})));
  EXPECT_FALSE(Manages(ada, Person("x", {})));
  EXPECT_FALSE(Manages(ada, Root()));
  EXPECT_TRUE(Manages(Root(), Person("x", {})));
  EXPECT_TRUE(Manages(Root(), Root()));
}

TEST_F(InstallationTest, ARequestIdIsFreeAgainAfterADayAlsoWhenNothingElseWasAskedSince) {
  const auto ask = [](const char* tenant) {
    return InstallationInput{.actor = {"root", Side::kProvider},
                             .wanted = TenantCreated{TenantId(tenant), "", kNoon},
                             .request_id = "req"};
  };
  const auto apply = [this](const InstallationInput& input, Micros time) {
    ApplyInstallation(state, input, state.last_sequence.Next(), time);
  };
  const Micros noon = absl::ToUnixMicros(kNoon);
  const Micros day = absl::ToInt64Microseconds(absl::Hours(24));
  apply(ask("c"), noon);
  EXPECT_NE(*FindRepeated(state, ask("c"), noon + day), nullptr);
  EXPECT_EQ(ReasonOf(FindRepeated(state, ask("d"), noon + day).status()), "REQUEST_ID_REUSED");

  EXPECT_EQ(*FindRepeated(state, ask("d"), noon + day + 1), nullptr);

  // For a day from its new use on.
  apply(ask("d"), noon + day + 1);
  EXPECT_NE(*FindRepeated(state, ask("d"), noon + day + day + 1), nullptr);
  EXPECT_EQ(state.requests.size(), 1U);
  EXPECT_EQ(state.requests_by_age.size(), 1U);
}

}  // namespace
}  // namespace tandem::core
