#include "services/notifier/resolver.h"

#include <netdb.h>
#include <pthread.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <utility>

#include "router/base/status.h"

namespace tandem::notifier {
namespace {

namespace asio = boost::asio;

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

absl::Status Unresolved(int error) {
  // The texts of the C library name neither host nor server.
  const bool unknown = error == EAI_NONAME;
  return Error(unknown ? absl::StatusCode::kNotFound : absl::StatusCode::kUnavailable,
               "HOST_UNRESOLVED", std::string("host name: ") + gai_strerror(error));
}

absl::StatusOr<Resolver::Addresses> Ask(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &list);
  const std::unique_ptr<addrinfo, FreeAddresses> owner(list);
  if (error != 0) return Unresolved(error);
  Resolver::Addresses addresses;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    asio::ip::tcp::endpoint endpoint;
    if (entry->ai_addrlen > endpoint.capacity()) continue;
    std::copy_n(reinterpret_cast<const char*>(entry->ai_addr), entry->ai_addrlen,
                reinterpret_cast<char*>(endpoint.data()));
    addresses.push_back(endpoint.address());
  }
  if (addresses.empty()) return Unresolved(EAI_NONAME);
  return addresses;
}

}  // namespace

SystemResolver::SystemResolver(asio::io_context& io, const Limits& limits)
    : io_(io), pending_max_(limits.pending_max), pool_(limits.threads) {}

SystemResolver::~SystemResolver() { pool_.join(); }

void SystemResolver::Resolve(const std::string& host, Done done) {
  if (pending_ >= pending_max_) {
    asio::post(io_, [done = std::move(done)]() mutable {
      done(Error(absl::StatusCode::kResourceExhausted, "RESOLVER_BUSY",
                 "too many host names are being looked up"));
    });
    return;
  }
  ++pending_;
  asio::post(
      pool_, [this, host, done = std::move(done), work = asio::make_work_guard(io_)]() mutable {
        pthread_setname_np(pthread_self(), "notifier-dns");
        auto addresses = Ask(host);
        asio::post(io_, [this, addresses = std::move(addresses), done = std::move(done)]() mutable {
          --pending_;
          done(std::move(addresses));
        });
      });
}

}  // namespace tandem::notifier
