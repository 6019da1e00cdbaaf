#include "tools/tandem/line_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "router/base/status.h"
#include "router/base/text.h"

namespace tandem::cli {

absl::StatusOr<LineReader> LineReader::Open(const std::string& path) {
  if (path == "-") return LineReader(STDIN_FILENO);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return Error(absl::StatusCode::kNotFound, "FILE_UNREADABLE",
                 fmt::format("{}: cannot open: {}", Printable(path),
                             std::generic_category().message(errno)));
  }
  return LineReader(fd);
}

LineReader::LineReader(LineReader&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      buffer_(std::move(other.buffer_)),
      at_(other.at_),
      ended_(other.ended_),
      number_(other.number_) {}

LineReader::~LineReader() {
  if (fd_ > STDERR_FILENO) close(fd_);
}

absl::StatusOr<bool> LineReader::Fill(std::optional<absl::Duration> patience) {
  pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
  const int timeout_ms = patience ? static_cast<int>(absl::ToInt64Milliseconds(*patience)) : -1;
  const int ready = poll(&waiting, 1, timeout_ms);
  if (ready == 0 || (ready < 0 && errno == EINTR)) return false;
  std::array<char, 65536> chunk;
  const ssize_t got = read(fd_, chunk.data(), chunk.size());
  if (got < 0) {
    return Error(absl::StatusCode::kFailedPrecondition, "FILE_UNREADABLE",
                 fmt::format("cannot read: {}", std::generic_category().message(errno)));
  }
  ended_ = got == 0;
  buffer_.erase(0, std::exchange(at_, 0));
  buffer_.append(chunk.data(), static_cast<std::size_t>(got));
  return true;
}

absl::StatusOr<LineReader::Event> LineReader::Next(std::optional<absl::Duration> patience) {
  std::size_t searched = at_;
  while (true) {
    const std::size_t newline = buffer_.find('\n', searched);
    const bool whole = newline != std::string::npos;
    if (whole || (ended_ && at_ < buffer_.size())) {
      const std::size_t end = whole ? newline : buffer_.size();
      Event event{.kind = Event::Kind::kLine, .line = buffer_.substr(at_, end - at_)};
      at_ = whole ? end + 1 : end;
      ++number_;
      if (!event.line.empty() && event.line.back() == '\r') event.line.pop_back();
      return event;
    }
    if (ended_) return Event{.kind = Event::Kind::kEnd, .line = ""};
    if (buffer_.size() - at_ > kLineMaxBytes) {
      return Error(absl::StatusCode::kResourceExhausted, "LINE_TOO_LONG",
                   fmt::format("line {} is longer than {} bytes", number_ + 1, kLineMaxBytes));
    }
    searched = buffer_.size() - at_;  // Fill moves what is left to the front
    TANDEM_ASSIGN_OR_RETURN(const bool came, Fill(patience));
    if (!came) return Event{.kind = Event::Kind::kPause, .line = ""};
  }
}

}  // namespace tandem::cli
