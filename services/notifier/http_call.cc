#include "services/notifier/http_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <limits>
#include <utility>

#include "router/base/status.h"
#include "router/base/text.h"

namespace tandem::notifier {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using std::chrono::steady_clock;

constexpr std::uint32_t kHeaderMax = 16 * 1024;  // bytes of an answer's headers; more: kBroken
constexpr std::size_t kBodyMax = 64 * 1024;  // bytes of its body; more: the connection is closed
constexpr std::size_t kAddressesMax = 4;     // of a host, that are tried
constexpr unsigned kInterimMax = 4;          // 1xx answers before the real one
constexpr std::size_t kRetryAfterMax = 64;

steady_clock::duration Steady(absl::Duration duration) {
  return std::chrono::duration_cast<steady_clock::duration>(absl::ToChronoNanoseconds(duration));
}

// Texts of our own: an error's message from a library could carry what the endpoint wrote.
std::string DetailOf(const boost::system::error_code& error) {
  if (error == asio::error::connection_refused) return "connection refused";
  if (error == asio::error::connection_reset) return "connection reset";
  if (error == asio::error::host_unreachable || error == asio::error::network_unreachable) {
    return "no route to the endpoint";
  }
  if (error == http::error::end_of_stream || error == asio::error::eof ||
      error == http::error::partial_message || error == asio::ssl::error::stream_truncated) {
    return "the endpoint closed the connection before it answered";
  }
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return "the answer's headers are longer than 16 KiB";
  }
  if (error.category() == http::make_error_code(http::error::bad_version).category()) {
    return "the answer is not HTTP/1.1";
  }
  return fmt::format("connection failed (error {})", error.value());
}

std::string TlsDetailOf(Connection& connection) {
  const long verdict = SSL_get_verify_result(connection.tls()->native_handle());
  if (verdict == X509_V_OK) return "TLS handshake failed";
  // A fixed text of OpenSSL for each verdict.
  return fmt::format("TLS: {}", X509_verify_cert_error_string(verdict));
}

}  // namespace

HttpCall::HttpCall(HttpClient& client, HttpRequest request, HttpPoster::Done done)
    : client_(client), request_(std::move(request)), done_(std::move(done)), timer_(client.io_) {}

void HttpCall::Start() {
  if (finished_) return;  // cancelled in the meantime
  auto url = CheckUrl(request_.url, client_.options_.policy);
  if (!url.ok()) return Fail(HttpEnd::kRefused, MessageOf(url.status()));
  url_ = *std::move(url);
  pool_key_ = request_.owner + '\n' + url_.Origin();
  connect_by_ = started_ + Steady(client_.options_.connect_timeout);
  SetTimer(connect_by_);
  connection_ = client_.pool_.Take(pool_key_);
  if (connection_ != nullptr) {
    reused_ = true;
    Send();
  } else {
    OpenConnection();
  }
}

void HttpCall::OpenConnection() {
  reused_ = false;
  if (url_.host_is_address) {
    OnResolved(Resolver::Addresses{asio::ip::make_address(url_.host)});
    return;
  }
  client_.resolver_.Resolve(url_.host, [self = shared_from_this()](auto addresses) {
    self->OnResolved(std::move(addresses));
  });
}

void HttpCall::OnResolved(absl::StatusOr<Resolver::Addresses> addresses) {
  if (finished_) return;
  if (!addresses.ok()) return Fail(HttpEnd::kUnresolved, MessageOf(addresses.status()));
  const absl::Status checked = CheckAddresses(*addresses, client_.options_.policy);
  if (!checked.ok()) return Fail(HttpEnd::kRefused, MessageOf(checked));
  addresses_ = *std::move(addresses);
  addresses_.resize(std::min(addresses_.size(), kAddressesMax));
  next_address_ = 0;
  ConnectNext();
}

void HttpCall::ConnectNext() {
  if (next_address_ == addresses_.size()) return Fail(HttpEnd::kUnconnected, connect_detail_);
  // What is left of the time for connecting is shared by the addresses that are left, so that a
  // dead first one does not use it up.
  const auto now = steady_clock::now();
  const auto share = (connect_by_ - now) / static_cast<int>(addresses_.size() - next_address_);
  SetTimer(now + std::max(share, steady_clock::duration::zero()));
  connection_ = std::make_unique<Connection>(client_.io_, client_.tls_, url_);
  connection_->socket().async_connect(
      {addresses_[next_address_++], url_.port},
      beast::bind_front_handler(&HttpCall::OnConnected, shared_from_this()));
}

void HttpCall::OnConnected(const Error& error) {
  if (finished_) return;
  if (error || time_is_up_) {
    connect_detail_ = time_is_up_ ? "no connection in time" : DetailOf(error);
    if (cancelled_) return Fail(HttpEnd::kCancelled, "");
    if (next_address_ == addresses_.size()) return Fail(HttpEnd::kUnconnected, connect_detail_);
    time_is_up_ = false;
    return ConnectNext();
  }
  Error ignored;  // only latency would suffer
  connection_->socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  if (connection_->tls() == nullptr) return Send();
  SetTimer(connect_by_);
  connection_->tls()->async_handshake(
      asio::ssl::stream_base::client,
      beast::bind_front_handler(&HttpCall::OnHandshake, shared_from_this()));
}

void HttpCall::OnHandshake(const Error& error) {
  if (finished_) return;
  if (error) return Fail(HttpEnd::kTlsFailed, TlsDetailOf(*connection_));
  Send();
}

