#include "services/context/ticker.h"

#include <pthread.h>

#include <utility>

namespace tandem::context {

Ticker::Ticker(Options options, std::function<void()> tick)
    : options_(std::move(options)), tick_(std::move(tick)) {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), options_.name.substr(0, 15).c_str());
    const auto every = absl::ToChronoNanoseconds(options_.every);
    std::unique_lock lock(mutex_);
    while (!stopped_.wait_for(lock, every, [&] { return stopping_; })) {
      lock.unlock();
      tick_();
      lock.lock();
    }
  });
}

void Ticker::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
  const std::lock_guard lock(join_mutex_);
  if (thread_.joinable()) thread_.join();
}

}  // namespace tandem::context
