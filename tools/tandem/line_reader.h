// Lines of a file or a pipe, with a limit and a way to notice that the writer pauses.
//
// Used by one thread.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace tandem::cli {

class LineReader {
 public:
  // A longer line is passed over, and said: an alert has at most 64 labels of 2 KiB and 64
  // annotations of 8 KiB.
  static constexpr std::size_t kLineMaxBytes = 1 << 20;

  // `path` `-` is standard input, which is left open. NOT_FOUND and the like as ReadFile.
  static absl::StatusOr<LineReader> Open(const std::string& path);
  LineReader(LineReader&& other) noexcept;
  LineReader& operator=(LineReader&&) = delete;
  ~LineReader();

  struct Event {
    enum class Kind { kLine, kTooLong, kPause, kEnd };
    Kind kind = Kind::kEnd;
    std::string line;  // without its newline
  };
  // The next line; kTooLong, without its text, for one that is longer than kLineMaxBytes; kPause
  // when none has come for `patience` (nullopt: waits for ever).
  absl::StatusOr<Event> Next(std::optional<absl::Duration> patience);

  // Of the line that was returned last, from 1.
  std::uint64_t number() const { return number_; }

 private:
  explicit LineReader(int fd) : fd_(fd) {}
  Event TakeLine(std::size_t end, std::size_t behind);
  absl::StatusOr<bool> Fill(std::optional<absl::Duration> patience);  // false: nothing came

  int fd_;
  std::string buffer_;
  std::size_t at_ = 0;
  bool ended_ = false;
  bool overlong_ = false;  // the line at hand is too long, and what came of it was dropped
  std::uint64_t number_ = 0;
};

}  // namespace tandem::cli
