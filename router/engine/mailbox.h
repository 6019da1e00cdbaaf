// The bounded queue between the threads that receive and the one that decides.
//
// Thread-safe; Take belongs to one thread.
#pragma once

#include <absl/time/time.h>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <vector>

#include "router/engine/command.h"

namespace tandem::engine {

class Mailbox {
 public:
  struct Limits {
    // A caller that meets either limit is told RESOURCE_EXHAUSTED with a retry delay.
    std::size_t commands_max = 4096;
    std::size_t bytes_max = 256 << 20;  // 1,024 batches of 512 alerts at 240 KiB ≈ 240 MiB
  };

  explicit Mailbox(Limits limits) : limits_(limits) {}

  // Moves `command` in. False, with `command` as it was, when it is full or closed. One that is
  // heavier than all room is taken when nothing else waits.
  bool Push(Command& command);

  // Waits until something is there, `wait` is over, or Wake or Close was called; then moves out at
  // most `commands_max` of at most `bytes_max` (but at least one, if there is one).
  std::vector<Command> Take(absl::Duration wait, std::size_t commands_max, std::size_t bytes_max);

  // Ends a wait: a deadline may have changed.
  void Wake();
  // Refuses everything from now on; what is in can still be taken.
  void Close();

  bool closed() const;
  std::size_t size() const;

 private:
  const Limits limits_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::deque<Command> commands_;
  std::size_t bytes_ = 0;
  bool woken_ = false;
  bool closed_ = false;
};

}  // namespace tandem::engine
