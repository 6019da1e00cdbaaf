#include "router/base/ids.h"

#include <gtest/gtest.h>

#include <type_traits>

namespace tandem {
namespace {

TEST(StrongId, IsNothingUntilItIsGiven) {
  EXPECT_FALSE(IncidentNumber());
  EXPECT_TRUE(IncidentNumber(1));
  EXPECT_LT(IncidentNumber(1), IncidentNumber(1).Next());
}

TEST(StrongId, CannotBeSwappedWithAnother) {
  static_assert(!std::is_convertible_v<IncidentNumber, AlertNumber>);
  static_assert(!std::is_convertible_v<std::uint64_t, IncidentNumber>);
}

}  // namespace
}  // namespace tandem
