#include <algorithm>

#include "router/core/decide_parts.h"
#include "router/core/escalation.h"

namespace tandem::core {
namespace {

// Whether `except` is the only delivery of the current rung that is still open.
bool LastOfItsRung(const TenantState& state, const Incident& incident, const Delivery& except) {
  return std::none_of(incident.open_deliveries.begin(), incident.open_deliveries.end(),
                      [&](DeliveryNumber number) {
                        const Delivery& other = state.deliveries.at(number);
                        return number != except.number && other.step == except.step;
                      });
}

}  // namespace

void DecideDeliveryReport(const TenantState& state, const DeliveryReport& report, Micros now,
                          Facts& facts) {
  const auto found = state.deliveries.find(report.delivery);
  if (found == state.deliveries.end()) return;
  const Delivery& delivery = found->second;
  switch (report.outcome) {
    case DeliveryReport::Outcome::kAttempting:
      // A repeated report of the same attempt says nothing new.
      if (report.attempt > delivery.attempts) {
        facts.push_back(DeliveryAttempted{delivery.number, delivery.incident, delivery.contact,
                                          report.attempt});
      }
      return;
    case DeliveryReport::Outcome::kSucceeded:
      facts.push_back(DeliverySucceeded{delivery.number, delivery.incident, delivery.contact,
                                        report.attempt, report.latency});
      return;
    case DeliveryReport::Outcome::kFailed:
      facts.push_back(DeliveryFailed{
          .delivery = delivery.number,
          .incident = delivery.incident,
          .contact = delivery.contact,
          .attempt = report.attempt,
          .detail = report.detail,
          .not_before = report.not_before ? absl::ToUnixMicros(*report.not_before) : 0});
      return;
    case DeliveryReport::Outcome::kGivenUp:
      break;
  }
  facts.push_back(DeliveryGivenUp{delivery.number, delivery.incident, delivery.contact,
                                  report.attempt, report.detail});
  const Incident& incident = *state.FindIncident(delivery.incident);
  if (TellNextContact(state, incident, delivery, facts)) return;
  if (incident.state == IncidentState::kOpen && delivery.step > 0 &&
      delivery.step == incident.step && !incident.exhausted && !incident.step_delivered &&
      incident.next_step > now && LastOfItsRung(state, incident, delivery)) {
    facts.push_back(StepHastened{incident.number, now});
  }
}

}  // namespace tandem::core
