// Lines from a file or a pipe, some at a time.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tools/agent/stop_signal.h"

namespace tandem::client {

struct NumberedLine {
  std::uint64_t number = 0;  // from 1
  std::string text;  // without its end; cut at `line_max` bytes + 1, so that it is seen as too long
};

class LineReader {
 public:
  // `fd` and `stop` are not owned.
  LineReader(int fd, std::size_t line_max, const StopSignal& stop)
      : fd_(fd), line_max_(line_max), stop_(stop) {}

  // 1 to `max` lines: what is there already, waiting only for the first. Empty at the end of the
  // input and after the signal to stop. Blank lines are left out.
  absl::StatusOr<std::vector<NumberedLine>> Read(std::size_t max);

 private:
  absl::Status Fill();
  void TakeLines(std::size_t max, std::vector<NumberedLine>& lines);

  const int fd_;
  const std::size_t line_max_;
  const StopSignal& stop_;
  std::string buffer_;     // read and not yet given, at most line_max_ + one read
  bool overlong_ = false;  // the begin of the current line was given; the rest is passed over
  bool over_ = false;
  std::uint64_t number_ = 0;
};

}  // namespace tandem::client
