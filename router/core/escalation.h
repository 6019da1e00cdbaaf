// Who is told next about an incident that nobody has taken over yet.
//
// The ladder of a playbook's escalation is climbed rung by rung, repeated as declared, and ends in
// the tenant's last resort, which is told again and again: an open incident always has a deadline.
//
// Pure; safe to call from any thread.
#pragma once

#include "router/core/fact.h"
#include "router/core/state.h"

namespace tandem::core {

// How often the last resort (or, without one, the last rung) is told once the ladder is finished.
inline constexpr Micros kLastResortEvery = 30LL * 60 * 1'000'000;

// The facts of the rung that is due: StepTaken, then a DeliveryPlanned for each contact: those of
// the teams, and the first contact of each member, of who is on call by each schedule at `now`, and
// of each person. Schedules by which nobody is stand in StepTaken. A rung on which nobody can be
// told is taken without deliveries, and the next is due at once. A team that has taken the lead
// over is told by every rung beside whom the rung names. REQUIRES: the incident is open; its next
// step is due, or is to come earlier.
void TakeStep(const TenantState& state, const Incident& incident, Micros now, Facts& facts);

// A message to every contact told so far: "incident.resolved", "incident.severity_raised". With
// `only_reached`, only to those to whom an attempt was made.
struct TellOptions {
  bool only_reached = false;
};
void TellAgain(const TenantState& state, const Incident& incident, const char* event_type,
               TellOptions options, Facts& facts);

// A message to one team: to its contacts and members; a team that has neither is told by who is on
// call for it. False when there is nobody.
bool TellTeam(const TenantState& state, const Incident& incident, const char* event_type,
              std::uint32_t team, Micros now, Facts& facts);

// The same message to the next contact of the person whose contact could not be told. False when
// it was for no person, she has no further contact, or the incident has moved on.
bool TellNextContact(const TenantState& state, const Incident& incident, const Delivery& failed,
                     Facts& facts);

// Withdraws what is open of the incident. Who takes over ends the escalation, not the questions.
enum class Withdraw : std::uint8_t { kEverything, kEscalation, kQuestion, kOffer };
void CancelDeliveries(const TenantState& state, const Incident& incident, Withdraw what,
                      const char* reason, Facts& facts);

}  // namespace tandem::core
