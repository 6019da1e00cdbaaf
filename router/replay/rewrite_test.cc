#include "router/replay/rewrite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tandem::replay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kHead[] =
    "# A file with a head.\n"
    "scenarios:\n"
    "  - name: a   # the first\n"
    "    start: \"2026-03-02 12:00 UTC\"\n"
    "    steps:\n"
    "      - {at: 0s, nothing: {}}\n";
constexpr char kTail[] =
    "\n"
    "  # The second.\n"
    "  - {name: b, start: 2026-03-02 12:00 UTC, steps: [{at: 0s, nothing: {}}]}\n";

std::string Rewrite(const std::string& middle, const std::vector<NewLine>& lines) {
  const Rewritten result = RewriteExpectations(kHead + middle + kTail, {{"a", lines}});
  EXPECT_THAT(result.refused, IsEmpty());
  const std::string& text = result.source;
  EXPECT_TRUE(text.starts_with(kHead)) << text;
  EXPECT_TRUE(text.ends_with(kTail)) << text;
  return text.substr(sizeof(kHead) - 1, text.size() - sizeof(kHead) - sizeof(kTail) + 2);
}

TEST(RewriteExpectations, KeepsCommentsAndTheBytesOfLinesThatStay) {
  EXPECT_EQ(Rewrite("    expect:  # what both sides agreed\n"
                    "      # first this\n"
                    "      - '+0s one'   # single quotes\n"
                    "      # then that\n"
                    "      - \"+1m two\"\n"
                    "      - +2m three\n"
                    "    never: [x]  # never\n",
                    {{"+0s one", 0, true}, {"+1m2s \"two\"", 1, false}, {"+2m three", 2, true}}),
            "    expect:  # what both sides agreed\n"
            "      # first this\n"
            "      - '+0s one'   # single quotes\n"
            "      # then that\n"
            "      - \"+1m2s \\\"two\\\"\"\n"
            "      - +2m three\n"
            "    never: [x]  # never\n");
}

TEST(RewriteExpectations, AddsABlockWhereThereIsNone) {
  EXPECT_EQ(Rewrite("", {{"+0s one", {}, false}}), "    expect:\n      - \"+0s one\"\n");
  EXPECT_EQ(Rewrite("    whole: true\n    never: [x]\n", {{"+0s one", {}, false}}),
            "    expect:\n      - \"+0s one\"\n    whole: true\n    never: [x]\n");
  EXPECT_EQ(Rewrite("    expect:\n", {{"+0s one", {}, false}}),
            "    expect:\n      - \"+0s one\"\n");
}

TEST(RewriteExpectations, MakesABlockOfAListInBrackets) {
  EXPECT_EQ(Rewrite("    expect: [\"+0s ] one\",\n      '+1s two']  # both\n    until: 1m\n",
                    {{"+0s three", 0, false}}),
            "    expect:   # both\n      - \"+0s three\"\n    until: 1m\n");
  EXPECT_EQ(Rewrite("    expect: []\n", {{"+0s three", {}, false}}),
            "    expect:\n      - \"+0s three\"\n");
}

TEST(RewriteExpectations, TakesItemsAtTheIndentationOfTheirKey) {
  EXPECT_EQ(Rewrite("    expect:\n    - +0s one\n    - +1s two\n    whole: true\n",
                    {{"+0s one", 0, true}, {"+1s three", {}, false}, {"+1s two", 1, true}}),
            "    expect:\n    - +0s one\n    - \"+1s three\"\n    - +1s two\n    whole: true\n");
}

TEST(RewriteExpectations, LeavesAScenarioInBracesAloneAndSaysSo) {
  const std::string source = std::string(kHead) + kTail;
  const Rewritten result = RewriteExpectations(source, {{"b", {{"+0s one", {}, false}}}});

  EXPECT_EQ(result.source, source);
  EXPECT_THAT(result.refused, ElementsAre(HasSubstr("b: it stands in braces")));
}

TEST(RewriteExpectations, KeepsTheLineEndsOfTheFile) {
  const Rewritten result = RewriteExpectations(
      "scenarios:\r\n  - name: a\r\n    start: 2026-03-02 12:00 UTC\r\n    steps:\r\n"
      "      - {at: 0s, nothing: {}}",
      {{"a", {{"+0s one", {}, false}}}});

  EXPECT_THAT(result.source, HasSubstr("{}}\r\n    expect:\r\n      - \"+0s one\"\r\n"));
}

}  // namespace
}  // namespace tandem::replay
