#include "router/playbook/matcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "router/base/status.h"

namespace tandem::playbook {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Matcher Read(std::string_view text) {
  auto matcher = Matcher::Parse(text);
  EXPECT_TRUE(matcher.ok()) << text << ": " << matcher.status();
  return *std::move(matcher);
}

std::string Refusal(std::string_view text) {
  const auto matcher = Matcher::Parse(text);
  EXPECT_FALSE(matcher.ok()) << text;
  return MessageOf(matcher.status());
}

TEST(Matcher, ComparesWithTheFourOperators) {
  EXPECT_TRUE(Read("a=b").Matches("b"));
  EXPECT_FALSE(Read("a=b").Matches("bb"));
  EXPECT_TRUE(Read("a!=b").Matches("c"));
  EXPECT_FALSE(Read("a!=b").Matches("b"));
  EXPECT_TRUE(Read("a=~b.*").Matches("bcd"));
  EXPECT_FALSE(Read("a=~b.*").Matches("abcd"));
  EXPECT_TRUE(Read("a!~b.*").Matches("abcd"));
  EXPECT_FALSE(Read("a!~b.*").Matches("bcd"));
}

TEST(Matcher, AnchorsRegularExpressionsAtBothEnds) {
  const Matcher matcher = Read(R"(severity=~"critical|maj.r")");

  EXPECT_TRUE(matcher.Matches("major"));
  EXPECT_FALSE(matcher.Matches("major2"));
  EXPECT_FALSE(matcher.Matches("uncritical"));
}

TEST(Matcher, TakesAnAbsentLabelForTheEmptyText) {
  EXPECT_TRUE(Read(R"(team!="noc")").Matches(""));
  EXPECT_TRUE(Read(R"(team="")").Matches(""));
  EXPECT_FALSE(Read(R"(team="")").Matches("noc"));
  EXPECT_TRUE(Read(R"(team=~"")").Matches(""));
  EXPECT_TRUE(Read(R"(team=~"noc|")").Matches(""));
  EXPECT_TRUE(Read(R"(team=~".*")").Matches(""));
  EXPECT_FALSE(Read(R"(team=~".+")").Matches(""));
}

TEST(Matcher, LetsADotMatchNewlinesOnlyWhenTold) {
  EXPECT_FALSE(Read(R"(a=~"x.y")").Matches("x\ny"));
  EXPECT_TRUE(Read(R"(a=~"(?s)x.y")").Matches("x\ny"));
}

TEST(Matcher, IgnoresBlanksAroundItsParts) {
  const Matcher matcher = Read("  severity  =~\t\"a b\" ");

  EXPECT_EQ(matcher.name(), "severity");
  EXPECT_EQ(matcher.value(), "a b");
}

TEST(Matcher, ResolvesEscapesAndKeepsOtherBackslashes) {
  EXPECT_EQ(Read(R"(a="say \"x\" \\ \n \d")").value(), "say \"x\" \\ \n \\d");
}

TEST(Matcher, TakesBracesAroundTheWholeAndAQuotedName) {
  EXPECT_EQ(Read(R"({a="b"})").ToText(), R"(a="b")");
  EXPECT_EQ(Read(R"({ a="b", })").ToText(), R"(a="b")");
  EXPECT_EQ(Read(R"("a"="b")").ToText(), R"(a="b")");
}

TEST(Matcher, WritesItselfSoThatItReadsTheSame) {
  for (const char* text : {R"(a="b")", R"(a!="")", R"(site.kind=~"x|y")", R"(a!~"\\d\"\n")"}) {
    EXPECT_EQ(Read(text).ToText(), text);
    EXPECT_EQ(Read(Read(text).ToText()).value(), Read(text).value());
  }
}

TEST(Matcher, KnowsAFactOfTheContextByItsDot) {
  const Matcher fact = Read(R"(site.kind="factory")");
  EXPECT_TRUE(fact.is_context());
  EXPECT_EQ(fact.entity_kind(), "site");
  EXPECT_EQ(fact.attribute(), "kind");

  const Matcher label = Read("kind=factory");
  EXPECT_FALSE(label.is_context());
  EXPECT_EQ(label.entity_kind(), "");
}

TEST(Matcher, KnowsTheTextsThatItAccepts) {
  EXPECT_THAT(Read("a=b").literals(), ElementsAre("b"));
  EXPECT_THAT(Read("a=~x|b|x").literals(), ElementsAre("b", "x"));
  EXPECT_THAT(Read("a=~b.c").literals(), IsEmpty());
  EXPECT_THAT(Read("a!=b").literals(), IsEmpty());
  EXPECT_THAT(Read("a!~b|c").literals(), IsEmpty());
}

TEST(Matcher, MatchesWordsBeyondAscii) {
  EXPECT_TRUE(Read("a=~Halle|Lübeck").Matches("Lübeck"));
  EXPECT_TRUE(Read("a=~L.beck").Matches("Lübeck"));
}

TEST(Matcher, SaysWhatIsWrong) {
  EXPECT_EQ(Refusal("severity"),
            "\"severity\" has no operator; expected NAME=\"VALUE\" with one of = != =~ !~");
  EXPECT_EQ(Refusal(""), "\"\" has no operator; expected NAME=\"VALUE\" with one of = != =~ !~");
  EXPECT_EQ(Refusal("a!b"), "\"a!b\" has the operator \"!b\"; expected one of = != =~ !~");
  EXPECT_EQ(Refusal("a==b"), "\"a==b\" has the operator \"==\"; equality is written =");
  EXPECT_EQ(Refusal("a="), "\"a\" is compared with nothing; write a=\"\" for an alert without it");
  EXPECT_EQ(Refusal("9a=b"),
            "\"9a\" is not a label's name; expected letters, digits and _, at most 128 bytes, not "
            "beginning with a digit");
  EXPECT_EQ(Refusal("a=\"b"), "the value of \"a\" has no closing quote");
  EXPECT_EQ(Refusal("a=b\"c"),
            "the value of \"a\" has a quote inside; put the whole value in double quotes and write "
            "\\\" inside");
  EXPECT_EQ(Refusal("a=\"b\", c=\"d\""),
            "\", c=\"d\"\" stands behind the closing quote of \"a\"; one entry is one condition");
  EXPECT_EQ(Refusal("a=b,c=d"),
            "the value of \"a\" has an unquoted \",\"; put the value in double quotes, and each "
            "condition in an entry of its own");
  EXPECT_EQ(Refusal("{a=b"), "\"{a=b\" opens a brace and does not close it");
  EXPECT_EQ(Refusal("a=~\"(\""), "the regular expression of \"a\" is not RE2: missing ): (");
  EXPECT_EQ(Refusal("a=\xff"), "\"a=\\xff\" is not UTF-8");
}

TEST(Matcher, NamesTheNearestKindOfEntity) {
  EXPECT_EQ(
      Refusal("sit.kind=x"),
      "\"sit.kind\" asks a \"sit\", which is no kind of entity; expected site, service, device or "
      "application; did you mean \"site\"?");
  EXPECT_EQ(
      Refusal("site.=x"),
      "\"site.\" asks for no attribute; expected one dot and a name of letters, digits and _: "
      "site.criticality");
  EXPECT_THAT(Refusal("site.a.b=x"), HasSubstr("expected one dot"));
}

TEST(Matcher, IsBoundedInTextAndInTheMemoryOfItsExpression) {
  EXPECT_EQ(Refusal("a=" + std::string(4096, 'x')),
            "a matcher of 4098 bytes; at most 4096 are taken");
  EXPECT_THAT(Refusal("a=~\"((((x{100}){100}){100}){100})\""), HasSubstr("is not RE2"));
}

TEST(Matcher, RepeatsOnlyTheBeginningOfALongText) {
  const std::string cut = std::string(80, 'x') + "…";
  for (const std::string& text :
       {std::string(4000, 'x'), "{" + std::string(4000, 'x'), std::string(4000, 'x') + "==1",
        "a=\"b\"" + std::string(4000, 'x'), "a=~\"(" + std::string(4000, 'x') + "\"",
        std::string(2000, 'x') + "." + std::string(2000, 'x') + "=1",
        "a=" + std::string(2000, '\xff'), std::string(4000, 'x') + "="}) {
    const std::string refusal = Refusal(text);
    EXPECT_THAT(refusal, HasSubstr("…"));
    // Printable writes a byte that is no character with four.
    EXPECT_LE(refusal.size(), 700U) << refusal;
  }
  EXPECT_EQ(Refusal(std::string(4000, 'x')),
            "\"" + cut + "\" has no operator; expected NAME=\"VALUE\" with one of = != =~ !~");
}

}  // namespace
}  // namespace tandem::playbook
