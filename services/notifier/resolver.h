// Host names to addresses, off the notifier's thread.
//
// getaddrinfo blocks, and asio's own resolver has one thread for it: a single dead name server
// would delay every endpoint. Here several threads share the work.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/status/statusor.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstddef>
#include <string>
#include <vector>

namespace tandem::notifier {

// Answers on the thread of the io_context that the implementation was made with, never inside the
// call to Resolve.
class Resolver {
 public:
  using Addresses = std::vector<boost::asio::ip::address>;
  using Done = absl::AnyInvocable<void(absl::StatusOr<Addresses>)>;

  virtual ~Resolver() = default;

  // Every address of `host`, in the order to try them, not empty; or NOT_FOUND or UNAVAILABLE.
  virtual void Resolve(const std::string& host, Done done) = 0;
};

class SystemResolver final : public Resolver {
 public:
  struct Limits {
    std::size_t threads = 4;
    // Names that wait or are asked for. At it a call answers RESOURCE_EXHAUSTED at once: the
    // attempt fails and is tried again.
    std::size_t pending_max = 256;
  };

  // `io` outlives this.
  SystemResolver(boost::asio::io_context& io, const Limits& limits);
  // Waits for the questions under way: as long as the system's resolver takes to give up.
  ~SystemResolver() override;

  // Call on the io_context's thread.
  void Resolve(const std::string& host, Done done) override;

 private:
  boost::asio::io_context& io_;
  const std::size_t pending_max_;
  std::size_t pending_ = 0;  // io thread only
  boost::asio::thread_pool pool_;
};

}  // namespace tandem::notifier
