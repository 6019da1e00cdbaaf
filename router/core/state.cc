#include "router/core/state.h"

#include <algorithm>

namespace tandem::core {

const Incident* TenantState::FindIncident(IncidentNumber number) const {
  const auto found = incidents.find(number);
  return found == incidents.end() ? nullptr : found->second.get();
}

Incident* TenantState::FindIncident(IncidentNumber number) {
  return const_cast<Incident*>(std::as_const(*this).FindIncident(number));
}

std::optional<absl::Time> NextDeadline(const TenantState& state) {
  std::optional<Micros> earliest = state.alerts.NextWake();
  if (!state.deadlines.empty()) {
    const Micros deadline = state.deadlines.begin()->first;
    earliest = earliest ? std::min(*earliest, deadline) : deadline;
  }
  if (!earliest) return std::nullopt;
  return absl::FromUnixMicros(*earliest);
}

std::string RequestKey(const Actor& actor, std::string_view request_id) {
  if (request_id.empty()) return {};
  std::string key = actor.principal;
  key.push_back('\0');
  key.append(request_id);
  return key;
}

}  // namespace tandem::core
