#include "router/playbook/node.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tandem::playbook {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// "LINE:COLUMN: message" of each finding of a playbook's source.
std::vector<std::string> Findings(std::string_view source) {
  std::vector<std::string> texts;
  for (const Finding& finding : CompilePlaybook(source).findings) {
    texts.push_back(fmt::format("{}:{}: {}", finding.line, finding.column, finding.message));
  }
  return texts;
}

TEST(ConfigDocument, KeepsTextsAsTheyAreSpelled) {
  const ConfigDocument document("a: yes\nb: 010\nc: 1e3\nd: 'x'\ne: ~\nf: [1, {g: h}]\n");

  ASSERT_THAT(document.findings(), IsEmpty());
  const ConfigNode& root = *document.root();
  EXPECT_EQ(root.Find("a")->text, "yes");
  EXPECT_EQ(root.Find("b")->text, "010");
  EXPECT_EQ(root.Find("c")->text, "1e3");
  EXPECT_TRUE(root.Find("d")->quoted);
  EXPECT_EQ(root.Find("e")->kind, ConfigNode::Kind::kNothing);
  const ConfigNode* h = root.Find("f")->children[1]->Find("g");
  EXPECT_EQ(h->Path(), "f[1].g");
  EXPECT_EQ(h->mark.line, 6u);
  EXPECT_EQ(h->mark.column, 12u);
  EXPECT_EQ(root.Find("missing"), nullptr);
  EXPECT_EQ(h->Find("missing"), nullptr);
}

TEST(ConfigDocument, RefusesDuplicateKeysWithBothPlaces) {
  EXPECT_THAT(Findings("playbook: 1\ntenant: a\nteams: {x: 1, x: 2}\ntenant: b\n"),
              ElementsAre("3:15: \"x\" stands twice; first on line 3",
                          "4:1: \"tenant\" stands twice; first on line 2"));
}

TEST(ConfigDocument, RefusesAnchorsAliasesAndTags) {
  EXPECT_THAT(
      Findings("a: &x 1\nb: *x\nc: !!int 1\nd: !y [1]\n"),
      ElementsAre(
          "1:4: anchors are not taken; write the value out wherever it holds, or use `defaults`",
          "2:4: aliases are not taken; write the value out, so that each rule can be read alone",
          "3:4: the tag \"tag:yaml.org,2002:int\" is not taken; values are texts",
          "4:4: the tag \"!y\" is not taken; values are texts"));
}

TEST(ConfigDocument, RefusesASecondDocumentAndKeysThatAreNoTexts) {
  EXPECT_THAT(Findings("a: 1\n---\nb: 1\n"),
              ElementsAre("2:1: a second document begins here; a file holds one"));
  EXPECT_THAT(Findings("? [a, b]\n: c\n"), ElementsAre("1:3: a key must be a text"));
}

TEST(ConfigDocument, AdvisesOnIndentationAndBrackets) {
  EXPECT_THAT(
      Findings("a: 1\nb:\n\tc: 1\n"),
      ElementsAre("3:3: not YAML: illegal map value; line 3 is indented with a tab: indent with "
                  "blanks"));
  EXPECT_THAT(
      Findings("a: 1\n b: 2\n"),
      ElementsAre("2:3: not YAML: illegal map value; check the indentation, and put a text that "
                  "contains `: ` in quotes"));
  EXPECT_THAT(Findings("a: [b, c\nd: e\n"),
              ElementsAre("2:2: not YAML: end of sequence flow not found; a `[` before it is not "
                          "closed"));
  EXPECT_THAT(
      Findings("a: {b: c\nd: e\n"),
      ElementsAre("2:2: not YAML: end of map flow not found; a `{` before it is not closed"));
  EXPECT_THAT(Findings("a: \"b\nc: d\n"),
              ElementsAre("1:4: the quote that opens here is never closed"));
  EXPECT_THAT(Findings("a: 'it''s\n"),
              ElementsAre("1:4: the quote that opens here is never closed"));
}

TEST(ConfigDocument, RefusesWhatIsNotUtf8AndControlCharacters) {
  EXPECT_THAT(Findings("a: 1\nb: caf\xE9\n"),
              ElementsAre("2:7: the byte 0xe9 is not UTF-8; save the file as UTF-8"));
  EXPECT_THAT(Findings("a: Lübeck\x1B[2J\n"),
              ElementsAre("1:10: the control character \\x1b is not allowed; remove it"));
  EXPECT_THAT(Findings("a: \u202Eb\n"),
              ElementsAre("1:4: the control character \\xe2\\x80\\xae is not allowed; remove it"));
}

TEST(ConfigDocument, CountsColumnsInCharactersBehindAByteOrderMark) {
  EXPECT_THAT(
      Findings("\xEF\xBB\xBFä: [ö, &x b]\n"),
      ElementsAre("1:8: anchors are not taken; write the value out wherever it holds, or use "
                  "`defaults`"));
}

TEST(ConfigDocument, PointsIntoTheFileWhenItEndsTooEarly) {
  EXPECT_THAT(Findings("a: \"\\x41\\u00"),
              ElementsAre("1:13: not YAML: bad character found while scanning hex number"));
}

TEST(ConfigDocument, SaysThatAnEmptyFileIsOne) {
  for (const char* source : {"", "\n\n", "# only a comment\n", "---\n", "~"}) {
    EXPECT_THAT(
        Findings(source),
        ElementsAre("1:1: the file is empty; a playbook begins with `playbook: 1` and `tenant: "
                    "NAME`"));
  }
}

TEST(ConfigDocument, IsNotHurtByNestingOrAliasBombs) {
  EXPECT_THAT(Findings(std::string(1'000'000, '[')).back(), EndsWith("nested more than 32 deep"));
  std::string bomb = "a: &a [x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c < 'k'; ++c) {
    bomb += fmt::format("{}: &{} [", c, c);
    for (int i = 0; i < 8; ++i) bomb += fmt::format("*{}, ", static_cast<char>(c - 1));
    bomb += "]\n";
  }
  EXPECT_THAT(Findings(bomb), SizeIs(10 + 9 * 8));
}

TEST(ConfigDocument, HasLimits) {
  EXPECT_THAT(Findings(std::string(kSourceBytesMax, '#')), ElementsAre(HasSubstr("is empty")));
  EXPECT_THAT(Findings(std::string(kSourceBytesMax + 1, '#')),
              ElementsAre("0:0: the playbook has 3145729 bytes; at most 3145728 (3 MiB) are taken: "
                          "move facts about sites and services into the context, where rules can "
                          "ask for them"));
  std::string many = "a: [";
  for (int i = 0; i < 250'001; ++i) many += "b,";
  EXPECT_THAT(Findings(many + "]"),
              ElementsAre("1:500001: more than 250000 values; split the work between tenants"));
  std::string wrong;
  for (int i = 0; i < 1'100; ++i) wrong += fmt::format("k{}: 1\n", i);
  const auto findings = Findings(wrong);
  ASSERT_THAT(findings, SizeIs(1'001));
  EXPECT_EQ(findings[0], "0:0: there is more; these are the first 1000 findings");
}

}  // namespace
}  // namespace tandem::playbook
