#include "router/core/decide_parts.h"
#include "router/core/escalation.h"

namespace tandem::core {

void DecideDeadline(const TenantState& state, const Incident& incident, Micros now, Facts& facts) {
  // Resolving comes first: nobody is told of what is over.
  if (incident.resolve_due != 0 && incident.resolve_due <= now) {
    ResolveIncident(state, incident, {"tandem", Side::kUnspecified}, "", "", now, facts);
    return;
  }
  if (incident.state != IncidentState::kResolved && DecideRequests(state, incident, now, facts)) {
    return;
  }
  switch (incident.state) {
    case IncidentState::kOpen:
      TakeStep(state, incident, now, facts);
      return;
    case IncidentState::kAcknowledged:
      facts.push_back(AcknowledgementExpired{incident.number, now});
      return;
    case IncidentState::kResolved:
      facts.push_back(IncidentForgotten{incident.number});
      return;
  }
}

}  // namespace tandem::core
