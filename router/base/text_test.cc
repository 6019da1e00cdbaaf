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

TEST(Shown, CutsWhatIsLongButNoCharacter) {
  EXPECT_EQ(Shown("a\x1b[31m"), "a\\x1b[31m");
  EXPECT_EQ(Shown(std::string(80, 'a')), std::string(80, 'a'));
  EXPECT_EQ(Shown(std::string(81, 'a')), std::string(80, 'a') + "…");
  EXPECT_EQ(Shown(std::string(79, 'a') + "üb"), std::string(79, 'a') + "…");
  // No character at all: what cannot be read is cut all the same.
  EXPECT_LE(Shown(std::string(4096, '\x80')).size(), 80 * 4 + std::string("…").size());
}

TEST(NearestName, FindsTheTypingMistakeAndNothingFar) {
  EXPECT_EQ(NearestName("plant-ti", {"noc", "plant-it", "biomed"}), "plant-it");
  EXPECT_EQ(NearestName("warehouse", {"noc", "plant-it"}), "");
  EXPECT_EQ(NearestName("opne", {"acknowledged", "open"}), "open");
  EXPECT_EQ(NearestName("opn", {"open"}), "open");
  EXPECT_EQ(NearestName("", {"open"}), "");
}

TEST(ReadDuration, TakesPrometheusForms) {
  EXPECT_EQ(ReadDuration("1h30m").value(), absl::Minutes(90));
  EXPECT_EQ(ReadDuration("500ms").value(), absl::Milliseconds(500));
  EXPECT_EQ(ReadDuration("0").value(), absl::ZeroDuration());
  EXPECT_EQ(ReadDuration("2d").value(), absl::Hours(48));
  for (const char* bad : {"", "5", "m", "1m1h", "-5m", "1.5h", "5 m", "9999999999s"}) {
    EXPECT_FALSE(ReadDuration(bad).ok()) << bad;
  }
}

TEST(DurationText, IsReadBackAsTheSame) {
  EXPECT_EQ(DurationText(absl::Seconds(90)), "1m30s");
  EXPECT_EQ(DurationText(absl::ZeroDuration()), "0s");
  EXPECT_EQ(ReadDuration(DurationText(absl::Hours(50))).value(), absl::Hours(50));
}

TEST(TimeText, LeavesOutMicrosecondsThatAreZero) {
  EXPECT_EQ(TimeText(absl::FromUnixSeconds(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(TimeText(absl::FromUnixMicros(1)), "1970-01-01T00:00:00.000001Z");
  EXPECT_EQ(SecondsText(absl::FromUnixMicros(1'999'999)), "1970-01-01T00:00:01Z");
}

}  // namespace
}  // namespace tandem
