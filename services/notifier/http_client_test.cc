#include "services/notifier/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <future>
#include <optional>
#include <thread>

#include "router/base/status.h"
#include "services/notifier/test_certificate.h"
#include "tests/support/webhook_receiver.h"

namespace tandem::notifier {
namespace {

namespace asio = boost::asio;
using tandem::testing::ReceiverManners;
using tandem::testing::ReceiverOptions;
using tandem::testing::WebhookReceiver;
using ::testing::HasSubstr;

// Answers from a list, one entry for each question, and counts the questions.
class FakeResolver final : public Resolver {
 public:
  explicit FakeResolver(asio::io_context& io) : io_(io) {}
  void Resolve(const std::string& host, Done done) override {
    questions.push_back(host);
    absl::StatusOr<Addresses> answer = Error(absl::StatusCode::kNotFound, "HOST_UNRESOLVED", "no");
    if (!answers.empty()) {
      answer = answers.front();
      answers.erase(answers.begin());
    }
    if (silent) return;
    asio::post(io_, [answer, done = std::move(done)]() mutable { done(answer); });
  }

  std::vector<std::string> questions;
  std::vector<Addresses> answers;
  bool silent = false;

 private:
  asio::io_context& io_;
};

AddressPolicy Inside() { return {.allow_private_addresses = true, .allow_http = true}; }

// The io_context runs in the test's own thread until the calls have ended.
class HttpClientTest : public ::testing::Test {
 protected:
  void Make(HttpOptions options = {.policy = Inside()}) {
    auto client = HttpClient::Create(io_, resolver_, std::move(options));
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }
  HttpResult Post(const std::string& url) {
    std::optional<HttpResult> result;
    client_->Post({.owner = "acme", .url = url, .headers = {{"webhook-id", "dlv-1"}}, .body = "{}"},
                  [&](HttpResult r) { result = std::move(r); });
    EXPECT_FALSE(result) << "never inside Post";
    while (!result) {
      io_.restart();
      io_.run_one_for(std::chrono::seconds(20));
    }
    return *result;
  }
  std::unique_ptr<WebhookReceiver> Receiver(const ReceiverManners& manners = {}) {
    ReceiverOptions options;
    options.manners = manners;
    return *WebhookReceiver::Start(std::move(options));
  }

