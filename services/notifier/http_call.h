// One POST from the look-up of the host to the end of the answer's headers; the steps of
// http_client.h. Keeps itself alive until it has answered.
//
// One function a step, on the io thread. A single timer bounds the phase; when it fires it closes
// the socket, and the step under way ends with an error.
#pragma once

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/notifier/http_client.h"

namespace tandem::notifier {

class HttpCall : public std::enable_shared_from_this<HttpCall> {
 public:
  // `client` outlives every call.
  HttpCall(HttpClient& client, HttpRequest request, HttpPoster::Done done);

  void Start();
  void Cancel();

 private:
  using Error = boost::system::error_code;
  using Response = boost::beast::http::response_parser<boost::beast::http::buffer_body>;

  void OnResolved(absl::StatusOr<Resolver::Addresses> addresses);
  void OpenConnection();
  void ConnectNext();
  void OnConnected(const Error& error);
  void OnHandshake(const Error& error);

  void Send();
  void OnSent(const Error& error);
  void ReadHeader();
  void OnHeader(const Error& error);
  void ReadBody();
  void OnBody(const Error& error);

  // A failure of the step under way, or of the phase when its time was up.
  void Fail(HttpEnd end, std::string detail);
  // Failed on a connection that had been idle: the peer may have closed it just then. Goes on with
  // a new one, once. True when it does.
  bool RetryOnFreshConnection(const Error& error);
  void Finish(HttpResult result);

  void SetTimer(std::chrono::steady_clock::time_point due);
  void OnTimer();

  HttpClient& client_;
  HttpRequest request_;
  HttpPoster::Done done_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  boost::asio::steady_timer timer_;
  bool time_is_up_ = false;
  bool cancelled_ = false;
  bool finished_ = false;

  Url url_;
  std::string pool_key_;
  std::vector<boost::asio::ip::address> addresses_;  // all checked
  std::size_t next_address_ = 0;
  std::chrono::steady_clock::time_point connect_by_;
  std::string connect_detail_;  // why the last address failed
  std::unique_ptr<Connection> connection_;
  bool reused_ = false;

  boost::beast::http::request<boost::beast::http::string_body> message_;
  std::optional<Response> response_;
  unsigned interim_answers_ = 0;      // 1xx
  std::optional<HttpResult> answer_;  // once the headers are here
  std::array<char, 8192> body_part_;
  std::size_t body_bytes_ = 0;
};

}  // namespace tandem::notifier
