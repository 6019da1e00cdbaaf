#include "router/rpc/caller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/base/status.h"

namespace tandem::rpc {
namespace {

class Directory final : public Authenticator {
 public:
  absl::StatusOr<Caller> Authenticate(std::string_view, absl::Time) const override {
    return Caller{};
  }
  bool TenantExists(const TenantId& tenant) const override { return tenant.value == "acme"; }
};

Caller WithTenants(std::vector<std::string> ids) {
  Caller caller;
  for (std::string& id : ids) caller.tenants.emplace_back(std::move(id));
  return caller;
}

Caller OfAll() {
  Caller caller;
  caller.all_tenants = true;
  return caller;
}

std::string Resolved(const Caller& caller, std::string_view name) {
  const auto tenant = ResolveTenant(caller, Directory(), name, "parent");
  return tenant.ok() ? tenant->value : ReasonOf(tenant.status());
}

TEST(ResolveTenant, TakesTheNamedOneWhenTheCallerHasIt) {
  const Caller caller = WithTenants({"acme", "globex"});

  EXPECT_EQ(Resolved(caller, "tenants/acme"), "acme");
  EXPECT_EQ(Resolved(caller, "tenants/globex"), "globex");
  EXPECT_EQ(Resolved(OfAll(), "tenants/acme"), "acme");
}

TEST(ResolveTenant, TakesTheOnlyOneWhenNoneIsNamed) {
  EXPECT_EQ(Resolved(WithTenants({"acme"}), ""), "acme");
}

TEST(ResolveTenant, AsksForANameWhenThereAreSeveralOrAll) {
  EXPECT_EQ(Resolved(WithTenants({"acme", "globex"}), ""), "TENANT_AMBIGUOUS");
  EXPECT_EQ(Resolved(WithTenants({}), ""), "TENANT_AMBIGUOUS");
  EXPECT_EQ(Resolved(OfAll(), ""), "TENANT_AMBIGUOUS");
}

TEST(ResolveTenant, SaysTheSameForAForeignTenantAndForNone) {
  const auto foreign =
      ResolveTenant(WithTenants({"globex"}), Directory(), "tenants/acme", "parent");
  const auto unknown = ResolveTenant(OfAll(), Directory(), "tenants/acne", "parent");

  EXPECT_EQ(foreign.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(foreign.status()), "TENANT_NOT_FOUND");
  EXPECT_EQ(MessageOf(foreign.status()),
            "tenants/acme does not exist, or is not one of the caller's");
  EXPECT_EQ(MessageOf(unknown.status()),
            "tenants/acne does not exist, or is not one of the caller's");
}

TEST(ResolveTenant, RefusesANameOfAnotherForm) {
  for (const char* name : {"acme", "tenants/", "tenants/-", "tenants/Acme", "tenants//incidents",
                           "tenants/9to5", "tenant/acme", "tenants/a b", "tenants/acme/",
                           "tenants/acme/extra", "tenants/acme/incidents/12"}) {
    EXPECT_EQ(Resolved(WithTenants({"acme"}), name), "TENANT_NAME_INVALID") << name;
  }
  EXPECT_EQ(Resolved(WithTenants({"acme"}), "tenants/" + std::string(64, 'a')),
            "TENANT_NAME_INVALID");
}

TEST(ResolveTenantOf, ReadsTheTenantOfWhatItHas) {
  const Caller caller = WithTenants({"acme", "globex"});
  for (const char* name : {"tenants/acme/entities/site/plant-7", "tenants/acme"}) {
    const auto tenant = ResolveTenantOf(caller, Directory(), name, "name");
    ASSERT_TRUE(tenant.ok()) << tenant.status();
    EXPECT_EQ(tenant->value, "acme");
  }
  for (const char* name : {"acme/entities/x", "tenants//entities/x", "site/plant-7"}) {
    EXPECT_EQ(ReasonOf(ResolveTenantOf(caller, Directory(), name, "name").status()),
              "TENANT_NAME_INVALID");
  }
}

TEST(ResolveTenant, NamesTheFieldThatIsWrong) {
  const auto tenant = ResolveTenant(WithTenants({}), Directory(), "acme", "parent");

  ASSERT_EQ(FieldsOf(tenant.status()).size(), 1u);
  EXPECT_EQ(FieldsOf(tenant.status())[0].field, "parent");
}

}  // namespace
}  // namespace tandem::rpc
