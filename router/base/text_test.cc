#include "router/base/text.h"

#include <gtest/gtest.h>

namespace tandem {
namespace {

TEST(IsUtf8, RefusesOverlongFormsSurrogatesAndCutSequences) {
  EXPECT_TRUE(IsUtf8("Zürich – 東京 🏥"));
  EXPECT_FALSE(IsUtf8("\xC0\xAF"));
  EXPECT_FALSE(IsUtf8("\xED\xA0\x80"));
  EXPECT_FALSE(IsUtf8("\xF4\x90\x80\x80"));
  EXPECT_FALSE(IsUtf8("a\xE2\x82"));
}

TEST(HasControlCharacters, SeesWhatCouldForgeALine) {
  EXPECT_FALSE(HasControlCharacters("plain – text"));
  EXPECT_TRUE(HasControlCharacters("a\x1b[31m"));
  EXPECT_TRUE(HasControlCharacters("a\u202eb"));
  EXPECT_TRUE(HasControlCharacters("a\nb"));
  EXPECT_FALSE(HasControlCharacters("a\nb", {.allow_newlines = true}));
}

TEST(Printable, WritesControlCharactersAsNumbers) {
  EXPECT_EQ(Printable("a\x1b[31m\xff"), "a\\x1b[31m\\xff");
}

TEST(NearestName, FindsTheTypingMistakeAndNothingFar) {
  EXPECT_EQ(NearestName("plant-ti", {"noc", "plant-it", "biomed"}), "plant-it");
  EXPECT_EQ(NearestName("warehouse", {"noc", "plant-it"}), "");
}

TEST(ParseDuration, TakesPrometheusForms) {
  EXPECT_EQ(ParseDuration("1h30m").value(), absl::Minutes(90));
  EXPECT_EQ(ParseDuration("500ms").value(), absl::Milliseconds(500));
  EXPECT_EQ(ParseDuration("0").value(), absl::ZeroDuration());
  EXPECT_EQ(ParseDuration("2d").value(), absl::Hours(48));
  for (const char* bad : {"", "5", "m", "1m1h", "-5m", "1.5h", "5 m", "9999999999s"}) {
    EXPECT_FALSE(ParseDuration(bad).ok()) << bad;
  }
}

TEST(FormatDuration, IsReadBackAsTheSame) {
  EXPECT_EQ(FormatDuration(absl::Seconds(90)), "1m30s");
  EXPECT_EQ(FormatDuration(absl::ZeroDuration()), "0s");
  EXPECT_EQ(ParseDuration(FormatDuration(absl::Hours(50))).value(), absl::Hours(50));
}

TEST(FormatTime, LeavesOutMicrosecondsThatAreZero) {
  EXPECT_EQ(FormatTime(absl::FromUnixSeconds(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatTime(absl::FromUnixMicros(1)), "1970-01-01T00:00:00.000001Z");
}

}  // namespace
}  // namespace tandem
