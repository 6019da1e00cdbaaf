// What of the open deliveries the notifier holds, and for which endpoints there is more at the
// router: the bounds of its memory, drawn so that no endpoint and no tenant takes another's place.
//
// What finds no room is not held and not given up: the router keeps it, this book remembers that
// its endpoint has more, and the router is asked again when room has come. Where many share too
// little room, the one that holds the most gives way to the one that holds less.
//
// No I/O, no clock. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "services/notifier/endpoint_book.h"

namespace tandem::notifier {

// REQUIRES: each at least 1. At the defaults and 4 KiB a delivery (its incident included, which
// others share) ≈ 40 MiB.
struct HoldLimits {
  std::size_t total_max = 10'000;
  std::size_t per_tenant_max = 2'000;
  std::size_t per_endpoint_max = 1'000;
};

class HeldBook {
 public:
  // In the order in which they came.
  using Deliveries = std::map<std::uint64_t, DeliveryKey>;

  explicit HeldBook(const HoldLimits& limits) : limits_(limits) {}

  // What must happen before one more of an endpoint is held.
  struct Room {
    bool is_there = false;  // nothing
    // Else: a delivery of this endpoint goes first; nullopt: nobody gives way, it cannot be held.
    std::optional<EndpointKey> gives_way = std::nullopt;
  };
  // An endpoint that has more has no room: what came before goes first.
  Room RoomFor(const EndpointKey& endpoint) const;

  void Add(const EndpointKey& endpoint, std::uint64_t serial, const DeliveryKey& delivery);
  // REQUIRES: it is held.
  void Remove(const EndpointKey& endpoint, std::uint64_t serial);
  // REQUIRES: something of it is held.
  const Deliveries& Of(const EndpointKey& endpoint) const;

  // The router keeps a delivery that is not held here.
  void NoteMore(const EndpointKey& endpoint) { more_.insert(endpoint); }
  bool HasMore() const { return !more_.empty(); }
  // The router offers everything anew.
  void ForgetMore() { more_.clear(); }
  // Whether an endpoint that has more would get a good part of it: it holds less than half of its
  // share. Half, so that the router is asked once for many.
  bool WorthAsking() const;

 private:
  struct Tenant {
    std::size_t held = 0;
    std::map<EndpointKey, Deliveries> endpoints;            // that hold something
    std::set<std::pair<std::size_t, EndpointKey>> by_size;  // the same, the largest last
  };

  std::size_t HeldOf(const EndpointKey& endpoint) const;
  std::size_t HeldOf(const std::string& tenant) const;
  std::size_t LargestEndpoint(const std::string& tenant) const;
  std::size_t LargestTenant() const { return by_size_.empty() ? 0 : by_size_.rbegin()->first; }
  bool WorthAsking(const EndpointKey& endpoint) const;
  void Resize(std::map<std::string, Tenant>::iterator tenant, const EndpointKey& endpoint,
              std::size_t before, std::size_t after);

  const HoldLimits limits_;
  std::map<std::string, Tenant> tenants_;                  // that hold something
  std::set<std::pair<std::size_t, std::string>> by_size_;  // the same, the largest last
  std::size_t held_ = 0;
  std::set<EndpointKey> more_;  // as many as there are contacts at most
};

}  // namespace tandem::notifier
