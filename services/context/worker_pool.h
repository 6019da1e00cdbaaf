// A few named threads and a bounded queue, for work that may block on the disk and therefore must
// not run on gRPC's threads.
//
// Thread-safe.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tandem::context {

class WorkerPool {
 public:
  using Task = std::function<void()>;
  enum class Post { kTaken, kFull, kStopped };

  struct Options {
    std::string name;  // of the threads; at most 15 bytes, as Linux has it
    std::size_t threads = 1;
    std::size_t queue_max = 64;  // tasks that wait; beyond it kFull
  };
  explicit WorkerPool(Options options);
  // Drains.
  ~WorkerPool() { Drain(); }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Tasks begin in the order in which they were taken.
  Post TryPost(Task task);

  // The same past the limit of the queue: for work whose amount its poster bounds by other means.
  Post PostReserved(Task task);

  // Refuses new tasks, runs those that wait, and returns when the threads have ended. Idempotent.
  // Must not be called by a task.
  void Drain();

 private:
  Post Enqueue(Task task, std::size_t queue_max);
  void Run();

  const Options options_;
  std::mutex mutex_;  // guards queue_ and stopping_
  std::condition_variable changed_;
  std::deque<Task> queue_;
  bool stopping_ = false;
  std::mutex join_mutex_;  // guards threads_: two drains at once both wait for the end
  std::vector<std::thread> threads_;
};

}  // namespace tandem::context
