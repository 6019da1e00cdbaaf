#include "router/base/retry.h"

#include <algorithm>

#include "router/base/check.h"

namespace tandem {

absl::Duration RetryCeiling(const RetryPolicy& policy, std::uint32_t attempt) {
  TANDEM_CHECK(attempt >= 1, "attempts count from 1");
  absl::Duration ceiling = policy.first;
  for (std::uint32_t i = 1; i < attempt && ceiling < policy.longest; ++i) ceiling *= 2;
  return std::min(ceiling, policy.longest);
}

}  // namespace tandem
