// One connection to an endpoint, plain or TLS, that may serve several calls one after another.
//
// Used from the io thread only. Owned by the call that uses it, else by the pool.
#pragma once

#include <absl/time/time.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <optional>

#include "services/notifier/url.h"

namespace tandem::notifier {

class Connection {
 public:
  using Tls = boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>;
  using SteadyTime = std::chrono::steady_clock::time_point;

  // `tls` is used for https only and outlives the connection.
  Connection(boost::asio::io_context& io, boost::asio::ssl::context& tls, const Url& url);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  boost::asio::ip::tcp::socket& socket() { return socket_; }
  // nullptr for plain http.
  Tls* tls() { return tls_ ? &*tls_ : nullptr; }
  boost::beast::flat_buffer& buffer() { return buffer_; }

  // Calls `use` with the stream that carries HTTP.
  template <typename Use>
  void WithStream(Use use) {
    if (tls_) {
      use(*tls_);
    } else {
      use(socket_);
    }
  }

  // False when the peer has closed it or has written what nobody asked for.
  bool IdleAndAlive();

  // Breaks off whatever is under way.
  void Close();

  const SteadyTime opened = std::chrono::steady_clock::now();

 private:
  boost::asio::ip::tcp::socket socket_;
  std::optional<Tls> tls_;  // over socket_
  boost::beast::flat_buffer buffer_;
};

}  // namespace tandem::notifier
