// Calls a function at regular intervals, from one thread of its own.
//
// Thread-safe. The intervals count from the end of one call to the start of the next: a slow call
// delays those after it and never piles them up.
#pragma once

#include <absl/time/time.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace tandem::context {

class Ticker {
 public:
  struct Options {
    std::string name;  // of the thread; at most 15 bytes, as Linux has it
    absl::Duration every;
  };
  Ticker(Options options, std::function<void()> tick);
  ~Ticker() { Stop(); }
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

  // Returns when the last call is over. Idempotent. Must not be called by the function itself.
  void Stop();

 private:
  const Options options_;
  const std::function<void()> tick_;
  std::mutex mutex_;  // guards stopping_
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::mutex join_mutex_;  // guards thread_
  std::thread thread_;
};

}  // namespace tandem::context
