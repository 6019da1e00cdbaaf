#include "services/notifier/url.h"

#include <gtest/gtest.h>

#include "router/base/status.h"

namespace tandem::notifier {
namespace {

TEST(ParseUrl, TakesAnAddressApart) {
  const auto url = ParseUrl("HTTPS://Hooks.Example.com:8443/t/1?key=a%20b");

  ASSERT_TRUE(url.ok()) << url.status();
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->host, "hooks.example.com");
  EXPECT_FALSE(url->host_is_address);
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->target, "/t/1?key=a%20b");
  EXPECT_EQ(url->Authority(), "hooks.example.com:8443");
}

TEST(ParseUrl, FillsInPortAndPath) {
  EXPECT_EQ(ParseUrl("https://a.example")->port, 443);
  EXPECT_EQ(ParseUrl("http://a.example")->port, 80);
  EXPECT_EQ(ParseUrl("https://a.example")->target, "/");
  EXPECT_EQ(ParseUrl("https://a.example?x=1")->target, "/?x=1");
  EXPECT_EQ(ParseUrl("https://a.example:443/")->Authority(), "a.example");
}

TEST(ParseUrl, ReadsAddressesOfBothFamilies) {
  const auto v4 = ParseUrl("https://192.0.2.7/");
  ASSERT_TRUE(v4.ok());
  EXPECT_TRUE(v4->host_is_address);

  const auto v6 = ParseUrl("https://[2A00:1450::1]:8443/");
  ASSERT_TRUE(v6.ok());
  EXPECT_TRUE(v6->host_is_address);
  EXPECT_EQ(v6->host, "2a00:1450::1");
  EXPECT_EQ(v6->Authority(), "[2a00:1450::1]:8443");
}

TEST(ParseUrl, RefusesWhatReadersUnderstandDifferently) {
  for (const std::string_view text : {"",
                                      "https://",
                                      "https:///x",
                                      "ftp://a.example/",
                                      "//a.example/",
                                      "a.example",
                                      "https:/a.example",
                                      "https://user@a.example/",
                                      "https://a.example@b.example/",
                                      "https://a.example\\@b.example/",
                                      "https://a.example/#top",
                                      "https://a example/",
                                      "https://a.example/ x",
                                      "https://a.example/\n",
                                      "https://a.example/\x7f",
                                      "https://b\303\274cher.example/",
                                      "https://a%2eexample/",
                                      "https://a.example./",
                                      "https://.a.example/",
                                      "https://a..example/",
                                      "https://a.example:/",
                                      "https://a.example:0/",
                                      "https://a.example:65536/",
                                      "https://a.example:0443/",
                                      "https://a.example:+443/",
                                      "https://a.example:44x/",
                                      "https://[::1/",
                                      "https://[fe80::1%25eth0]/",
                                      "https://[::1]x/",
                                      "https://[127.0.0.1]/",
                                      "https://::1/",
                                      "https://127.1/",
                                      "https://0x7f.1/"}) {
    const auto url = ParseUrl(text);
    ASSERT_FALSE(url.ok()) << text;
    EXPECT_EQ(ReasonOf(url.status()), "URL_MALFORMED") << text;
  }
}

TEST(ParseUrl, ErrorsRepeatNothingOfTheAddress) {
  const auto url = ParseUrl("https://user:hunter2@a.example/");

  EXPECT_EQ(MessageOf(url.status()).find("hunter2"), std::string::npos);
}

TEST(ParseUrl, HasALengthLimit) {
  const std::string base = "https://a.example/";
  EXPECT_TRUE(ParseUrl(base + std::string(2048 - base.size(), 'x')).ok());
  EXPECT_FALSE(ParseUrl(base + std::string(2049 - base.size(), 'x')).ok());
}

}  // namespace
}  // namespace tandem::notifier
