// Idle connections, kept for the next call to the same endpoint.
//
// Used from the io thread only.
#pragma once

#include <absl/time/time.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "services/notifier/connection.h"

namespace tandem::notifier {

// Over a limit the connection is closed instead of kept; the next call opens a new one.
struct PoolLimits {
  std::size_t per_endpoint_max = 2;
  std::size_t total_max = 64;
  absl::Duration idle_max = absl::Seconds(30);
  // From the opening: a changed DNS entry is noticed within this time.
  absl::Duration age_max = absl::Minutes(2);
};

class ConnectionPool {
 public:
  ConnectionPool(boost::asio::io_context& io, const PoolLimits& limits);

  // An open connection for `key`, the latest used first, or nullptr.
  std::unique_ptr<Connection> Take(const std::string& key);
  // Keeps `connection`, or closes it.
  void Put(const std::string& key, std::unique_ptr<Connection> connection);
  void Clear();

  std::size_t size() const { return size_; }

 private:
  struct Idle {
    std::unique_ptr<Connection> connection;
    Connection::SteadyTime since;
  };

  bool Expired(const Idle& idle, Connection::SteadyTime now) const;
  void Sweep();
  void ArmSweep();

  const PoolLimits limits_;
  boost::asio::steady_timer sweep_;
  bool sweeping_ = false;
  std::map<std::string, std::vector<Idle>> idle_;  // no empty vectors; the latest used last
  std::size_t size_ = 0;
};

}  // namespace tandem::notifier
