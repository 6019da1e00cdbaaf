#include "router/core/identity.h"

#include <gtest/gtest.h>

#include <array>

namespace tandem::core {
namespace {

using playbook::LabelView;

TEST(Fingerprint, EqualsThatOfAlertmanager) {
  const std::array<LabelView, 1> one = {{{"alertname", "A2"}}};
  const std::array<LabelView, 2> two = {{{"alertname", "A"}, {"team", "cust"}}};
  EXPECT_EQ(FingerprintText(Fingerprint(one)), "060d4143451edb5d");
  EXPECT_EQ(FingerprintText(Fingerprint(two)), "7a4ec867c5a43535");
}

TEST(Identity, DependsOnEveryLabelAndOnTheKey) {
  const IdentityKey key{};
  IdentityKey other{};
  for (std::size_t i = 0; i < other.size(); ++i) other[i] = static_cast<std::uint8_t>(i * i + 7);
  const std::array<LabelView, 1> a = {{{"ab", "c"}}};
  const std::array<LabelView, 1> b = {{{"a", "bc"}}};
  EXPECT_EQ(IdentityOf(key, a), IdentityOf(key, a));
  EXPECT_NE(IdentityOf(key, a), IdentityOf(key, b));
  EXPECT_NE(IdentityOf(key, a), IdentityOf(other, a));
  EXPECT_NE(GroupIdentityOf(key, "r", a), GroupIdentityOf(key, "s", a));
}

TEST(Identity, IsThatOfNamesAndValuesNotOfTheirBoundaries) {
  const IdentityKey key{};
  const std::array<LabelView, 2> two = {{{"a", "1"}, {"b", "2"}}};
  const std::array<LabelView, 1> joined = {{{"a", "1b2"}}};
  EXPECT_NE(IdentityOf(key, two), IdentityOf(key, joined));
}

}  // namespace
}  // namespace tandem::core
