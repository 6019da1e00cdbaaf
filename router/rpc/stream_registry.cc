#include "router/rpc/stream_registry.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "router/base/status.h"

namespace tandem::rpc {

StreamRegistry::Registration::Registration(Registration&& other) noexcept
    : registry_(std::exchange(other.registry_, nullptr)), key_(other.key_) {}

StreamRegistry::Registration& StreamRegistry::Registration::operator=(
    Registration&& other) noexcept {
  if (this != &other) {
    Release();
    registry_ = std::exchange(other.registry_, nullptr);
    key_ = other.key_;
  }
  return *this;
}

void StreamRegistry::Registration::Release() {
  if (auto* registry = std::exchange(registry_, nullptr)) registry->Remove(key_);
}

absl::StatusOr<StreamRegistry::Registration> StreamRegistry::Add(
    std::weak_ptr<DrainableStream> stream) {
  const std::lock_guard lock(mutex_);
  if (!closed_.ok()) return closed_;
  if (streams_.size() >= open_max_) {
    return AddRetry(Error(absl::StatusCode::kResourceExhausted, "STREAMS_EXHAUSTED",
                          fmt::format("{} calls are open here, and more are not taken; close one, "
                                      "or try again later",
                                      open_max_)),
                    absl::Seconds(1));
  }
  const std::uint64_t key = next_key_++;
  streams_.emplace(key, std::move(stream));
  return Registration(this, key);
}

void StreamRegistry::EndAll(const absl::Status& status) {
  {
    const std::lock_guard lock(mutex_);
    closed_ = status;
  }
  for (const auto& stream : Living()) stream->End(status);
}

std::size_t StreamRegistry::EndEach(
    const std::function<absl::Status(const DrainableStream&)>& judge) {
  std::size_t ended = 0;
  for (const auto& stream : Living()) {
    absl::Status status = judge(*stream);
    if (status.ok()) continue;
    stream->End(std::move(status));
    ++ended;
  }
  return ended;
}

std::size_t StreamRegistry::open() const {
  const std::lock_guard lock(mutex_);
  return streams_.size();
}

std::size_t StreamRegistry::WaitUntilEmpty(absl::Duration timeout) {
  std::unique_lock lock(mutex_);
  empty_.wait_for(lock, absl::ToChronoMilliseconds(timeout), [&] { return streams_.empty(); });
  return streams_.size();
}

std::vector<std::shared_ptr<DrainableStream>> StreamRegistry::Living() const {
  std::vector<std::shared_ptr<DrainableStream>> living;
  const std::lock_guard lock(mutex_);
  for (const auto& [key, stream] : streams_) {
    if (auto alive = stream.lock()) living.push_back(std::move(alive));
  }
  return living;
}

void StreamRegistry::Remove(std::uint64_t key) {
  const std::lock_guard lock(mutex_);
  streams_.erase(key);
  // Under the lock: a waiter may destroy the registry as soon as it has it.
  if (streams_.empty()) empty_.notify_all();
}

}  // namespace tandem::rpc
