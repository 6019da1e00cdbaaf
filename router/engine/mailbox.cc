#include "router/engine/mailbox.h"

#include <absl/time/time.h>

#include <utility>

namespace tandem::engine {

bool Mailbox::Push(Command& command) {
  const std::size_t weight = WeightOf(command);
  bool was_empty = false;
  {
    std::lock_guard lock(mutex_);
    const bool fits = commands_.size() < limits_.commands_max &&
                      (commands_.empty() || bytes_ + weight <= limits_.bytes_max);
    if (closed_ || !fits) return false;
    was_empty = commands_.empty();
    bytes_ += weight;
    commands_.push_back(std::move(command));
  }
  if (was_empty) changed_.notify_one();
  return true;
}

std::vector<Command> Mailbox::Take(absl::Duration wait, std::size_t commands_max,
                                   std::size_t bytes_max) {
  std::vector<Command> taken;
  std::unique_lock lock(mutex_);
  const auto ready = [this] { return !commands_.empty() || woken_ || closed_; };
  if (wait > absl::ZeroDuration()) {
    // An hour is as good as for ever, and does not overflow.
    changed_.wait_for(lock, absl::ToChronoNanoseconds(std::min(wait, absl::Hours(1))), ready);
  }
  woken_ = false;
  std::size_t bytes = 0;
  while (!commands_.empty() && taken.size() < commands_max) {
    const std::size_t weight = WeightOf(commands_.front());
    if (!taken.empty() && bytes + weight > bytes_max) break;
    bytes += weight;
    taken.push_back(std::move(commands_.front()));
    commands_.pop_front();
  }
  bytes_ -= bytes;
  return taken;
}

void Mailbox::Wake() {
  {
    std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_one();
}

void Mailbox::Close() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_one();
}

bool Mailbox::closed() const {
  std::lock_guard lock(mutex_);
  return closed_;
}

std::size_t Mailbox::size() const {
  std::lock_guard lock(mutex_);
  return commands_.size();
}

}  // namespace tandem::engine
