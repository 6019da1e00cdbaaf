#include "services/runtime/admin_http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <vector>

#include "router/base/status.h"

namespace tandem::runtime {
namespace {

using boost::asio::ip::tcp;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct AdminHttpTest : testing::Test {
  AdminHttpTest() {
    readiness.Ready("process");
    server = *AdminHttp::Start({"127.0.0.1", 0},
                               {.metrics = [] { return "tandem_x 1\n"; }, .readiness = &readiness});
  }

  tcp::socket Connect() {
    tcp::socket socket(io);
    socket.connect({boost::asio::ip::make_address("127.0.0.1"), server->bound_port()});
    return socket;
  }

  // All that comes until the server closes.
  static std::string ReadAll(tcp::socket& socket) {
    std::string answer;
    boost::system::error_code end;
    boost::asio::read(socket, boost::asio::dynamic_buffer(answer), end);
    return answer;
  }

  std::string Send(const std::string& request) {
    tcp::socket socket = Connect();
    boost::system::error_code ignored;
    boost::asio::write(socket, boost::asio::buffer(request), ignored);
    return ReadAll(socket);
  }

  std::string Get(const std::string& path, const std::string& method = "GET") {
    return Send(method + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  }

  boost::asio::io_context io;
  Readiness readiness;
  std::unique_ptr<AdminHttp> server;
};

TEST_F(AdminHttpTest, ServesMetricsHealthAndAnIndex) {
  EXPECT_THAT(Get("/metrics"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(Get("/metrics?x=1"), EndsWith("\r\n\r\ntandem_x 1\n"));
  EXPECT_THAT(Get("/metrics"), HasSubstr("text/plain; version=0.0.4"));
  EXPECT_THAT(Get("/-/healthy"), EndsWith("\r\n\r\nhealthy\n"));
  EXPECT_THAT(Get("/"), HasSubstr("/-/ready"));
}

TEST_F(AdminHttpTest, IsReadyOnlyWhenThePartsAre) {
  EXPECT_THAT(Get("/-/ready"), EndsWith("\r\n\r\nready\n"));
  readiness.NotReady("journal", "the disk is full");
  EXPECT_THAT(Get("/-/ready"), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(Get("/-/ready"), EndsWith("\r\n\r\njournal: the disk is full\n"));
  EXPECT_THAT(Get("/-/healthy"), StartsWith("HTTP/1.1 200 "));
  readiness.Draining();

  EXPECT_THAT(Get("/-/ready"), EndsWith("\r\n\r\nprocess: stops\n"));
}

TEST_F(AdminHttpTest, AnswersHeadWithoutABody) {
  const std::string answer = Get("/-/healthy", "HEAD");

  EXPECT_THAT(answer, HasSubstr("Content-Length: 8\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(AdminHttpTest, RefusesOtherPathsAndMethods) {
  EXPECT_THAT(Get("/secret"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Get("/metrics", "POST"), StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(Get("/metrics", "POST"), HasSubstr("Allow: GET, HEAD\r\n"));
}

TEST_F(AdminHttpTest, RefusesWhatIsTooLargeOrNotHttp) {
  EXPECT_THAT(Send("GET / HTTP/1.1\r\nX: " + std::string(9000, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(Send("POST / HTTP/1.1\r\nContent-Length: 2000\r\n\r\n"), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(Send("\x16\x03\x01 hello\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
}

TEST_F(AdminHttpTest, KeepsAConnectionForTheNextRequest) {
  EXPECT_THAT(Send("GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n"
                   "GET /-/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              testing::AllOf(HasSubstr("healthy\nHTTP/1.1 200"), EndsWith("ready\n")));
}

TEST_F(AdminHttpTest, TurnsAwayOneConnectionTooMany) {
  std::vector<tcp::socket> open;
  open.reserve(64);
  for (int i = 0; i < 64; ++i) open.push_back(Connect());
  // The server takes connections in their order: the last of these is the one too many.
  tcp::socket last = Connect();

  EXPECT_THAT(ReadAll(last), StartsWith("HTTP/1.1 503 "));
}

TEST_F(AdminHttpTest, SaysThatItsAddressIsTaken) {
  const auto second = AdminHttp::Start({"127.0.0.1", server->bound_port()},
                                       {.metrics = [] { return ""; }, .readiness = &readiness});

  EXPECT_EQ(ReasonOf(second.status()), "LISTEN_FAILED");
  EXPECT_THAT(MessageOf(second.status()), HasSubstr("127.0.0.1:"));
}

TEST_F(AdminHttpTest, StopsWithConnectionsOpen) {
  tcp::socket idle = Connect();
  server->Stop();
  server->Stop();

  EXPECT_EQ(ReadAll(idle), "");
}

}  // namespace
}  // namespace tandem::runtime
