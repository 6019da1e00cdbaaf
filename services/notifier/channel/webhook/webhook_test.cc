#include "services/notifier/channel/webhook/webhook.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace tandem::notifier {
namespace {

using ::testing::HasSubstr;

const absl::Time kNoon = absl::FromUnixSeconds(1767268800);
constexpr std::string_view kSecret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
constexpr std::string_view kOther = "whsec_MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE=";

class FakePoster final : public HttpPoster {
 public:
  void Post(HttpRequest request, Done) override { requests.push_back(std::move(request)); }
  std::vector<HttpRequest> requests;
};

std::map<std::string, std::string> HeadersOf(const HttpRequest& request) {
  return {request.headers.begin(), request.headers.end()};
}

class WebhookChannelTest : public ::testing::Test {
 protected:
  static SecretBook Secrets() {
    SecretBook secrets;
    secrets["*/hook"] = {*SigningSecret::Parse(kSecret)};
    secrets["other/hook"] = {*SigningSecret::Parse(kOther)};
    secrets["acme/rotating"] = {*SigningSecret::Parse(kOther), *SigningSecret::Parse(kSecret)};
    secrets["acme/empty"] = {};
    secrets["bare"] = {*SigningSecret::Parse(kSecret)};
    return secrets;
  }
  static v1::Delivery Delivery(const std::string& secret_name, const std::string& tenant = "acme") {
    v1::Delivery delivery;
    delivery.set_tenant(tenant);
    delivery.set_delivery_id("dlv-acme-7-1");
    delivery.set_address("https://hooks.example/1");
    delivery.set_secret_name(secret_name);
    return delivery;
  }
  Message Held(const v1::Delivery& delivery) { return pool_.Hold(delivery); }
  HttpRequest Sent(const v1::Delivery& delivery) {
    channel_.Send(Held(delivery), [](AttemptResult) {});
    return http_.requests.back();
  }
  static absl::Status Check(const HttpRequest& request, std::string_view secret) {
    const auto headers = HeadersOf(request);
    return Verify({*SigningSecret::Parse(secret)},
                  {.id = headers.at("webhook-id"),
                   .timestamp = headers.at("webhook-timestamp"),
                   .body = request.body},
                  headers.at("webhook-signature"), kNoon);
  }

