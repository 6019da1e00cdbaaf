#include "tests/support/webhook_receiver.h"

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <pthread.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>
#include <thread>
#include <utility>

#include "router/base/status.h"
#include "router/base/text.h"

namespace tandem::testing {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

constexpr std::size_t kBodyMax = 1 << 20;    // bytes of a request; more: the connection is closed
constexpr std::size_t kKeptMax = 100'000;    // requests kept in memory
constexpr std::size_t kBigReply = 10 << 20;  // bytes
constexpr auto kDrip = std::chrono::milliseconds(200);

using Request = http::request<http::string_body>;

ReceivedWebhook Describe(const Request& request,
                         const std::vector<notifier::SigningSecret>& secrets) {
  const auto header = [&](const char* name) { return std::string(request[name]); };
  ReceivedWebhook webhook{.time = absl::Now(),
                          .method = std::string(request.method_string()),
                          .path = std::string(request.target()),
                          .webhook_id = header("webhook-id"),
                          .idempotency_key = header("idempotency-key"),
                          .user_agent = header("user-agent"),
                          .content_type = header("content-type"),
                          .signature_valid = false,
                          .signature_problem = "",
                          .body = request.body()};
  const std::string timestamp = header("webhook-timestamp");
  const absl::Status verdict = notifier::Verify(
      secrets, {.id = webhook.webhook_id, .timestamp = timestamp, .body = webhook.body},
      header("webhook-signature"), webhook.time);
  webhook.signature_valid = verdict.ok();
  if (!verdict.ok()) webhook.signature_problem = ReasonOf(verdict);
  return webhook;
}

std::string JsonLine(const ReceivedWebhook& webhook) {
  using Json = nlohmann::ordered_json;
  const Json line = {{"time", TimeText(absl::FromUnixMicros(absl::ToUnixMicros(webhook.time)))},
                     {"method", webhook.method},
                     {"path", webhook.path},
                     {"webhook_id", webhook.webhook_id},
                     {"signature_valid", webhook.signature_valid},
                     {"signature_problem", webhook.signature_problem},
                     {"body", webhook.body}};
  return line.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

class WebhookReceiver::Impl {
 public:
  class Session;

  explicit Impl(ReceiverOptions options)
      : options_(std::move(options)), manners_(options_.manners), acceptor_(io_) {}
  ~Impl() {
    asio::post(io_, [this] { Close(); });
    if (thread_.joinable()) thread_.join();
  }

  absl::Status Listen();
  std::uint16_t port() const { return port_; }
  void SetManners(const ReceiverManners& manners) {
    std::lock_guard lock(mutex_);
    manners_ = manners;
    handled_ = 0;
  }
  std::vector<ReceivedWebhook> received() const {
    std::lock_guard lock(mutex_);
    return received_;
  }
  std::size_t connections() const {
    std::lock_guard lock(mutex_);
    return connections_;
  }
  bool WaitUntil(const std::function<bool(const std::vector<ReceivedWebhook>&)>& holds,
                 absl::Duration timeout) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, absl::ToChronoNanoseconds(timeout),
                             [&] { return holds(received_); });
  }

  // What to do with a request: nullopt to close the connection, "" to say nothing, else the answer.
  std::optional<std::string> Handle(const Request& request);
  bool slow() const {
    std::lock_guard lock(mutex_);
    return manners_.slow;
  }

 private:
  friend class Session;
  void Accept();
  void Close();
  void Record(const ReceivedWebhook& webhook);
  static std::string Answer(const ReceiverManners& manners, unsigned status);

  const ReceiverOptions options_;
  mutable std::mutex mutex_;  // manners_, handled_, received_, connections_
  mutable std::condition_variable changed_;
  ReceiverManners manners_;
  std::size_t handled_ = 0;  // since the manners were set
  std::vector<ReceivedWebhook> received_;
  std::size_t connections_ = 0;

  asio::io_context io_{1};
  asio::ip::tcp::acceptor acceptor_;
  std::uint16_t port_ = 0;
  std::ofstream file_;
  std::set<std::shared_ptr<Session>> sessions_;  // only closed all together
  std::thread thread_;
};

// One connection: read a request, answer, read the next.
class WebhookReceiver::Impl::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Impl& receiver, asio::ip::tcp::socket socket)
      : receiver_(receiver), socket_(std::move(socket)), drip_(receiver.io_) {}

  void Read() {
    parser_.emplace();
    parser_->body_limit(kBodyMax);
    http::async_read(socket_, buffer_, *parser_,
                     [self = shared_from_this()](const error_code& error, std::size_t) {
                       error ? self->End() : self->OnRequest();
                     });
  }

  void Close() {
    error_code ignored;
    socket_.close(ignored);
    drip_.cancel();
  }

 private:
  void OnRequest() {
    auto answer = receiver_.Handle(parser_->get());
    if (!answer) return End();
    if (answer->empty()) return WaitForPeer();
    answer_ = *std::move(answer);
    written_ = 0;
    receiver_.slow() ? Drip() : Write(answer_.size());
  }

  // Keeps the connection without a word until the peer has had enough.
  void WaitForPeer() {
    socket_.async_wait(asio::ip::tcp::socket::wait_read,
                       [self = shared_from_this()](const error_code&) { self->End(); });
  }

  void Write(std::size_t count) {
    asio::async_write(socket_, asio::buffer(answer_.data() + written_, count),
                      [self = shared_from_this()](const error_code& error, std::size_t size) {
                        if (error) return self->End();
                        self->written_ += size;
                        self->written_ < self->answer_.size() ? self->Drip() : self->Read();
                      });
  }

  void Drip() {
    drip_.expires_after(kDrip);
    drip_.async_wait([self = shared_from_this()](const error_code& error) {
      error ? self->End() : self->Write(1);
    });
  }

  void End() {
    Close();
    receiver_.sessions_.erase(shared_from_this());
  }

  Impl& receiver_;
  asio::ip::tcp::socket socket_;
  asio::steady_timer drip_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::string answer_;
  std::size_t written_ = 0;
};

