#include "services/notifier/held_book.h"

#include "router/base/check.h"

namespace tandem::notifier {

HeldBook::Room HeldBook::RoomFor(const EndpointKey& endpoint) const {
  const std::size_t mine = HeldOf(endpoint);
  if (more_.contains(endpoint) || mine >= limits_.per_endpoint_max) return {};
  const std::size_t tenant = HeldOf(endpoint.tenant);
  if (tenant >= limits_.per_tenant_max) {
    const auto& [size, largest] = *tenants_.at(endpoint.tenant).by_size.rbegin();
    return mine + 1 < size ? Room{.gives_way = largest} : Room{};
  }
  if (held_ >= limits_.total_max) {
    const auto& [size, largest] = *by_size_.rbegin();
    if (tenant + 1 >= size) return {};
    return {.gives_way = tenants_.at(largest).by_size.rbegin()->second};
  }
  return {.is_there = true};
}

void HeldBook::Add(const EndpointKey& endpoint, std::uint64_t serial, const DeliveryKey& delivery) {
  const auto tenant = tenants_.try_emplace(endpoint.tenant).first;
  Deliveries& deliveries = tenant->second.endpoints[endpoint];
  TANDEM_CHECK(deliveries.emplace(serial, delivery).second, "serials differ");
  Resize(tenant, endpoint, deliveries.size() - 1, deliveries.size());
}

void HeldBook::Remove(const EndpointKey& endpoint, std::uint64_t serial) {
  const auto tenant = tenants_.find(endpoint.tenant);
  TANDEM_CHECK(tenant != tenants_.end(), "what is removed was held");
  const auto found = tenant->second.endpoints.find(endpoint);
  TANDEM_CHECK(found != tenant->second.endpoints.end() && found->second.erase(serial) == 1,
               "what is removed was held");
  Resize(tenant, endpoint, found->second.size() + 1, found->second.size());
  if (found->second.empty()) tenant->second.endpoints.erase(found);
  if (tenant->second.held == 0) tenants_.erase(tenant);
}

const HeldBook::Deliveries& HeldBook::Of(const EndpointKey& endpoint) const {
  return tenants_.at(endpoint.tenant).endpoints.at(endpoint);
}

bool HeldBook::WorthAsking() const {
  for (const EndpointKey& endpoint : more_) {
    if (WorthAsking(endpoint)) return true;
  }
  return false;
}

bool HeldBook::WorthAsking(const EndpointKey& endpoint) const {
  const std::size_t mine = HeldOf(endpoint);
  const std::size_t tenant = HeldOf(endpoint.tenant);
  return mine * 2 < limits_.per_endpoint_max &&
         (tenant * 2 < limits_.per_tenant_max || mine * 2 < LargestEndpoint(endpoint.tenant)) &&
         (held_ * 2 < limits_.total_max || tenant * 2 < LargestTenant());
}

std::size_t HeldBook::HeldOf(const EndpointKey& endpoint) const {
  const auto tenant = tenants_.find(endpoint.tenant);
  if (tenant == tenants_.end()) return 0;
  const auto found = tenant->second.endpoints.find(endpoint);
  return found == tenant->second.endpoints.end() ? 0 : found->second.size();
}

std::size_t HeldBook::HeldOf(const std::string& tenant) const {
  const auto found = tenants_.find(tenant);
  return found == tenants_.end() ? 0 : found->second.held;
}

std::size_t HeldBook::LargestEndpoint(const std::string& tenant) const {
  const auto found = tenants_.find(tenant);
  return found == tenants_.end() ? 0 : found->second.by_size.rbegin()->first;
}

void HeldBook::Resize(std::map<std::string, Tenant>::iterator tenant, const EndpointKey& endpoint,
                      std::size_t before, std::size_t after) {
  auto& [name, t] = *tenant;
  t.by_size.erase({before, endpoint});
  if (after > 0) t.by_size.emplace(after, endpoint);
  by_size_.erase({t.held, name});
  t.held = t.held - before + after;
  if (t.held > 0) by_size_.emplace(t.held, name);
  held_ = held_ - before + after;
}

}  // namespace tandem::notifier
