#include "services/notifier/endpoint_book.h"

#include <algorithm>
#include <utility>

#include "router/base/check.h"

namespace tandem::notifier {
namespace {

// Endpoints with nothing to do are remembered for their breakers, up to this many; beyond, they are
// forgotten and begin anew with a closed one. 4,096 × about 400 bytes ≈ 1.6 MiB.
constexpr std::size_t kRemembered = 4096;

}  // namespace

EndpointBook::EndpointBook(const DispatchLimits& limits, const BreakerPolicy& breaker,
                           NotifierObserver& observer)
    : limits_(limits), breaker_(breaker), observer_(observer) {}

void EndpointBook::Enqueue(const EndpointKey& key, const DeliveryKey& delivery, absl::Time due) {
  auto found = endpoints_.find(key);
  if (found == endpoints_.end()) {
    ForgetIdle();
    found = endpoints_.emplace(key, Endpoint(breaker_)).first;
  }
  found->second.waiting.emplace(due, delivery);
  Index(found);
}

void EndpointBook::Withdraw(const EndpointKey& key, const DeliveryKey& delivery, absl::Time due) {
  const auto found = Find(key);
  TANDEM_CHECK(found->second.waiting.erase({due, delivery}) == 1, "a waiting delivery is in line");
  Index(found);
}

std::optional<DeliveryKey> EndpointBook::TakeNext(absl::Time now) {
  while (in_flight_ < limits_.in_flight_max && !ready_.empty() && ready_.begin()->first <= now) {
    const auto found = Find(ready_.begin()->second);
    Endpoint& endpoint = found->second;
    Tenant& tenant = tenants_[found->first.tenant];
    if (tenant.in_flight >= limits_.in_flight_per_tenant_max) {
      tenant.held_back.insert(found->first);
      Index(found);
      continue;
    }
    const DeliveryKey delivery = endpoint.waiting.begin()->second;
    endpoint.waiting.erase(endpoint.waiting.begin());
    const BreakerState before = endpoint.breaker.state();
    endpoint.breaker.Begin(now);
    if (before != endpoint.breaker.state()) {
      observer_.OnBreakerChanged(before, endpoint.breaker.state());
    }
    ++endpoint.in_flight;
    ++tenant.in_flight;
    ++in_flight_;
    Index(found);
    return delivery;
  }
  return std::nullopt;
}

absl::Time EndpointBook::NextReady() const {
  if (ready_.empty() || in_flight_ >= limits_.in_flight_max) return absl::InfiniteFuture();
  return ready_.begin()->first;
}

EndpointBook::Says EndpointBook::SaidBy(AttemptEnd end) {
  switch (end) {
    case AttemptEnd::kDelivered:
    case AttemptEnd::kRefused:
    case AttemptEnd::kGone:
      return Says::kWorks;
    case AttemptEnd::kFailed:
      return Says::kFails;
    case AttemptEnd::kNever:
    case AttemptEnd::kNotReady:
    case AttemptEnd::kCancelled:
      break;
  }
  return Says::kNothing;
}

void EndpointBook::End(const EndpointKey& key, Says says, absl::Time now) {
  const auto found = Find(key);
  Endpoint& endpoint = found->second;
  TANDEM_CHECK(endpoint.in_flight > 0 && in_flight_ > 0, "an attempt that ends had begun");
  --endpoint.in_flight;
  --in_flight_;
  const BreakerState before = endpoint.breaker.state();
  if (says == Says::kWorks) endpoint.breaker.Succeeded();
  if (says == Says::kFails) endpoint.breaker.Failed(now);
  if (says == Says::kNothing) endpoint.breaker.Abandoned();
  if (before != endpoint.breaker.state()) {
    observer_.OnBreakerChanged(before, endpoint.breaker.state());
  }
  const auto tenant = tenants_.find(key.tenant);
  --tenant->second.in_flight;
  const std::set<EndpointKey> held_back = std::exchange(tenant->second.held_back, {});
  if (tenant->second.in_flight == 0) tenants_.erase(tenant);
  Index(found);
  for (const EndpointKey& other : held_back) {
    if (const auto held = endpoints_.find(other); held != endpoints_.end()) Index(held);
  }
}

EndpointBook::Rest EndpointBook::RestOf(const EndpointKey& key) const {
  const auto found = endpoints_.find(key);
  TANDEM_CHECK(found != endpoints_.end(), "an endpoint in use is remembered");
  const CircuitBreaker& breaker = found->second.breaker;
  const absl::Time until = breaker.NextAdmission(absl::InfinitePast());
  return {.until = until == absl::InfiniteFuture() ? absl::InfinitePast() : until,  // a probe
          .broken = breaker.state() != BreakerState::kClosed,
          .failures = breaker.failures(),
          .waiting = found->second.waiting.size()};
}

void EndpointBook::Hold(const EndpointKey& key, absl::Time time) {
  const auto found = Find(key);
  found->second.breaker.HoldUntil(time);
  Index(found);
}

std::vector<DeliveryKey> EndpointBook::Disable(const EndpointKey& key, absl::Time until) {
  const auto found = Find(key);
  found->second.disabled_until = until;
  std::vector<DeliveryKey> waiting;
  for (const auto& [due, delivery] : found->second.waiting) waiting.push_back(delivery);
  found->second.waiting.clear();
  Index(found);
  return waiting;
}

bool EndpointBook::Disabled(const EndpointKey& key, absl::Time now) const {
  const auto found = endpoints_.find(key);
  return found != endpoints_.end() && now < found->second.disabled_until;
}

EndpointBook::Endpoints::iterator EndpointBook::Find(const EndpointKey& key) {
  const auto found = endpoints_.find(key);
  TANDEM_CHECK(found != endpoints_.end(), "an endpoint in use is remembered");
  return found;
}

void EndpointBook::Index(Endpoints::iterator found) {
  auto& [key, endpoint] = *found;
  const bool broken = endpoint.breaker.state() != BreakerState::kClosed;
  const std::size_t behind = broken ? endpoint.waiting.size() : 0;
  behind_breakers_ += behind - std::exchange(endpoint.behind_breaker, behind);
  absl::Time ready = absl::InfiniteFuture();
  const auto tenant = tenants_.find(key.tenant);
  const bool held_back = tenant != tenants_.end() && tenant->second.held_back.contains(key);
  if (!endpoint.waiting.empty() && !held_back &&
      endpoint.in_flight < limits_.in_flight_per_endpoint_max) {
    ready = std::max(endpoint.waiting.begin()->first,
                     endpoint.breaker.NextAdmission(absl::InfinitePast()));
  }
  if (ready == endpoint.indexed) return;
  if (endpoint.indexed != absl::InfiniteFuture()) ready_.erase({endpoint.indexed, key});
  if (ready != absl::InfiniteFuture()) ready_.emplace(ready, key);
  endpoint.indexed = ready;
}

void EndpointBook::ForgetIdle() {
  if (endpoints_.size() < kRemembered) return;
  std::erase_if(endpoints_, [&](const auto& entry) {
    const Endpoint& endpoint = entry.second;
    if (!endpoint.waiting.empty() || endpoint.in_flight > 0) return false;
    if (endpoint.breaker.state() != BreakerState::kClosed) {
      observer_.OnBreakerChanged(endpoint.breaker.state(), BreakerState::kClosed);
    }
    return true;
  });
}

}  // namespace tandem::notifier
