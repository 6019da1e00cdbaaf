#include "router/api/names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/base/status.h"

namespace tandem::api {
namespace {

using ::testing::ElementsAre;

const TenantId kHarbor{"harbor-mfg"};
const TenantId kMill{"mill"};

// Knows two tenants and nobody.
class TwoTenants final : public rpc::Authenticator {
 public:
  absl::StatusOr<rpc::Caller> Authenticate(std::string_view, absl::Time) const override {
    return absl::UnauthenticatedError("nobody");
  }
  bool TenantExists(const TenantId& tenant) const override {
    return tenant == kHarbor || tenant == kMill;
  }
};

class NamesTest : public ::testing::Test {
 protected:
  absl::StatusOr<IncidentRef> Resolve(std::string_view name) {
    return ResolveIncident(caller_, authenticator_, name, "name");
  }
  absl::StatusOr<std::vector<TenantId>> Tenants(std::string_view parent) {
    return ResolveTenants(caller_, authenticator_, {kHarbor, kMill}, parent, "parent");
  }

  TwoTenants authenticator_;
  rpc::Caller caller_{.principal = "ann", .side = Side::kCustomer, .tenants = {kHarbor}};
};

TEST_F(NamesTest, TakesAnIncidentsNameApart) {
  const auto ref = Resolve("tenants/harbor-mfg/incidents/42");

  ASSERT_TRUE(ref.ok()) << ref.status();
  EXPECT_EQ(ref->tenant, kHarbor);
  EXPECT_EQ(ref->number, IncidentNumber(42));
}

TEST_F(NamesTest, RefusesEveryOtherFormAndNamesTheField) {
  for (const char* name :
       {"", "tenants/harbor-mfg", "tenants/harbor-mfg/incidents/", "tenants/harbor-mfg/incidents/0",
        "tenants/harbor-mfg/incidents/x", "tenants/harbor-mfg/incidents/1x",
        "tenants/harbor-mfg/incidents/-1", "tenants/harbor-mfg/incidents/18446744073709551616",
        "tenants//incidents/1", "/incidents/1", "tenants/harbor-mfg/alerts/7/incidents/1",
        "tenants/harbor-mfg/incidents/1/incidents/2", "incidents/1"}) {
    const auto ref = Resolve(name);
    EXPECT_EQ(ref.status().code(), absl::StatusCode::kInvalidArgument) << name;
    ASSERT_EQ(FieldsOf(ref.status()).size(), 1U) << name;
    EXPECT_EQ(FieldsOf(ref.status()).front().field, "name") << name;
  }
}

TEST_F(NamesTest, ATenantOfOthersLooksLikeNone) {
  const auto foreign = Resolve("tenants/mill/incidents/1");
  const auto unknown = Resolve("tenants/gone/incidents/1");

  EXPECT_EQ(foreign.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(foreign.status()), ReasonOf(unknown.status()));
  std::string as_unknown = MessageOf(foreign.status());
  as_unknown.replace(as_unknown.find("mill"), 4, "gone");
  EXPECT_EQ(as_unknown, MessageOf(unknown.status()));
}

TEST_F(NamesTest, ADashMeansEveryTenantOfTheCaller) {
  EXPECT_THAT(*Tenants("tenants/-"), ElementsAre(kHarbor));

  caller_.all_tenants = true;
  EXPECT_THAT(*Tenants("tenants/-"), ElementsAre(kHarbor, kMill));
}

TEST_F(NamesTest, AParentMeansItsTenantIfItIsTheCallers) {
  EXPECT_THAT(*Tenants("tenants/harbor-mfg"), ElementsAre(kHarbor));
  EXPECT_EQ(Tenants("tenants/mill").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Tenants("mill").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tandem::api
