#include "router/rpc/trace_context.h"

#include <gtest/gtest.h>

namespace tandem::rpc {
namespace {

constexpr char kExample[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(Traceparent, ReadsTheStandardsExampleAndWritesItBack) {
  const auto context = ParseTraceparent(kExample);

  ASSERT_TRUE(context.has_value());
  EXPECT_EQ(context->trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(context->parent_id, "00f067aa0ba902b7");
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(Traceparent(*context), kExample);
}

TEST(Traceparent, ReadsTheSampledFlagAmongOthers) {
  std::string value = kExample;
  value.replace(53, 2, "02");
  EXPECT_FALSE(ParseTraceparent(value)->sampled);
  value.replace(53, 2, "0b");
  EXPECT_TRUE(ParseTraceparent(value)->sampled);
}

TEST(Traceparent, ReadsALaterVersionThatSaysMore) {
  EXPECT_TRUE(ParseTraceparent("cc" + std::string(kExample + 2) + "-what-the-future-is-like"));
  EXPECT_FALSE(ParseTraceparent("cc" + std::string(kExample + 2) + ".what"));
}

TEST(Traceparent, IgnoresWhatBreaksTheRules) {
  for (const char* value : {"", "00", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
                            "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more"}) {
    EXPECT_FALSE(ParseTraceparent(value).has_value()) << value;
  }
}

}  // namespace
}  // namespace tandem::rpc
