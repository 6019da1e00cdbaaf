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
#include "tools/tandem/files.h"

namespace tandem::cli {

absl::StatusOr<LineReader> LineReader::Open(const std::string& path) {
  if (path == "-") return LineReader(STDIN_FILENO);
  TANDEM_ASSIGN_OR_RETURN(const int fd, OpenToRead(path));
  return LineReader(fd);
}

LineReader::LineReader(LineReader&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      buffer_(std::move(other.buffer_)),
      at_(other.at_),
      ended_(other.ended_),
      overlong_(other.overlong_),
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
    if (whole || (ended_ && (at_ < buffer_.size() || overlong_))) {
      return TakeLine(whole ? newline : buffer_.size(), whole ? 1 : 0);
    }
    if (ended_) return Event{.kind = Event::Kind::kEnd, .line = ""};
    if (overlong_ || buffer_.size() - at_ > kLineMaxBytes) {
      // What comes up to its end is not kept.
      overlong_ = true;
      at_ = buffer_.size();
    }
    searched = buffer_.size() - at_;  // Fill moves what is left to the front
    TANDEM_ASSIGN_OR_RETURN(const bool came, Fill(patience));
    if (!came) return Event{.kind = Event::Kind::kPause, .line = ""};
  }
}

// The line that ends at `end`, with `behind` bytes of line end.
LineReader::Event LineReader::TakeLine(std::size_t end, std::size_t behind) {
  Event event{.kind = Event::Kind::kLine, .line = buffer_.substr(at_, end - at_)};
  at_ = end + behind;
  ++number_;
  if (std::exchange(overlong_, false) || event.line.size() > kLineMaxBytes) {
    return {.kind = Event::Kind::kTooLong, .line = ""};
  }
  if (!event.line.empty() && event.line.back() == '\r') event.line.pop_back();
  return event;
}

}  // namespace tandem::cli
