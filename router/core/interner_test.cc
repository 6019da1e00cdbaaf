#include "router/core/interner.h"

#include <gtest/gtest.h>

namespace tandem::core {
namespace {

TEST(Interner, KeepsATextUntilItsLastUserHasGone) {
  Interner interner;
  const TextId first = interner.Acquire("host");
  EXPECT_EQ(interner.Acquire("host"), first);
  EXPECT_NE(interner.Acquire("site"), first);
  EXPECT_EQ(interner.size(), 2U);
  interner.Release(first);
  EXPECT_EQ(interner.Text(first), "host");
  interner.Release(first);
  EXPECT_EQ(interner.size(), 1U);
  EXPECT_EQ(interner.Acquire("new"), first) << "ids are used again";
  EXPECT_EQ(interner.Text(first), "new");
}

}  // namespace
}  // namespace tandem::core
