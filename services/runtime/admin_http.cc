#include "services/runtime/admin_http.h"

#include <fmt/format.h>
#include <pthread.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <set>
#include <thread>

#include "router/base/status.h"
#include "services/runtime/logging.h"
#include "services/runtime/version.h"

namespace tandem::runtime {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using Response = http::response<http::string_body>;

constexpr std::size_t kConnectionsMax = 64;
constexpr std::uint32_t kHeaderMax = 8 << 10;  // bytes
constexpr std::uint64_t kBodyMax = 1 << 10;    // bytes; nothing here takes one
constexpr std::chrono::seconds kIoTimeout{10};
constexpr std::chrono::seconds kIdleTimeout{60};

constexpr char kIndex[] =
    "Tandem, admin port\n\n"
    "/metrics    numbers for Prometheus\n"
    "/-/healthy  200 while the process lives\n"
    "/-/ready    200 while it may be given work, otherwise 503 and why\n";

Response Text(http::status status, std::string body) {
  Response response(status, 11);
  response.set(http::field::content_type, "text/plain; charset=utf-8");
  response.body() = std::move(body);
  return response;
}

Response Answer(const AdminHttp::Parts& parts, http::verb method, beast::string_view target) {
  if (method != http::verb::get && method != http::verb::head) {
    Response response = Text(http::status::method_not_allowed, "GET and HEAD only\n");
    response.set(http::field::allow, "GET, HEAD");
    return response;
  }
  const beast::string_view path = target.substr(0, target.find('?'));
  if (path == "/metrics") {
    Response response = Text(http::status::ok, parts.metrics());
    response.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
    return response;
  }
  if (path == "/-/healthy") return Text(http::status::ok, "healthy\n");
  if (path == "/-/ready") {
    const std::string why_not = parts.readiness->WhyNot();
    return why_not.empty() ? Text(http::status::ok, "ready\n")
                           : Text(http::status::service_unavailable, why_not + "\n");
  }
  if (path == "/") return Text(http::status::ok, kIndex);
  return Text(http::status::not_found, "there is /metrics, /-/healthy, /-/ready and /\n");
}

// One connection. Lives by shared_ptr from operation to operation; all on the admin thread.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, const AdminHttp::Parts& parts)
      : stream_(std::move(socket)), parts_(parts) {}

  void Read() {
    parser_.emplace();
    parser_->header_limit(kHeaderMax);
    parser_->body_limit(kBodyMax);
    stream_.expires_after(served_any_ ? kIdleTimeout : kIoTimeout);
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](beast::error_code error, std::size_t) { self->OnRead(error); });
  }

  // For one connection too many: answers without reading.
  void TurnAway() {
    keep_alive_ = false;
    Write(Text(http::status::service_unavailable, "too many connections; try again later\n"),
          http::verb::get);
  }

  void Close() {
    beast::error_code ignored;
    stream_.socket().close(ignored);
  }

 private:
  void OnRead(beast::error_code error) {
    if (error == http::error::header_limit || error == http::error::body_limit) {
      keep_alive_ = false;
      Write(Text(error == http::error::body_limit ? http::status::payload_too_large
                                                  : http::status::request_header_fields_too_large,
                 "the request is too large\n"),
            http::verb::get);
    } else if (error.category() == http::make_error_code(http::error::bad_method).category() &&
               error != http::error::end_of_stream && error != http::error::partial_message) {
      keep_alive_ = false;
      Write(Text(http::status::bad_request, "the request is not HTTP/1.1\n"), http::verb::get);
    } else if (!error) {
      const auto& request = parser_->get();
      keep_alive_ = request.keep_alive();
      Write(Answer(parts_, request.method(), request.target()), request.method());
    }
    // Else the peer has gone or timed out: the last reference goes, and the socket with it.
  }

  void Write(Response response, http::verb method) {
    response_ = std::move(response);
    response_.set(http::field::server, "tandem");
    response_.set(http::field::cache_control, "no-store");
    response_.set("X-Content-Type-Options", "nosniff");
    response_.keep_alive(keep_alive_);
    response_.prepare_payload();
    if (method == http::verb::head) response_.body().clear();  // Content-Length stays.
    stream_.expires_after(kIoTimeout);
    http::async_write(stream_, response_,
                      [self = shared_from_this()](beast::error_code error, std::size_t) {
                        self->served_any_ = true;
                        if (!error && self->keep_alive_) return self->Read();
                        self->stream_.socket().shutdown(tcp::socket::shutdown_send, error);
                      });
  }

  beast::tcp_stream stream_;
  const AdminHttp::Parts& parts_;
  beast::flat_buffer buffer_{kHeaderMax + kBodyMax};
  std::optional<http::request_parser<http::string_body>> parser_;
  Response response_;
  bool keep_alive_ = true;
  bool served_any_ = false;
};

}  // namespace

