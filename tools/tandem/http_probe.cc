#include "tools/tandem/http_probe.h"

#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <memory>
#include <string_view>
#include <system_error>

#include "router/base/status.h"

namespace tandem::cli {
namespace {

constexpr std::size_t kAnswerMaxBytes = 64 << 10;

using Instant = std::chrono::steady_clock::time_point;

absl::Status Unreachable(std::string_view why) {
  return Error(absl::StatusCode::kUnavailable, "UNREACHABLE", why);
}

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }

  bool Await(short events, Instant until) const {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    pollfd waiting{.fd = fd_, .events = events, .revents = 0};
    return left.count() > 0 && poll(&waiting, 1, static_cast<int>(left.count())) > 0;
  }

 private:
  int fd_;
};

absl::Status Connect(const Socket& socket, const addrinfo& to, Instant until) {
  if (socket.fd() < 0) return Unreachable("no socket");
  if (connect(socket.fd(), to.ai_addr, to.ai_addrlen) == 0) return absl::OkStatus();
  if (errno != EINPROGRESS) return Unreachable(std::generic_category().message(errno));
  if (!socket.Await(POLLOUT, until)) return Unreachable("no answer in time");
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  return error == 0 ? absl::OkStatus() : Unreachable(std::generic_category().message(error));
}

absl::StatusOr<std::string> Exchange(const Socket& socket, const std::string& request,
                                     Instant until) {
  // The request is a few hundred bytes: a fresh connection takes it whole.
  if (send(socket.fd(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return Unreachable("the connection broke");
  }
  std::string answer;
  std::array<char, 4096> chunk;
  while (answer.size() < kAnswerMaxBytes) {
    if (!socket.Await(POLLIN, until)) return Unreachable("no answer in time");
    const ssize_t got = recv(socket.fd(), chunk.data(), chunk.size(), 0);
    if (got <= 0) break;
    answer.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return answer;
}

absl::StatusOr<HttpAnswer> Read(std::string_view text) {
  HttpAnswer answer;
  // "HTTP/1.1 200 OK"
  if (!text.starts_with("HTTP/1.") || text.size() < 12) {
    return Unreachable("it does not speak HTTP");
  }
  std::from_chars(text.data() + 9, text.data() + 12, answer.status);
  const std::size_t head = text.find("\r\n\r\n");
  if (head != std::string_view::npos) {
    const std::string_view body = text.substr(head + 4);
    answer.first_line = std::string(body.substr(0, std::min<std::size_t>(body.find('\n'), 200)));
  }
  return answer;
}

}  // namespace

absl::StatusOr<HttpAnswer> HttpGet(const std::string& address, const std::string& path,
                                   absl::Duration timeout) {
  const Instant until = std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(timeout);
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos) return Unreachable("expected HOST:PORT");
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), address.substr(colon + 1).c_str(), &hints, &found) != 0) {
    return Unreachable("the name is not known");
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, &freeaddrinfo);
  absl::Status status = Unreachable("the name has no address");
  for (const addrinfo* to = found; to != nullptr; to = to->ai_next) {
    const Socket socket(
        ::socket(to->ai_family, to->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, to->ai_protocol));
    status = Connect(socket, *to, until);
    if (!status.ok()) continue;
    TANDEM_ASSIGN_OR_RETURN(
        const std::string text,
        Exchange(
            socket,
            fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", path, address),
            until));
    return Read(text);
  }
  return status;
}

}  // namespace tandem::cli
