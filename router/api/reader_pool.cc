#include "router/api/reader_pool.h"

#include <pthread.h>

#include <utility>

#include "router/base/status.h"

namespace tandem::api {

absl::StatusOr<std::unique_ptr<ReaderPool>> ReaderPool::Start(journal::Journal* journal,
                                                              Options options) {
  std::unique_ptr<ReaderPool> pool(new ReaderPool(options));
  for (std::size_t i = 0; i < options.workers; ++i) {
    TANDEM_ASSIGN_OR_RETURN(auto reader, journal->OpenReader());
    pool->readers_.push_back(std::move(reader));
  }
  for (auto& reader : pool->readers_) {
    pool->threads_.emplace_back([raw = pool.get(), reader = reader.get()] {
      pthread_setname_np(pthread_self(), "reader");
      raw->Loop(*reader);
    });
  }
  return pool;
}

ReaderPool::~ReaderPool() { Stop(); }

absl::Status ReaderPool::Post(Job job) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) {
      return AddRetry(Error(absl::StatusCode::kUnavailable, "STOPPING",
                            "the router is stopping; ask again after the given delay"),
                      absl::Seconds(1));
    }
    if (jobs_.size() >= options_.queue_max) {
      return AddRetry(Error(absl::StatusCode::kResourceExhausted, "OVERLOADED",
                            "too many reads are waiting; ask again after the given delay"),
                      absl::Milliseconds(250));
    }
    jobs_.push_back(std::move(job));
  }
  changed_.notify_one();
  return absl::OkStatus();
}

void ReaderPool::Loop(journal::Reader& reader) {
  for (;;) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job(reader);
  }
}

void ReaderPool::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace tandem::api
