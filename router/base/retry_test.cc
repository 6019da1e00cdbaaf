#include "router/base/retry.h"

#include <gtest/gtest.h>

namespace tandem {
namespace {

TEST(RetryCeiling, DoublesUpToTheLongest) {
  const RetryPolicy policy{.first = absl::Seconds(2), .longest = absl::Seconds(10)};

  EXPECT_EQ(RetryCeiling(policy, 1), absl::Seconds(2));
  EXPECT_EQ(RetryCeiling(policy, 2), absl::Seconds(4));
  EXPECT_EQ(RetryCeiling(policy, 3), absl::Seconds(8));
  EXPECT_EQ(RetryCeiling(policy, 4), absl::Seconds(10));
  EXPECT_EQ(RetryCeiling(policy, 4'000'000'000), absl::Seconds(10));
}

}  // namespace
}  // namespace tandem