  ManualClock clock_{kNoon};
  IncidentPool pool_;
  FakePoster http_;
  WebhookChannel channel_{http_, clock_, Secrets()};
};

TEST_F(WebhookChannelTest, SendsTheStandardHeaders) {
  const HttpRequest request = Sent(Delivery("hook"));
  auto headers = HeadersOf(request);

  EXPECT_EQ(request.url, "https://hooks.example/1");
  EXPECT_EQ(request.owner, "acme");
  EXPECT_EQ(headers["content-type"], "application/json");
  EXPECT_THAT(headers["user-agent"], ::testing::StartsWith("Tandem/"));
  EXPECT_EQ(headers["webhook-id"], "dlv-acme-7-1");
  EXPECT_EQ(headers["idempotency-key"], "dlv-acme-7-1");
  EXPECT_EQ(headers["webhook-timestamp"], "1767268800");
  EXPECT_TRUE(Check(request, kSecret).ok());
}

TEST_F(WebhookChannelTest, SignsAnewForEachAttemptWithTheSameIdAndBody) {
  const HttpRequest first = Sent(Delivery("hook"));
  clock_.Advance(absl::Seconds(30));
  const HttpRequest second = Sent(Delivery("hook"));

  EXPECT_EQ(first.body, second.body);
  EXPECT_EQ(HeadersOf(first)["webhook-id"], HeadersOf(second)["webhook-id"]);
  EXPECT_NE(HeadersOf(first)["webhook-signature"], HeadersOf(second)["webhook-signature"]);
  EXPECT_TRUE(Check(second, kSecret).ok());
}

TEST_F(WebhookChannelTest, ARotatingSecretSignsTwice) {
  const HttpRequest request = Sent(Delivery("rotating"));

  EXPECT_TRUE(Check(request, kSecret).ok());
  EXPECT_TRUE(Check(request, kOther).ok());
}

TEST_F(WebhookChannelTest, ATenantsOwnSecretComesBeforeASharedOne) {
  EXPECT_TRUE(Check(Sent(Delivery("hook", "other")), kOther).ok());
  EXPECT_TRUE(Check(Sent(Delivery("hook", "acme")), kSecret).ok());
}

TEST_F(WebhookChannelTest, NoTenantSignsWithASecretThatWasNotGivenToIt) {
  EXPECT_TRUE(channel_.WhyNotYet(Held(Delivery("rotating", "other"))));
  EXPECT_TRUE(channel_.WhyNotYet(Held(Delivery("bare", "acme")))) << "nobody said whose it is";
  for (const char* name : {"other/hook", "*/hook", "/hook"}) {
    EXPECT_THAT(*channel_.WhyImpossible(Held(Delivery(name, "acme"))), HasSubstr("a `/`")) << name;
  }
}

TEST_F(WebhookChannelTest, SignsWithWhatItWasGivenLast) {
  EXPECT_THAT(*channel_.WhyNotYet(Held(Delivery("late"))),
              "the notifier has no signing secret `late` for acme: add acme/late to "
              "notifier.secrets and send SIGHUP");
  channel_.SetSecrets({{"acme/late", {*SigningSecret::Parse(kOther)}}});

  EXPECT_EQ(channel_.WhyNotYet(Held(Delivery("late"))), std::nullopt);
  EXPECT_TRUE(Check(Sent(Delivery("late")), kOther).ok());
  EXPECT_TRUE(channel_.WhyNotYet(Held(Delivery("hook"))));
}

TEST_F(WebhookChannelTest, WithoutASecretNameItIsNotSigned) {
  EXPECT_EQ(HeadersOf(Sent(Delivery(""))).count("webhook-signature"), 0u);
}

TEST_F(WebhookChannelTest, SaysWhatMakesADeliveryImpossible) {
  EXPECT_EQ(channel_.WhyImpossible(Held(Delivery("hook"))), std::nullopt);
  EXPECT_EQ(channel_.WhyImpossible(Held(Delivery("unknown"))), std::nullopt);
  EXPECT_TRUE(channel_.WhyNotYet(Held(Delivery("empty"))));

  v1::Delivery delivery = Delivery("hook");
  delivery.set_delivery_id("dlv.1\r\nx: y");
  EXPECT_THAT(*channel_.WhyImpossible(Held(delivery)), HasSubstr("delivery id"));

  delivery = Delivery("hook");
  delivery.mutable_incident()->set_title(std::string(300'000, 'x'));
  EXPECT_THAT(*channel_.WhyImpossible(Held(delivery)), HasSubstr("at most 262144"));
}

TEST(ResultOfHttp, ReadsStatusesAsTheTableSays) {
  const auto of = [](unsigned status) {
    return ResultOf({.end = HttpEnd::kAnswered, .status = status}, kNoon).end;
  };
  for (const unsigned status : {200, 201, 202, 204, 299}) {
    EXPECT_EQ(of(status), AttemptEnd::kDelivered) << status;
  }
  for (const unsigned status : {408, 425, 429, 500, 502, 503, 504, 599}) {
    EXPECT_EQ(of(status), AttemptEnd::kFailed) << status;
  }
  for (const unsigned status : {101, 301, 302, 307, 308, 400, 401, 403, 404, 413, 422, 600}) {
    EXPECT_EQ(of(status), AttemptEnd::kRefused) << status;
  }
  EXPECT_EQ(of(410), AttemptEnd::kGone);
}

TEST(ResultOfHttp, ReadsFailuresAsTheTableSays) {
  const auto of = [](HttpEnd end) { return ResultOf({.end = end}, kNoon).end; };
  for (const HttpEnd end :
       {HttpEnd::kUnresolved, HttpEnd::kUnconnected, HttpEnd::kTimedOut, HttpEnd::kBroken}) {
    EXPECT_EQ(of(end), AttemptEnd::kFailed);
  }
  EXPECT_EQ(of(HttpEnd::kRefused), AttemptEnd::kNever);
  EXPECT_EQ(of(HttpEnd::kTlsFailed), AttemptEnd::kRefused);
  EXPECT_EQ(of(HttpEnd::kCancelled), AttemptEnd::kCancelled);
}

TEST(ResultOfHttp, HandsOnWhatTheEndpointAskedFor) {
  const AttemptResult result = ResultOf(
      {.end = HttpEnd::kAnswered, .status = 503, .retry_after = "20", .detail = "HTTP 503"}, kNoon);

  EXPECT_EQ(result.retry_after, absl::Seconds(20));
  EXPECT_EQ(result.detail, "HTTP 503");
}

}  // namespace
}  // namespace tandem::notifier