absl::Status WebhookReceiver::Impl::Listen() {
  error_code error;
  const auto address = asio::ip::make_address(options_.bind, error);
  const asio::ip::tcp::endpoint endpoint(address, options_.port);
  if (!error) acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (!error) port_ = acceptor_.local_endpoint(error).port();
  if (error) {
    return Error(
        absl::StatusCode::kUnavailable, "CANNOT_LISTEN",
        fmt::format("cannot listen on {}:{}: {}", options_.bind, options_.port, error.message()));
  }
  if (!options_.record_file.empty()) {
    file_.open(options_.record_file, std::ios::app);
    if (!file_) {
      return Error(absl::StatusCode::kUnavailable, "CANNOT_RECORD",
                   "cannot write to " + options_.record_file);
    }
  }
  Accept();
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "receiver");
    io_.run();
  });
  return absl::OkStatus();
}

void WebhookReceiver::Impl::Accept() {
  acceptor_.async_accept([this](const error_code& error, asio::ip::tcp::socket socket) {
    if (!acceptor_.is_open()) return;
    if (!error) {
      {
        std::lock_guard lock(mutex_);
        ++connections_;
      }
      const auto session = std::make_shared<Session>(*this, std::move(socket));
      sessions_.insert(session);
      session->Read();
    }
    Accept();
  });
}

void WebhookReceiver::Impl::Close() {
  error_code ignored;
  acceptor_.close(ignored);
  for (const auto& session : sessions_) session->Close();
}

std::optional<std::string> WebhookReceiver::Impl::Handle(const Request& request) {
  const ReceivedWebhook webhook = Describe(request, options_.secrets);
  ReceiverManners manners;
  std::size_t number = 0;
  {
    std::lock_guard lock(mutex_);
    manners = manners_;
    number = handled_++;
  }
  Record(webhook);
  if (number < manners.close_before_reply_first) return std::nullopt;
  if (number < manners.close_before_reply_first + manners.fail_first) return Answer(manners, 503);
  if (manners.hang) return "";
  return Answer(manners, manners.redirect ? 302 : manners.status);
}

void WebhookReceiver::Impl::Record(const ReceivedWebhook& webhook) {
  if (file_.is_open()) file_ << JsonLine(webhook) << std::endl;  // flushed: others read along
  if (options_.on_request) options_.on_request(webhook);
  {
    std::lock_guard lock(mutex_);
    if (received_.size() < kKeptMax) received_.push_back(webhook);
  }
  changed_.notify_all();
}

std::string WebhookReceiver::Impl::Answer(const ReceiverManners& manners, unsigned status) {
  const std::string body = manners.big_reply ? std::string(kBigReply, 'x') : "ok\n";
  std::string head =
      fmt::format("HTTP/1.1 {} {}\r\ncontent-length: {}\r\n", status,
                  std::string(http::obsolete_reason(http::int_to_status(status))), body.size());
  if (manners.redirect) head += "location: " + manners.redirect_to + "\r\n";
  if (!manners.retry_after.empty() && status / 100 != 2) {
    head += "retry-after: " + manners.retry_after + "\r\n";
  }
  return head + "\r\n" + body;
}

WebhookReceiver::WebhookReceiver(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WebhookReceiver::~WebhookReceiver() = default;

absl::StatusOr<std::unique_ptr<WebhookReceiver>> WebhookReceiver::Start(ReceiverOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  TANDEM_RETURN_IF_ERROR(impl->Listen());
  return std::unique_ptr<WebhookReceiver>(new WebhookReceiver(std::move(impl)));
}

std::uint16_t WebhookReceiver::port() const { return impl_->port(); }
std::string WebhookReceiver::Url(const std::string& path) const {
  return fmt::format("http://127.0.0.1:{}{}", port(), path);
}
void WebhookReceiver::SetManners(const ReceiverManners& manners) { impl_->SetManners(manners); }
std::vector<ReceivedWebhook> WebhookReceiver::received() const { return impl_->received(); }
std::size_t WebhookReceiver::connections() const { return impl_->connections(); }
bool WebhookReceiver::WaitUntil(
    const std::function<bool(const std::vector<ReceivedWebhook>&)>& holds,
    absl::Duration timeout) const {
  return impl_->WaitUntil(holds, timeout);
}

}  // namespace tandem::testing
