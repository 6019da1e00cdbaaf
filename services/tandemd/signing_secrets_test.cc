#include "services/tandemd/signing_secrets.h"

#include <gtest/gtest.h>

#include "router/base/status.h"

namespace tandem::tandemd {
namespace {

using runtime::Secret;

constexpr char kOne[] = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
constexpr char kTwo[] = "whsec_MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE=";

TEST(SecretBookOf, KeepsTheOrderInWhichTheyRotate) {
  runtime::Config config;
  config.notifier.secrets["acme/hook"] = {Secret(kTwo), Secret(kOne)};
  const auto book = SecretBookOf(config);

  ASSERT_TRUE(book.ok()) << book.status();
  ASSERT_EQ(book->at("acme/hook").size(), 2u);
  EXPECT_EQ(book->at("acme/hook")[0].key(), notifier::SigningSecret::Parse(kTwo)->key());
}

TEST(SecretBookOf, NamesTheEntryThatIsNoSecret) {
  runtime::Config config;
  config.notifier.secrets["acme/hook"] = {Secret("whsec_?")};

  EXPECT_EQ(MessageOf(SecretBookOf(config).status()).find("notifier.secrets.acme/hook"), 0u);
}

TEST(SecretNames, KnowsATenantsOwnAndTheSharedOnes) {
  runtime::Config config;
  config.notifier.secrets["acme/hook"] = {Secret(kOne)};
  config.notifier.secrets["*/noc"] = {Secret(kOne)};
  SecretNames names;
  EXPECT_FALSE(names.Has(TenantId("acme"), "hook"));
  names.Set(config);

  EXPECT_TRUE(names.Has(TenantId("acme"), "hook"));
  EXPECT_TRUE(names.Has(TenantId("acme"), "noc"));
  EXPECT_TRUE(names.Has(TenantId("other"), "noc"));
  EXPECT_FALSE(names.Has(TenantId("other"), "hook"));
}

}  // namespace
}  // namespace tandem::tandemd
