// SIGINT and SIGTERM as something that can be waited for.
#pragma once

#include <absl/time/time.h>

namespace tandem::client {

// At most one at a time in a process. Not thread-safe, but for Raise.
class StopSignal {
 public:
  StopSignal();   // takes the two signals over
  ~StopSignal();  // gives them back
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  // As if a signal had come. From any thread.
  void Raise() const;

  // Waits until the signal has come (true) or the time is over (false).
  bool Wait(absl::Duration timeout) const;
  bool came() const { return Wait(absl::ZeroDuration()); }

  // Waits until `fd` can be read (true) or the signal has come (false).
  bool AwaitReadable(int fd) const;
};

}  // namespace tandem::client
