#include "tools/agent/line_reader.h"

#include <unistd.h>

#include <cerrno>

#include "router/base/status.h"
#include "tools/agent/disk.h"

namespace tandem::client {
namespace {

constexpr std::size_t kReadBytes = 64u << 10;

}  // namespace

absl::StatusOr<std::vector<NumberedLine>> LineReader::Read(std::size_t max) {
  std::vector<NumberedLine> lines;
  while (true) {
    TakeLines(max, lines);
    if (!lines.empty() || over_) return lines;
    if (!stop_.AwaitReadable(fd_)) return lines;
    TANDEM_RETURN_IF_ERROR(Fill());
  }
}

absl::Status LineReader::Fill() {
  std::string chunk(kReadBytes, '\0');
  const ssize_t n = ::read(fd_, chunk.data(), chunk.size());
  if (n < 0 && errno != EINTR && errno != EAGAIN) return DiskError("read", "the input", errno);
  if (n > 0) buffer_.append(chunk, 0, static_cast<std::size_t>(n));
  if (n == 0) {
    over_ = true;
    if (!buffer_.empty() || overlong_) buffer_ += '\n';  // the last line may lack its end
  }
  return absl::OkStatus();
}

void LineReader::TakeLines(std::size_t max, std::vector<NumberedLine>& lines) {
  std::size_t at = 0;
  while (lines.size() < max && at < buffer_.size()) {
    const std::size_t end = buffer_.find('\n', at);
    const std::size_t length = std::min(end, buffer_.size()) - at;
    const bool give = !overlong_ && (end != std::string::npos || length > line_max_);
    if (give) {
      std::string text = buffer_.substr(at, std::min(length, line_max_ + 1));
      ++number_;
      if (text.find_first_not_of(" \t\r") != std::string::npos) {
        lines.push_back({number_, std::move(text)});
      }
    }
    if (end == std::string::npos) {
      if (!give && !overlong_) break;  // the line goes on in the next read
      overlong_ = true;
      at = buffer_.size();
      break;
    }
    overlong_ = false;
    at = end + 1;
  }
  buffer_.erase(0, at);
}

}  // namespace tandem::client
