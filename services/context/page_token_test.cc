#include "services/context/page_token.h"

#include <gtest/gtest.h>

#include "router/base/status.h"

namespace tandem::context {
namespace {

const PagePosition kPosition{Version(7), EntityKey{EntityKind::kSite, "plant-7"}};

TEST(PageToken, IsReadBackForTheSameRequest) {
  const PagePosition history{Version(9), std::nullopt};
  EXPECT_EQ(**ReadPageToken("list acme site", MakePageToken("list acme site", kPosition)),
            kPosition);
  EXPECT_EQ(**ReadPageToken("history acme ", MakePageToken("history acme ", history)), history);
  EXPECT_EQ(*ReadPageToken("list acme site", ""), std::nullopt);
}

TEST(PageToken, IsRefusedForAnotherRequestAndWhenItIsNone) {
  const std::string token = MakePageToken("list acme site", kPosition);
  EXPECT_EQ(ReasonOf(ReadPageToken("list acme device", token).status()), "PAGE_TOKEN_INVALID");
  EXPECT_EQ(ReasonOf(ReadPageToken("list other site", token).status()), "PAGE_TOKEN_INVALID");
  for (const std::string bad : {"!", "MSAx", "x", "MQ", "MSA5OTk5OTk5OTk5OTk5OTk5OTk5OTk5IA"}) {
    EXPECT_FALSE(ReadPageToken("list acme site", bad).ok()) << bad;
  }
  EXPECT_FALSE(ReadPageToken("list acme site", std::string(100'000, 'A')).ok());
}

}  // namespace
}  // namespace tandem::context