class AdminHttp::Impl {
 public:
  explicit Impl(Parts parts) : parts_(std::move(parts)) {}

  absl::Status Listen(const Endpoint& listen) {
    beast::error_code error;
    tcp::resolver resolver(io_);
    const auto found =
        resolver.resolve(listen.host, std::to_string(listen.port),
                         tcp::resolver::passive | tcp::resolver::numeric_service, error);
    if (error || found.empty()) return Failed(listen, error);
    const tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(static_cast<int>(kConnectionsMax), error);
    if (error) return Failed(listen, error);
    bound_port_ = acceptor_.local_endpoint(error).port();
    return absl::OkStatus();
  }

  void Run() {
    Accept();
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "tandem-admin");
      io_.run();
    });
  }

  void Stop() {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] {
      stopping_ = true;
      beast::error_code ignored;
      acceptor_.close(ignored);
      pause_.cancel();
      for (const auto& weak : connections_) {
        if (const auto connection = weak.lock()) connection->Close();
      }
    });
    thread_.join();
  }

  std::uint16_t bound_port() const { return bound_port_; }

 private:
  static absl::Status Failed(const Endpoint& listen, const beast::error_code& error) {
    return Error(absl::StatusCode::kUnavailable, "LISTEN_FAILED",
                 fmt::format("cannot listen on {} (admin.listen): {}; is another process there?",
                             ToText(listen), error.message()));
  }

  void Accept() {
    acceptor_.async_accept([this](beast::error_code error, tcp::socket socket) {
      if (stopping_) return;
      if (error) {
        // As a rule no file descriptor is left; give the others time to end.
        Log(LogLevel::kWarn, "the admin port cannot accept", {{"error", error.message()}});
        pause_.expires_after(std::chrono::milliseconds(100));
        pause_.async_wait([this](beast::error_code cancelled) {
          if (!cancelled && !stopping_) Accept();
        });
        return;
      }
      Serve(std::move(socket));
      Accept();
    });
  }

  void Serve(tcp::socket socket) {
    for (auto it = connections_.begin(); it != connections_.end();) {
      it = it->expired() ? connections_.erase(it) : std::next(it);
    }
    const auto connection = std::make_shared<Connection>(std::move(socket), parts_);
    if (connections_.size() >= kConnectionsMax) return connection->TurnAway();
    connections_.insert(connection);
    connection->Read();
  }

  const Parts parts_;
  asio::io_context io_{1};
  tcp::acceptor acceptor_{io_};
  asio::steady_timer pause_{io_};
  std::set<std::weak_ptr<Connection>, std::owner_less<>> connections_;
  bool stopping_ = false;  // of the admin thread
  std::uint16_t bound_port_ = 0;
  std::thread thread_;
};

AdminHttp::AdminHttp(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AdminHttp::~AdminHttp() { Stop(); }

absl::StatusOr<std::unique_ptr<AdminHttp>> AdminHttp::Start(const Endpoint& listen, Parts parts) {
  auto impl = std::make_unique<Impl>(std::move(parts));
  TANDEM_RETURN_IF_ERROR(impl->Listen(listen));
  impl->Run();
  return std::unique_ptr<AdminHttp>(new AdminHttp(std::move(impl)));
}

std::uint16_t AdminHttp::bound_port() const { return impl_->bound_port(); }
void AdminHttp::Stop() { impl_->Stop(); }

}  // namespace tandem::runtime