void HttpCall::Send() {
  SetTimer(started_ + Steady(client_.options_.total_timeout));
  message_ = {http::verb::post, url_.target, 11};
  message_.set(http::field::host, url_.Authority());
  for (const auto& [name, value] : request_.headers) message_.set(name, value);
  message_.set(http::field::accept_encoding, "identity");
  message_.body() = request_.body;
  message_.prepare_payload();
  connection_->WithStream([&](auto& stream) {
    http::async_write(
        stream, message_,
        [self = shared_from_this()](const Error& error, std::size_t) { self->OnSent(error); });
  });
}

void HttpCall::OnSent(const Error& error) {
  if (finished_) return;
  if (error) {
    if (RetryOnFreshConnection(error)) return;
    return Fail(HttpEnd::kBroken, DetailOf(error));
  }
  ReadHeader();
}

void HttpCall::ReadHeader() {
  response_.emplace();
  response_->header_limit(kHeaderMax);
  // Counted in OnBody. Not boost::none: Beast 1.74 takes that for a limit of nothing.
  response_->body_limit(std::numeric_limits<std::uint64_t>::max());
  connection_->WithStream([&](auto& stream) {
    http::async_read_header(
        stream, connection_->buffer(), *response_,
        [self = shared_from_this()](const Error& error, std::size_t) { self->OnHeader(error); });
  });
}

void HttpCall::OnHeader(const Error& error) {
  if (finished_) return;
  if (error) {
    if (RetryOnFreshConnection(error)) return;
    return Fail(HttpEnd::kBroken, DetailOf(error));
  }
  const auto& header = response_->get();
  const unsigned status = header.result_int();
  if (status / 100 == 1 && status != 101) {
    if (++interim_answers_ > kInterimMax) {
      return Fail(HttpEnd::kBroken, "interim answers without end");
    }
    return ReadHeader();
  }
  const auto retry_after = header[http::field::retry_after];
  answer_ = HttpResult{.end = HttpEnd::kAnswered,
                       .status = status,
                       .retry_after = std::string(retry_after.substr(0, kRetryAfterMax)),
                       .detail = fmt::format("HTTP {}", status),
                       .latency = absl::FromChrono(steady_clock::now() - started_)};
  if (!response_->keep_alive() || status == 101 ||
      response_->content_length().value_or(0) > kBodyMax) {
    return Finish(*std::move(answer_));
  }
  SetTimer(std::min(started_ + Steady(client_.options_.total_timeout),
                    steady_clock::now() + Steady(client_.options_.body_timeout)));
  ReadBody();
}

void HttpCall::ReadBody() {
  if (response_->is_done()) {
    client_.pool_.Put(pool_key_, std::move(connection_));
    return Finish(*std::move(answer_));
  }
  response_->get().body().data = body_part_.data();
  response_->get().body().size = body_part_.size();
  connection_->WithStream([&](auto& stream) {
    http::async_read(
        stream, connection_->buffer(), *response_,
        [self = shared_from_this()](const Error& error, std::size_t) { self->OnBody(error); });
  });
}

void HttpCall::OnBody(const Error& error) {
  if (finished_) return;
  // The status is known; the body only decides whether the connection is used again.
  if (error && error != http::error::need_buffer) return Finish(*std::move(answer_));
  body_bytes_ += body_part_.size() - response_->get().body().size;
  if (body_bytes_ > kBodyMax) return Finish(*std::move(answer_));
  ReadBody();
}

bool HttpCall::RetryOnFreshConnection(const Error& error) {
  if (!reused_ || time_is_up_ || cancelled_) return false;
  if (response_ && response_->got_some()) return false;
  const bool closed = error == http::error::end_of_stream || error == asio::error::eof ||
                      error == asio::error::connection_reset || error == asio::error::broken_pipe ||
                      error == asio::ssl::error::stream_truncated;
  if (!closed) return false;
  connection_.reset();
  connect_by_ = std::min(started_ + Steady(client_.options_.total_timeout),
                         steady_clock::now() + Steady(client_.options_.connect_timeout));
  SetTimer(connect_by_);
  OpenConnection();
  return true;
}

void HttpCall::Fail(HttpEnd end, std::string detail) {
  if (cancelled_) {
    end = HttpEnd::kCancelled;
    detail = "cancelled";
  } else if (time_is_up_) {
    end = HttpEnd::kTimedOut;
    detail = connection_ != nullptr && end != HttpEnd::kUnconnected && end != HttpEnd::kTlsFailed
                 ? "no answer in time"
                 : "no connection in time";
  }
  Finish({.end = end,
          .detail = std::move(detail),
          .latency = absl::FromChrono(steady_clock::now() - started_)});
}

void HttpCall::Finish(HttpResult result) {
  if (finished_) return;
  finished_ = true;
  timer_.cancel();
  if (connection_ != nullptr) connection_->Close();
  client_.calls_.erase(this);  // shared_from_this is held by whoever called
  std::move(done_)(std::move(result));
}

void HttpCall::Cancel() {
  cancelled_ = true;
  OnTimer();
}

void HttpCall::SetTimer(steady_clock::time_point due) {
  timer_.expires_at(due);
  timer_.async_wait([self = shared_from_this()](const Error& error) {
    if (!error && self->timer_.expiry() <= steady_clock::now()) self->OnTimer();
  });
}

void HttpCall::OnTimer() {
  if (finished_) return;
  time_is_up_ = true;
  if (connection_ != nullptr && connection_->socket().is_open()) {
    connection_->Close();  // the step under way ends with an error and says how
  } else {
    Fail(HttpEnd::kUnresolved, "");
  }
}

}  // namespace tandem::notifier
