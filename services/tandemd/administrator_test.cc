#include "services/tandemd/administrator.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "router/api/directory.h"
#include "router/engine/engine_rig.h"
#include "services/tandemd/private_file.h"

namespace tandem::tandemd {
namespace {

using core::PrincipalPut;
using core::PrincipalRole;
using engine::testing::Ask;
using engine::testing::kNoon;

class AdministratorTest : public testing::Test {
 protected:
  AdministratorTest() {
    std::filesystem::remove_all(folder_);
    TANDEM_CHECK(MakePrivateFolder(folder_).ok() && rig_.Start().ok(), "the engine starts");
  }
  ~AdministratorTest() override { std::filesystem::remove_all(folder_); }

  // Whose token was made; "" when none was.
  std::string Ensure(bool takes_certificates = false) {
    const auto made = EnsureAdministrator(
        *rig_.engine,
        {.data_dir = folder_, .now = rig_.clock.Now(), .takes_certificates = takes_certificates});
    EXPECT_TRUE(made.ok()) << made.status();
    if (!made.ok() || !*made) return "";
    EXPECT_EQ((*made)->file, folder_ + "/admin.token");
    return (*made)->principal;
  }
  void Install(core::InstallationFact fact) {
    const core::InstallationInput input{.actor = {"root", Side::kProvider},
                                        .wanted = std::move(fact)};
    ASSERT_TRUE(Ask(*rig_.engine, core::kInstallation, input).ok());
  }
  static PrincipalPut Person(std::string id, PrincipalRole role) {
    return {.id = std::move(id),
            .display_name = {},
            .side = Side::kProvider,
            .role = role,
            .all_tenants = true,
            .tenants = {}};
  }
  // Whom the written token lets in.
  absl::StatusOr<rpc::Caller> Written() {
    std::string token;
    std::getline(std::ifstream(folder_ + "/admin.token"), token);
    return api::Directory(rig_.engine.get()).Authenticate(token, rig_.clock.Now());
  }
  bool WrittenAdministers(const std::string& principal) {
    const auto caller = Written();
    return caller.ok() && caller->principal == principal && caller->all_tenants &&
           caller->role == rpc::Role::kAdmin;
  }

  const std::string folder_ = testing::TempDir() + "administrator_test";
  engine::testing::Rig rig_;
};

TEST_F(AdministratorTest, ANewInstallationGetsOneAndKeepsIt) {
  EXPECT_EQ(Ensure(), "admin");
  EXPECT_TRUE(WrittenAdministers("admin"));
  const std::string first = Written()->token_id;

  EXPECT_EQ(Ensure(), "");
  EXPECT_EQ(Written()->token_id, first);
}

TEST_F(AdministratorTest, AStartThatEndedBeforeItsTokenWasRegisteredIsMadeGood) {
  Install(Person("admin", PrincipalRole::kAdmin));

  // Nobody has had time to make a certificate for it.
  EXPECT_EQ(Ensure(true), "admin");
  EXPECT_TRUE(WrittenAdministers("admin"));
}

TEST_F(AdministratorTest, AfterTheLastTokenWasRevokedOrExpiredTheNextStartMakesAnother) {
  Ensure();
  Install(core::TokenRevoked{Written()->token_id});
  ASSERT_FALSE(Written().ok());
  Install(core::TokenCreated{.id = "tdm_short",
                             .secret_hash = std::string(64, 'a'),
                             .principal = "admin",
                             .created = kNoon,
                             .expires = kNoon + absl::Hours(1)});
  EXPECT_EQ(Ensure(), "");

  rig_.clock.Advance(absl::Hours(1));

  EXPECT_EQ(Ensure(), "admin");
  EXPECT_TRUE(WrittenAdministers("admin"));
  EXPECT_EQ(rig_.engine->Installation()->principals.size(), 1U);
}

TEST_F(AdministratorTest, ATokenOfAnotherRoleAdministersNothing) {
  Install(Person("admin", PrincipalRole::kService));
  Install(core::TokenCreated{.id = "tdm_service",
                             .secret_hash = std::string(64, 'a'),
                             .principal = "admin",
                             .created = kNoon,
                             .expires = absl::InfiniteFuture()});

  EXPECT_EQ(Ensure(), "admin-2");

  EXPECT_TRUE(WrittenAdministers("admin-2"));
  EXPECT_EQ(rig_.engine->Installation()->principals.at("admin").role, PrincipalRole::kService);
}

TEST_F(AdministratorTest, AnAdministratorWhoMayHaveACertificateNeedsNoToken) {
  Ensure();
  Install(core::TokenRevoked{Written()->token_id});

  EXPECT_EQ(Ensure(true), "");
  EXPECT_EQ(Ensure(false), "admin");
}

}  // namespace
}  // namespace tandem::tandemd
