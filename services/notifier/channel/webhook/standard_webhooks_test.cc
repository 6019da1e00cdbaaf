#include "services/notifier/channel/webhook/standard_webhooks.h"

#include <gtest/gtest.h>

#include "router/base/status.h"

namespace tandem::notifier {
namespace {

// The vector of the interoperability notes, checked against another implementation.
constexpr std::string_view kSecret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
constexpr std::string_view kOtherSecret = "whsec_MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE=";
constexpr SignedMessage kMessage{.id = "msg_01HX",
                                 .timestamp = "1767225600",
                                 .body = R"({"type":"incident.escalated","data":{"id":"inc-42"}})"};
constexpr std::string_view kSignature = "v1,5lMtUovasOkfdbg4Ur8K3geATqVueIO7XnKVFWYn5WQ=";
const absl::Time kSent = absl::FromUnixSeconds(1767225600);

std::vector<SigningSecret> Secrets(std::initializer_list<std::string_view> texts) {
  std::vector<SigningSecret> secrets;
  secrets.reserve(texts.size());
  for (const std::string_view text : texts) secrets.push_back(*SigningSecret::Parse(text));
  return secrets;
}

TEST(StandardWebhooks, SignsThePublishedVector) {
  ASSERT_EQ(kMessage.body.size(), 52u);

  EXPECT_EQ(Sign(Secrets({kSecret}), kMessage), kSignature);
}

TEST(StandardWebhooks, SignsWithEverySecretOfARotationInOrder) {
  const std::string both = Sign(Secrets({kOtherSecret, kSecret}), kMessage);

  EXPECT_EQ(both, Sign(Secrets({kOtherSecret}), kMessage) + " " + std::string(kSignature));
  EXPECT_TRUE(Verify(Secrets({kSecret}), kMessage, both, kSent).ok());
  EXPECT_TRUE(Verify(Secrets({kOtherSecret}), kMessage, both, kSent).ok());
}

TEST(StandardWebhooks, WithoutSecretsThereIsNoSignature) { EXPECT_EQ(Sign({}, kMessage), ""); }

TEST(StandardWebhooks, RejectsAnAlteredByteAnywhere) {
  const auto secrets = Secrets({kSecret});
  SignedMessage message = kMessage;
  message.body = R"({"type":"incident.escalated","data":{"id":"inc-43"}})";
  EXPECT_EQ(ReasonOf(Verify(secrets, message, kSignature, kSent)), "SIGNATURE_MISMATCH");

  message = kMessage;
  message.id = "msg_01HY";
  EXPECT_EQ(ReasonOf(Verify(secrets, message, kSignature, kSent)), "SIGNATURE_MISMATCH");

  message = kMessage;
  message.timestamp = "1767225601";
  EXPECT_EQ(ReasonOf(Verify(secrets, message, kSignature, kSent)), "SIGNATURE_MISMATCH");
}

TEST(StandardWebhooks, RejectsAnotherEndpointsSecret) {
  EXPECT_EQ(ReasonOf(Verify(Secrets({kOtherSecret}), kMessage, kSignature, kSent)),
            "SIGNATURE_MISMATCH");
  EXPECT_EQ(ReasonOf(Verify({}, kMessage, kSignature, kSent)), "SIGNATURE_MISMATCH");
}

TEST(StandardWebhooks, AcceptsClocksWithinTheToleranceBothWays) {
  const auto secrets = Secrets({kSecret});
  for (const int seconds : {-300, 0, 300}) {
    EXPECT_TRUE(Verify(secrets, kMessage, kSignature, kSent + absl::Seconds(seconds)).ok());
  }
  EXPECT_EQ(ReasonOf(Verify(secrets, kMessage, kSignature, kSent + absl::Seconds(301))),
            "SIGNATURE_TOO_OLD");
  EXPECT_EQ(ReasonOf(Verify(secrets, kMessage, kSignature, kSent - absl::Seconds(301))),
            "SIGNATURE_TOO_NEW");
}

TEST(StandardWebhooks, SkipsUnknownVersionsAndRubbish) {
  const auto secrets = Secrets({kSecret});
  const std::string mixed = "v1a,AAAA v1,notbase64! v2,x  " + std::string(kSignature);

  EXPECT_TRUE(Verify(secrets, kMessage, mixed, kSent).ok());
  EXPECT_EQ(ReasonOf(Verify(secrets, kMessage, "v1a,AAAA", kSent)), "SIGNATURE_MISMATCH");
  EXPECT_EQ(ReasonOf(Verify(secrets, kMessage, "", kSent)), "SIGNATURE_MISMATCH");
}

TEST(StandardWebhooks, ATimestampIsADecimalNumberAndNothingElse) {
  for (const std::string_view text : {"", "1767225600x", "1.7e9", " 1767225600"}) {
    SignedMessage message = kMessage;
    message.timestamp = text;
    EXPECT_EQ(ReasonOf(Verify(Secrets({kSecret}), message, kSignature, kSent)),
              "SIGNATURE_MALFORMED")
        << text;
  }
}

TEST(SigningSecret, RefusesWhatIsNotOneAndNeverRepeatsIt) {
  for (const std::string_view text : {"", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "whsec_",
                                      "whsec_c2hvcnQ=", "whsec_not base64 at all!",
                                      "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}) {
    const auto secret = SigningSecret::Parse(text);
    ASSERT_FALSE(secret.ok()) << text;
    EXPECT_EQ(ReasonOf(secret.status()), "SECRET_MALFORMED");
    if (text.size() > 8) {
      EXPECT_EQ(MessageOf(secret.status()).find(text.substr(6)), std::string::npos);
    }
  }
}

TEST(SigningSecret, TakesTwentyFourToSixtyFourBytes) {
  const auto of = [](std::size_t groups) {  // three bytes each
    std::string text = "whsec_";
    for (std::size_t i = 0; i < groups; ++i) text += "AAAA";
    return SigningSecret::Parse(text).ok();
  };
  EXPECT_FALSE(of(7));   // 21 bytes
  EXPECT_TRUE(of(8));    // 24
  EXPECT_TRUE(of(21));   // 63
  EXPECT_FALSE(of(22));  // 66
}

}  // namespace
}  // namespace tandem::notifier
