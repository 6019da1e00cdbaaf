#include "services/notifier/connection_pool.h"

#include <utility>

namespace tandem::notifier {

using std::chrono::steady_clock;

ConnectionPool::ConnectionPool(boost::asio::io_context& io, const PoolLimits& limits)
    : limits_(limits), sweep_(io) {}

std::unique_ptr<Connection> ConnectionPool::Take(const std::string& key) {
  const auto found = idle_.find(key);
  if (found == idle_.end()) return nullptr;
  std::unique_ptr<Connection> taken;
  auto& list = found->second;
  while (taken == nullptr && !list.empty()) {
    Idle last = std::move(list.back());
    list.pop_back();
    --size_;
    if (!Expired(last, steady_clock::now()) && last.connection->IdleAndAlive()) {
      taken = std::move(last.connection);
    }
  }
  if (list.empty()) idle_.erase(found);
  return taken;
}

void ConnectionPool::Put(const std::string& key, std::unique_ptr<Connection> connection) {
  if (size_ >= limits_.total_max || !connection->IdleAndAlive()) return;
  const auto found = idle_.find(key);
  if (found != idle_.end() && found->second.size() >= limits_.per_endpoint_max) return;
  if (limits_.per_endpoint_max == 0) return;
  idle_[key].push_back({std::move(connection), steady_clock::now()});
  ++size_;
  ArmSweep();
}

void ConnectionPool::Clear() {
  idle_.clear();
  size_ = 0;
  sweep_.cancel();
}

bool ConnectionPool::Expired(const Idle& idle, Connection::SteadyTime now) const {
  return absl::FromChrono(now - idle.since) > limits_.idle_max ||
         absl::FromChrono(now - idle.connection->opened) > limits_.age_max;
}

void ConnectionPool::Sweep() {
  const auto now = steady_clock::now();
  for (auto entry = idle_.begin(); entry != idle_.end();) {
    size_ -= std::erase_if(entry->second, [&](const Idle& idle) {
      return Expired(idle, now) || !idle.connection->IdleAndAlive();
    });
    entry = entry->second.empty() ? idle_.erase(entry) : std::next(entry);
  }
  if (size_ > 0) ArmSweep();
}

void ConnectionPool::ArmSweep() {
  if (sweeping_) return;
  sweeping_ = true;
  sweep_.expires_after(absl::ToChronoNanoseconds(limits_.idle_max));
  sweep_.async_wait([this](const boost::system::error_code& error) {
    if (error == boost::asio::error::operation_aborted) return;  // `this` may be gone
    sweeping_ = false;
    Sweep();
  });
}

}  // namespace tandem::notifier
