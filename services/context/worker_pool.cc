#include "services/context/worker_pool.h"

#include <pthread.h>

#include <limits>
#include <utility>

namespace tandem::context {

WorkerPool::WorkerPool(Options options) : options_(std::move(options)) {
  for (std::size_t i = 0; i < options_.threads; ++i) {
    threads_.emplace_back([this] {
      pthread_setname_np(pthread_self(), options_.name.substr(0, 15).c_str());
      Run();
    });
  }
}

WorkerPool::Post WorkerPool::TryPost(Task task) {
  return Enqueue(std::move(task), options_.queue_max);
}

WorkerPool::Post WorkerPool::PostReserved(Task task) {
  return Enqueue(std::move(task), std::numeric_limits<std::size_t>::max());
}

WorkerPool::Post WorkerPool::Enqueue(Task task, std::size_t queue_max) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return Post::kStopped;
    if (queue_.size() >= queue_max) return Post::kFull;
    queue_.push_back(std::move(task));
  }
  changed_.notify_one();
  return Post::kTaken;
}

void WorkerPool::Drain() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  const std::lock_guard lock(join_mutex_);
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void WorkerPool::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    {
      const Task task = std::exchange(queue_.front(), nullptr);
      queue_.pop_front();
      lock.unlock();
      task();
    }  // What the task held goes before the lock is taken again.
    lock.lock();
  }
}

}  // namespace tandem::context