  asio::io_context io_;
  FakeResolver resolver_{io_};
  std::unique_ptr<HttpClient> client_;
};

TEST_F(HttpClientTest, PostsAndReturnsTheStatus) {
  Make();
  const auto receiver = Receiver();

  const HttpResult result = Post(receiver->Url("/hook?x=1"));

  EXPECT_EQ(result.end, HttpEnd::kAnswered) << result.detail;
  EXPECT_EQ(result.status, 200u);
  ASSERT_EQ(receiver->received().size(), 1u);
  EXPECT_EQ(receiver->received()[0].method, "POST");
  EXPECT_EQ(receiver->received()[0].path, "/hook?x=1");
  EXPECT_EQ(receiver->received()[0].webhook_id, "dlv-1");
  EXPECT_EQ(receiver->received()[0].body, "{}");
}

TEST_F(HttpClientTest, UsesAConnectionAgainButNotForAnotherOwner) {
  Make();
  const auto receiver = Receiver();
  Post(receiver->Url("/1"));
  Post(receiver->Url("/2"));
  EXPECT_EQ(receiver->connections(), 1u);

  std::optional<HttpResult> result;
  client_->Post({.owner = "other", .url = receiver->Url("/3"), .headers = {}, .body = ""},
                [&](HttpResult r) { result = std::move(r); });
  while (!result) io_.run_one();
  EXPECT_EQ(receiver->connections(), 2u);
}

TEST_F(HttpClientTest, AConnectionThatTheEndpointClosedWhileIdleIsReplaced) {
  Make();
  auto receiver = Receiver();
  const std::uint16_t port = receiver->port();
  Post(receiver->Url("/1"));
  receiver.reset();
  ReceiverOptions options;
  options.port = port;
  receiver = *WebhookReceiver::Start(std::move(options));

  EXPECT_EQ(Post(receiver->Url("/2")).end, HttpEnd::kAnswered);
}

TEST_F(HttpClientTest, AConnectionThatClosesAtItsSecondRequestIsReplacedOnce) {
  Make();
  const auto receiver = Receiver();
  Post(receiver->Url("/1"));
  receiver->SetManners({.close_before_reply_first = 1});

  EXPECT_EQ(Post(receiver->Url("/2")).end, HttpEnd::kAnswered);
  EXPECT_EQ(receiver->received().size(), 3u) << "sent twice, with one id";
}

TEST_F(HttpClientTest, AReceiverThatClosesBeforeReplyingIsBroken) {
  Make();
  const auto receiver = Receiver({.close_before_reply_first = 1});

  const HttpResult result = Post(receiver->Url("/"));

  EXPECT_EQ(result.end, HttpEnd::kBroken);
  EXPECT_THAT(result.detail, HasSubstr("closed the connection"));
}

TEST_F(HttpClientTest, NeverFollowsARedirect) {
  Make();
  const auto canary = Receiver();
  ReceiverManners manners{.redirect = true};
  manners.redirect_to = canary->Url("/");
  const auto receiver = Receiver(manners);

  EXPECT_EQ(Post(receiver->Url("/")).status, 302u);
  EXPECT_EQ(canary->connections(), 0u);
}

TEST_F(HttpClientTest, AHangingReceiverCostsTheTotalTimeAndNoMore) {
  Make({.policy = Inside(), .total_timeout = absl::Milliseconds(150)});
  const auto receiver = Receiver({.hang = true});

  const HttpResult result = Post(receiver->Url("/"));

  EXPECT_EQ(result.end, HttpEnd::kTimedOut);
  EXPECT_EQ(result.detail, "no answer in time");
  EXPECT_LT(result.latency, absl::Seconds(5));
  EXPECT_EQ(client_->calls(), 0u);
}

TEST_F(HttpClientTest, ADrippingReceiverCannotProlongTheTotalTime) {
  Make({.policy = Inside(), .total_timeout = absl::Milliseconds(700)});
  const auto receiver = Receiver({.slow = true});

  EXPECT_EQ(Post(receiver->Url("/")).end, HttpEnd::kTimedOut);
}

TEST_F(HttpClientTest, AHugeBodyIsNotReadAndTheStatusCounts) {
  Make();
  const auto receiver = Receiver({.big_reply = true});

  EXPECT_EQ(Post(receiver->Url("/")).status, 200u);
  EXPECT_EQ(Post(receiver->Url("/")).status, 200u);
  EXPECT_EQ(receiver->connections(), 2u) << "a connection with a rest in it is not used again";
}

TEST_F(HttpClientTest, RetryAfterIsHandedOn) {
  Make();
  const auto receiver = Receiver({.status = 429, .retry_after = "17"});

  const HttpResult result = Post(receiver->Url("/"));

  EXPECT_EQ(result.status, 429u);
  EXPECT_EQ(result.retry_after, "17");
  EXPECT_EQ(result.detail, "HTTP 429");
}

TEST_F(HttpClientTest, NobodyListening) {
  Make();
  const auto port = Receiver()->port();  // free again

  const HttpResult result = Post("http://127.0.0.1:" + std::to_string(port) + "/");

  EXPECT_EQ(result.end, HttpEnd::kUnconnected);
  EXPECT_EQ(result.detail, "connection refused");
}

TEST_F(HttpClientTest, RefusesPrivateAddressesBeforeAnyConnection) {
  Make({.policy = {.allow_http = true}});
  const auto canary = Receiver();
  resolver_.answers = {{asio::ip::make_address("8.8.8.8"), asio::ip::make_address("127.0.0.1")}};

  EXPECT_EQ(Post("http://127.0.0.1/").end, HttpEnd::kRefused);
  EXPECT_EQ(Post("http://two-faced.example/").end, HttpEnd::kRefused);
  EXPECT_EQ(Post("ftp://a.example/").end, HttpEnd::kRefused);
  EXPECT_EQ(canary->connections(), 0u);
}

TEST_F(HttpClientTest, ConnectsToTheAddressThatWasCheckedAndAsksOnlyOnce) {
  Make({.policy = {.allow_private_addresses = true, .allow_http = true}});
  const auto receiver = Receiver();
  // A name that points somewhere else at the second look.
  resolver_.answers = {{asio::ip::make_address("127.0.0.1")},
                       {asio::ip::make_address("169.254.169.254")}};
  const std::string url = "http://flips.example:" + std::to_string(receiver->port()) + "/";

  EXPECT_EQ(Post(url).end, HttpEnd::kAnswered);
  EXPECT_EQ(resolver_.questions.size(), 1u);
}

TEST_F(HttpClientTest, TriesTheNextAddressWhenOneIsDead) {
  Make();
  const auto receiver = Receiver();
  resolver_.answers = {{asio::ip::make_address("127.0.0.9"), asio::ip::make_address("127.0.0.1")}};

  EXPECT_EQ(Post("http://two.example:" + std::to_string(receiver->port()) + "/").status, 200u);
}

TEST_F(HttpClientTest, ANameServerThatIsSilentCostsTheConnectTime) {
  Make({.policy = Inside(), .connect_timeout = absl::Milliseconds(100)});
  resolver_.silent = true;

  const HttpResult result = Post("http://silent.example/");

  EXPECT_EQ(result.end, HttpEnd::kTimedOut);
  EXPECT_EQ(result.detail, "no connection in time");
}

TEST_F(HttpClientTest, CancelEndsWhatIsUnderWayAndWhatComesLater) {
  Make();
  const auto receiver = Receiver({.hang = true});
  asio::post(io_, [&] {});
  std::optional<HttpResult> result;
  client_->Post({.owner = "acme", .url = receiver->Url("/"), .headers = {}, .body = ""},
                [&](HttpResult r) { result = std::move(r); });
  while (receiver->received().empty()) io_.run_one_for(std::chrono::milliseconds(10));
  client_->CancelAll();
  while (!result) io_.run_one();

  EXPECT_EQ(result->end, HttpEnd::kCancelled);
  EXPECT_EQ(Post(receiver->Url("/")).end, HttpEnd::kCancelled);
}

TEST_F(HttpClientTest, ACaFileThatCannotBeReadIsSaid) {
  const auto client = HttpClient::Create(io_, resolver_, {.ca_file = "/nonexistent.pem"});

  EXPECT_EQ(ReasonOf(client.status()), "CA_FILE_UNREADABLE");
}

// Takes one TLS connection and writes `answer` to the request on it.
class OneTlsServer {
 public:
  OneTlsServer(const TestCertificate& certificate, std::string answer)
      : answer_(std::move(answer)), context_(asio::ssl::context::tls_server) {
    context_.use_certificate_chain(asio::buffer(certificate.certificate_pem));
    context_.use_private_key(asio::buffer(certificate.key_pem), asio::ssl::context::pem);
    thread_ = std::thread([this] { Serve(); });
  }
  ~OneTlsServer() {
    boost::system::error_code ignored;
    asio::ip::tcp::socket wake(io_);  // in case nobody came
    wake.connect(acceptor_.local_endpoint(), ignored);
    wake.close(ignored);
    thread_.join();
  }
  std::string port() const { return std::to_string(acceptor_.local_endpoint().port()); }

