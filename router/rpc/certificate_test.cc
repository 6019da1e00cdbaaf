#include "router/rpc/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/base/status.h"

namespace tandem::rpc {
namespace {

std::string ReasonFor(const std::vector<std::string_view>& uris) {
  return ReasonOf(PrincipalOfUris(uris).status());
}

TEST(PrincipalOfUris, IsTheOneThatASanUriNames) {
  EXPECT_EQ(*PrincipalOfUris({"tandem://principals/agent-7"}), "agent-7");
  EXPECT_EQ(*PrincipalOfUris({"spiffe://example/agent", "tandem://principals/ann@noc.example_x"}),
            "ann@noc.example_x");
  EXPECT_EQ(*PrincipalOfUris({"tandem://principals/a", "tandem://principals/a"}), "a");
}

TEST(PrincipalOfUris, IsNobodyWithoutOne) {
  EXPECT_EQ(*PrincipalOfUris({}), std::nullopt);
  EXPECT_EQ(*PrincipalOfUris({"https://principals/a", "Tandem://principals/a"}), std::nullopt);
}

TEST(PrincipalOfUris, RefusesWhatIsOursButIllFormed) {
  for (const std::string_view uri :
       {"tandem:", "tandem://principals/", "tandem://principals", "tandem://principals/A",
        "tandem://principals/a/b", "tandem://principals/a%20b", "tandem://tenants/a",
        "tandem://principals/a?x", "tandem://PRINCIPALS/a"}) {
    EXPECT_EQ(ReasonFor({uri}), "CERTIFICATE_INVALID") << uri;
  }
  const std::string long_one = "tandem://principals/" + std::string(64, 'a');
  EXPECT_EQ(ReasonFor({long_one}), "CERTIFICATE_INVALID");
}

TEST(PrincipalOfUris, RefusesTwoPrincipals) {
  EXPECT_EQ(ReasonFor({"tandem://principals/a", "tandem://principals/b"}), "CERTIFICATE_INVALID");
}

}  // namespace
}  // namespace tandem::rpc
