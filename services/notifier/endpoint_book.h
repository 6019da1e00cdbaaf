// Which waiting delivery may begin next: every endpoint with its line of waiting deliveries, its
// attempts under way and its circuit breaker; the limits that keep one endpoint, and one tenant,
// from holding up the others.
//
// No I/O; time is an argument; equal calls give equal answers. Not thread-safe.
#pragma once

#include <absl/time/time.h>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "services/notifier/attempt.h"
#include "services/notifier/circuit_breaker.h"
#include "services/notifier/observer.h"

namespace tandem::notifier {

struct DeliveryKey {
  std::string tenant;
  std::string id;
  friend auto operator<=>(const DeliveryKey&, const DeliveryKey&) = default;
};

// Tenants share no endpoint, even where they use one address: nothing of a tenant may be seen in
// the timing of another.
struct EndpointKey {
  std::string tenant;
  std::string channel;
  std::string address;
  friend auto operator<=>(const EndpointKey&, const EndpointKey&) = default;
};

struct DispatchLimits {
  // Attempts under way. At a limit deliveries wait.
  std::size_t in_flight_max = 256;
  std::size_t in_flight_per_tenant_max = 64;
  std::size_t in_flight_per_endpoint_max = 4;
};

class EndpointBook {
 public:
  // `observer` outlives this.
  EndpointBook(const DispatchLimits& limits, const BreakerPolicy& breaker,
               NotifierObserver& observer);

  // Puts a delivery in line, not to begin before `due`. Lines are as long as the caller makes them.
  void Enqueue(const EndpointKey& endpoint, const DeliveryKey& delivery, absl::Time due);
  // Takes it out of the line. REQUIRES: it stands in line with this `due`.
  void Withdraw(const EndpointKey& endpoint, const DeliveryKey& delivery, absl::Time due);

  // Takes the delivery that may begin at `now` out of its line and counts its attempt as under way;
  // the one that has been due longest, over all endpoints. nullopt when there is none.
  std::optional<DeliveryKey> TakeNext(absl::Time now);
  // When TakeNext may have one: in the past for at once, InfiniteFuture for not before an End.
  absl::Time NextReady() const;

  // An attempt has ended. What it says about the endpoint: that it works, that it does not, or (for
  // attempts that were never made) nothing.
  enum class Says { kWorks, kFails, kNothing };
  static Says SaidBy(AttemptEnd end);
  void End(const EndpointKey& endpoint, Says says, absl::Time now);

  // What holds an endpoint's line back.
  struct Rest {
    absl::Time until = absl::InfinitePast();  // no attempt begins before
    bool broken = false;                      // the breaker is not closed
    std::uint32_t failures = 0;               // in a row
    std::size_t waiting = 0;                  // deliveries in line
  };
  // REQUIRES: something was enqueued there since the book was made, and not long ago.
  Rest RestOf(const EndpointKey& endpoint) const;

  // Begins nothing there before `time`.
  void Hold(const EndpointKey& endpoint, absl::Time time);

  // The endpoint is not to be used before `until`: everything in line is taken out and returned.
  std::vector<DeliveryKey> Disable(const EndpointKey& endpoint, absl::Time until);
  bool Disabled(const EndpointKey& endpoint, absl::Time now) const;

  std::size_t in_flight() const { return in_flight_; }
  // Deliveries in line at endpoints whose breaker is not closed.
  std::size_t behind_breakers() const { return behind_breakers_; }

 private:
  struct Endpoint {
    explicit Endpoint(const BreakerPolicy& policy) : breaker(policy) {}
    std::set<std::pair<absl::Time, DeliveryKey>> waiting;
    std::size_t in_flight = 0;
    CircuitBreaker breaker;
    absl::Time disabled_until = absl::InfinitePast();
    absl::Time indexed = absl::InfiniteFuture();  // its place in ready_; InfiniteFuture: none
    std::size_t behind_breaker = 0;               // its part of behind_breakers_
  };
  using Endpoints = std::map<EndpointKey, Endpoint>;
  struct Tenant {
    std::size_t in_flight = 0;
    std::set<EndpointKey> held_back;  // ready but for the tenant's limit
  };

  Endpoints::iterator Find(const EndpointKey& key);
  // Brings ready_ and behind_breakers_ up to date with an endpoint.
  void Index(Endpoints::iterator endpoint);
  void ForgetIdle();

  const DispatchLimits limits_;
  const BreakerPolicy breaker_;
  NotifierObserver& observer_;
  Endpoints endpoints_;
  std::map<std::string, Tenant> tenants_;  // with attempts under way only
  std::set<std::pair<absl::Time, EndpointKey>> ready_;
  std::size_t in_flight_ = 0;
  std::size_t behind_breakers_ = 0;
};

}  // namespace tandem::notifier