 private:
  void Serve() {
    boost::system::error_code error;
    asio::ssl::stream<asio::ip::tcp::socket> stream(acceptor_.accept(), context_);
    stream.handshake(asio::ssl::stream_base::server, error);
    asio::streambuf request;
    if (!error) asio::read_until(stream, request, "\r\n\r\n", error);
    if (!error) asio::write(stream, asio::buffer(answer_), error);
    if (!error) stream.shutdown(error);
  }

  std::string answer_;
  asio::io_context io_;
  asio::ip::tcp::acceptor acceptor_{io_,
                                    asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  asio::ssl::context context_;
  std::thread thread_;
};

constexpr char kOk[] = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";

TEST_F(HttpClientTest, SpeaksTlsToTheNameOnTheCertificate) {
  const TestCertificate certificate("hooks.example");
  Make({.policy = Inside(), .ca_file = certificate.file()});
  OneTlsServer server(certificate, kOk);
  resolver_.answers = {{asio::ip::make_address("127.0.0.1")}};

  const HttpResult result = Post("https://hooks.example:" + server.port() + "/");

  EXPECT_EQ(result.end, HttpEnd::kAnswered) << result.detail;
  EXPECT_EQ(result.status, 204u);
}

TEST_F(HttpClientTest, RefusesACertificateOfAnotherName) {
  const TestCertificate certificate("other.example");
  Make({.policy = Inside(), .ca_file = certificate.file()});
  OneTlsServer server(certificate, kOk);
  resolver_.answers = {{asio::ip::make_address("127.0.0.1")}};

  const HttpResult result = Post("https://hooks.example:" + server.port() + "/");

  EXPECT_EQ(result.end, HttpEnd::kTlsFailed);
  EXPECT_THAT(result.detail, HasSubstr("hostname mismatch"));
}

TEST_F(HttpClientTest, RefusesACertificateThatNobodyVouchesFor) {
  const TestCertificate certificate("hooks.example");
  Make();
  OneTlsServer server(certificate, kOk);
  resolver_.answers = {{asio::ip::make_address("127.0.0.1")}};

  EXPECT_EQ(Post("https://hooks.example:" + server.port() + "/").end, HttpEnd::kTlsFailed);
}

TEST_F(HttpClientTest, EndlessHeadersEndAtTheLimit) {
  const TestCertificate certificate("hooks.example");
  Make({.policy = Inside(), .ca_file = certificate.file()});
  OneTlsServer server(certificate,
                      "HTTP/1.1 200 OK\r\nx: " + std::string(20'000, 'y') + "\r\n\r\n");
  resolver_.answers = {{asio::ip::make_address("127.0.0.1")}};

  const HttpResult result = Post("https://hooks.example:" + server.port() + "/");

  EXPECT_EQ(result.end, HttpEnd::kBroken);
  EXPECT_THAT(result.detail, HasSubstr("16 KiB"));
}

TEST_F(HttpClientTest, InterimAnswersAreSkippedUpToALimit) {
  const TestCertificate certificate("hooks.example");
  Make({.policy = Inside(), .ca_file = certificate.file()});
  const std::string interim = "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n";
  resolver_.answers = {{asio::ip::make_address("127.0.0.1")},
                       {asio::ip::make_address("127.0.0.1")}};
  {
    OneTlsServer server(certificate, interim + interim + kOk);
    EXPECT_EQ(Post("https://hooks.example:" + server.port() + "/").status, 204u);
  }
  OneTlsServer server(certificate, interim + interim + interim + interim + interim + kOk);
  EXPECT_EQ(Post("https://hooks.example:" + server.port() + "/").end, HttpEnd::kBroken);
}

TEST_F(HttpClientTest, WhatIsNotHttpIsBroken) {
  const TestCertificate certificate("hooks.example");
  Make({.policy = Inside(), .ca_file = certificate.file()});
  OneTlsServer server(certificate, "220 mail.example ESMTP\r\n\r\n");
  resolver_.answers = {{asio::ip::make_address("127.0.0.1")}};

  const HttpResult result = Post("https://hooks.example:" + server.port() + "/");

  EXPECT_EQ(result.end, HttpEnd::kBroken);
  EXPECT_EQ(result.detail.find("ESMTP"), std::string::npos);
}

}  // namespace
}  // namespace tandem::notifier
