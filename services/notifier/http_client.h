// POSTs to endpoints that may be slow, broken or hostile.
//
// One call: resolve once, check every address, connect to a checked one, TLS with SNI and a
// verified name, write, read the status and headers. The answer's body is read up to 64 KiB so that
// the connection can be used again, and thrown away unread. No redirects, no proxies from the
// environment, no compression. A dead endpoint costs one call its deadline and nobody else
// anything.
//
// Threads: everything, callbacks included, runs on the thread that runs the io_context.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "services/notifier/address_guard.h"
#include "services/notifier/connection_pool.h"
#include "services/notifier/resolver.h"

namespace tandem::notifier {

struct HttpRequest {
  // Connections are shared among requests of one owner only (the tenant), so that nobody learns
  // from the timing of a neighbour.
  std::string owner;
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;  // besides host and content-length
  std::string body;
};

// How a call ended.
enum class HttpEnd {
  kAnswered,  // `status` and `retry_after` are set
  kRefused,   // by the guard, before a connection: final
  kUnresolved,
  kUnconnected,
  kTlsFailed,
  kTimedOut,
  kBroken,  // closed or malformed in the middle: the receiver may have the message
  kCancelled,
};

struct HttpResult {
  HttpEnd end = HttpEnd::kCancelled;
  unsigned status = 0;
  std::string retry_after = {};  // as it came, at most 64 bytes
  std::string detail = {};       // for people: `connection refused`; nothing the endpoint wrote
  absl::Duration latency = {};   // until the answer's headers, or the failure
};

// What can post. `done` is called exactly once, on the io thread, never inside Post.
class HttpPoster {
 public:
  using Done = absl::AnyInvocable<void(HttpResult)>;
  virtual ~HttpPoster() = default;
  virtual void Post(HttpRequest request, Done done) = 0;
};

struct HttpOptions {
  AddressPolicy policy = {};
  // PEM file with the certificates to trust instead of the system's. Empty: the system's.
  std::string ca_file = {};
  absl::Duration connect_timeout = absl::Seconds(3);  // name, TCP and TLS together
  absl::Duration total_timeout = absl::Seconds(12);
  absl::Duration body_timeout = absl::Seconds(1);  // for the body that nobody will see
  PoolLimits pool = {};
};

class HttpCall;

class HttpClient final : public HttpPoster {
 public:
  // INVALID_ARGUMENT (CA_FILE_UNREADABLE) when the certificates cannot be read. `io` and `resolver`
  // outlive the client.
  static absl::StatusOr<std::unique_ptr<HttpClient>> Create(boost::asio::io_context& io,
                                                            Resolver& resolver,
                                                            HttpOptions options);
  ~HttpClient() override;

  void Post(HttpRequest request, Done done) override;

  // Ends every call with kCancelled and closes every connection. Later calls end so at once.
  void CancelAll();

  std::size_t calls() const { return calls_.size(); }

 private:
  friend class HttpCall;
  HttpClient(boost::asio::io_context& io, Resolver& resolver, HttpOptions options);

  boost::asio::io_context& io_;
  Resolver& resolver_;
  const HttpOptions options_;
  boost::asio::ssl::context tls_;
  ConnectionPool pool_;
  bool cancelled_ = false;
  // Only counted, looked up and cancelled all together; the order shows nowhere.
  std::unordered_map<HttpCall*, std::shared_ptr<HttpCall>> calls_;
};

}  // namespace tandem::notifier
