#include "router/rpc/token.h"

#include <gtest/gtest.h>

#include <set>

#include "router/base/status.h"

namespace tandem::rpc {
namespace {

std::string ReasonFor(std::string_view text) {
  const auto id = TokenIdOf(text);
  return id.ok() ? "" : ReasonOf(id.status());
}

TEST(Token, IsMadeInTheFormThatItIsReadIn) {
  const NewToken token = MakeToken();

  EXPECT_EQ(token.text.size(), 56u);  // tdm_ + 8 + _ + 43
  EXPECT_EQ(token.text.substr(0, 13), token.id + "_");
  EXPECT_EQ(*TokenIdOf(token.text), token.id);
  EXPECT_EQ(token.sha256, Sha256Hex(token.text));
}

TEST(Token, IsNeverMadeTwice) {
  std::set<std::string> ids, texts;
  for (int i = 0; i < 1000; ++i) {
    const NewToken token = MakeToken();
    ids.insert(token.id);
    texts.insert(token.text);
  }

  EXPECT_EQ(ids.size(), 1000u);
  EXPECT_EQ(texts.size(), 1000u);
}

TEST(Token, IsRefusedWhenMissingOrOfAnotherForm) {
  const std::string good = MakeToken().text;
  std::string wrong_prefix = good, wrong_letter = good, wrong_separator = good;
  wrong_prefix[0] = 'T';
  wrong_letter[55] = '=';
  wrong_separator[12] = '-';

  EXPECT_EQ(ReasonFor(""), "TOKEN_MISSING");
  EXPECT_EQ(ReasonFor(good), "");
  EXPECT_EQ(ReasonFor(good + "A"), "TOKEN_INVALID");
  EXPECT_EQ(ReasonFor(std::string_view(good).substr(1)), "TOKEN_INVALID");
  EXPECT_EQ(ReasonFor(wrong_prefix), "TOKEN_INVALID");
  EXPECT_EQ(ReasonFor(wrong_letter), "TOKEN_INVALID");
  EXPECT_EQ(ReasonFor(wrong_separator), "TOKEN_INVALID");
}

TEST(Token, IsNotRepeatedInAnError) {
  EXPECT_EQ(MessageOf(TokenIdOf("hunter2").status()).find("hunter2"), std::string::npos);
}

TEST(Sha256Hex, AgreesWithTheStandardsExamples) {  // FIPS 180-4
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(ConstantTimeEqual, IsEquality) {
  EXPECT_TRUE(ConstantTimeEqual("", ""));
  EXPECT_TRUE(ConstantTimeEqual("abc", "abc"));
  EXPECT_FALSE(ConstantTimeEqual("abc", "abd"));
  EXPECT_FALSE(ConstantTimeEqual("abc", "ab"));
}

}  // namespace
}  // namespace tandem::rpc
