// Changes of the installation as they are stored.
#include <gtest/gtest.h>

#include "router/base/status.h"
#include "router/codec/record.h"
#include "router/core/installation.h"
#include "tandem/journal/v1/journal.pb.h"

namespace tandem::codec {
namespace {

const absl::Time kNoon = absl::FromUnixSeconds(1'780'315'200);
const core::Actor kAdmin{"admin", Side::kProvider};

std::vector<core::InstallationFact> Facts() {
  return {
      core::TenantCreated{TenantId("harbor"), "Harbor – Mfg", kNoon},
      core::PrincipalPut{.id = "ann",
                         .display_name = "Ann",
                         .side = Side::kCustomer,
                         .role = core::PrincipalRole::kEditor,
                         .tenants = {TenantId("harbor")}},
      core::PrincipalPut{.id = "root",
                         .display_name = {},
                         .side = Side::kProvider,
                         .role = core::PrincipalRole::kAdmin,
                         .all_tenants = true,
                         .tenants = {}},
      core::TokenCreated{.id = "tdm_abcdefgh",
                         .secret_hash = std::string(64, 'f'),
                         .principal = "ann",
                         .created = kNoon,
                         .expires = kNoon + absl::Hours(1)},
      core::TokenCreated{.id = "tdm_forever1",
                         .secret_hash = std::string(64, 'e'),
                         .principal = "root",
                         .created = kNoon,
                         .expires = absl::InfiniteFuture()},
      core::TokenRevoked{"tdm_abcdefgh"},
  };
}

TEST(StoredInstallation, IsReadBackAsItWasWritten) {
  for (const core::InstallationFact& fact : Facts()) {
    SCOPED_TRACE(fact.index());
    const auto read = DecodeInstallation(EncodeInstallation({kAdmin, fact, "r-1"}));
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->actor, kAdmin);
    EXPECT_EQ(read->wanted, fact);
    EXPECT_EQ(read->request_id, "r-1");
  }
}

TEST(StoredInstallation, FoldsToTheStateThatDecidedIt) {
  core::InstallationState live;
  core::InstallationState folded;
  for (const core::InstallationFact& fact : Facts()) {
    const core::InstallationInput input{{"tandem", Side::kUnspecified}, fact, ""};
    ASSERT_TRUE(core::DecideInstallation(live, input).ok());
    const Sequence sequence = live.last_sequence.Next();
    core::ApplyInstallation(live, input, sequence, 5);
    core::ApplyInstallation(folded, *DecodeInstallation(EncodeInstallation(input)), sequence, 5);
  }
  EXPECT_EQ(live.tenants, folded.tenants);
  EXPECT_EQ(live.principals, folded.principals);
  EXPECT_EQ(live.tokens, folded.tokens);
  EXPECT_EQ(live.last_sequence, folded.last_sequence);
  EXPECT_EQ(folded.tokens.size(), 1U);
}

TEST(StoredInstallation, SaysWhyItCannotBeRead) {
  const auto reason = [](std::string_view body) {
    return ReasonOf(DecodeInstallation(body).status());
  };
  EXPECT_EQ(reason("\xFF\xFF"), "RECORD_MALFORMED");
  EXPECT_EQ(reason(""), "RECORD_MALFORMED");
  journal::v1::Record newer;
  newer.mutable_installation();
  EXPECT_EQ(reason(newer.SerializeAsString()), "INPUT_UNKNOWN");
}

}  // namespace
}  // namespace tandem::codec
