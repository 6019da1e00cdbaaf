// Reads of the journal, off gRPC's threads: a few workers with a reader each and a bounded queue.
//
// Thread-safe.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "router/journal/journal.h"

namespace tandem::api {

class ReaderPool {
 public:
  using Job = absl::AnyInvocable<void(journal::Reader&)>;

  struct Options {
    std::size_t workers = 2;
    // A read that finds as many waiting is refused with RESOURCE_EXHAUSTED.
    std::size_t queue_max = 1024;
  };

  // `journal` outlives the pool.
  static absl::StatusOr<std::unique_ptr<ReaderPool>> Start(journal::Journal* journal,
                                                           Options options);
  ~ReaderPool();

  // Runs `job` on a worker. RESOURCE_EXHAUSTED when the queue is full, UNAVAILABLE after Stop; then
  // `job` is not called.
  absl::Status Post(Job job);

  // Works off what is queued and ends the threads.
  void Stop();

 private:
  explicit ReaderPool(Options options) : options_(options) {}
  void Loop(journal::Reader& reader);

  const Options options_;
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool stopping_ = false;
  std::vector<std::unique_ptr<journal::Reader>> readers_;
  std::vector<std::thread> threads_;
};

}  // namespace tandem::api
