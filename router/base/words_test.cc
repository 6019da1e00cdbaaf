#include "router/base/words.h"

#include <gtest/gtest.h>

namespace tandem {
namespace {

TEST(Words, AreReadBackAsTheyAreSpelled) {
  for (Severity severity :
       {Severity::kInfo, Severity::kWarning, Severity::kMajor, Severity::kCritical}) {
    EXPECT_EQ(ParseSeverity(ToText(severity)), severity);
  }
  EXPECT_EQ(ParseHandling("needs_decision"), Handling::kNeedsDecision);
  EXPECT_EQ(ParseSide("Provider"), std::nullopt);
  EXPECT_EQ(ToText(Side::kUnspecified), "");
}

TEST(SeverityOfLabel, ReadsTheFieldsSpellingsAndTakesTheRestForAWarning) {
  EXPECT_EQ(SeverityOfLabel("Critical"), Severity::kCritical);
  EXPECT_EQ(SeverityOfLabel("page"), Severity::kCritical);
  EXPECT_EQ(SeverityOfLabel("high"), Severity::kMajor);
  EXPECT_EQ(SeverityOfLabel("none"), Severity::kInfo);
  EXPECT_EQ(SeverityOfLabel(""), Severity::kWarning);
  EXPECT_EQ(SeverityOfLabel("criticality"), Severity::kWarning);
}

}  // namespace
}  // namespace tandem
