#include <fmt/format.h>

#include <algorithm>

#include "router/base/status.h"
#include "router/core/decide_parts.h"
#include "router/core/escalation.h"

namespace tandem::core {
namespace {

// How long a resolved incident stays in the state, for reopening and notes.
constexpr Micros kResolvedKept = 7LL * 24 * 3600 * 1'000'000;

absl::Status WrongState(const Incident& incident, std::string_view verb,
                        std::string_view expected) {
  return Error(absl::StatusCode::kFailedPrecondition, "INCIDENT_STATE",
               fmt::format("incident {} is {}; only one that is {} can be {}",
                           incident.number.value, ToText(incident.state), expected, verb));
}

}  // namespace

absl::StatusOr<const Incident*> FindForAction(const TenantState& state, IncidentNumber number) {
  if (const Incident* incident = state.FindIncident(number)) return incident;
  if (number && number <= state.last_incident) {
    return Error(absl::StatusCode::kFailedPrecondition, "INCIDENT_ARCHIVED",
                 fmt::format("incident {} was resolved more than 7 days ago; it can be read but "
                             "not changed any more",
                             number.value));
  }
  return Error(absl::StatusCode::kNotFound, "INCIDENT_NOT_FOUND",
               "there is no such incident in the tenants of your credential");
}

absl::Status DecideAcknowledgement(const TenantState& state, const Acknowledgement& input,
                                   Micros now, Facts& facts) {
  TANDEM_ASSIGN_OR_RETURN(const Incident* incident, FindForAction(state, input.incident));
  if (incident->state == IncidentState::kResolved) {
    return WrongState(*incident, "acknowledged", "open or acknowledged");
  }
  absl::Duration holds = incident->Rule().ack_expires;
  if (input.expires_in) holds = std::min(holds, *input.expires_in);
  facts.push_back(IncidentAcknowledged{.incident = incident->number,
                                       .actor = input.actor,
                                       .comment = input.comment,
                                       .request_id = input.request_id,
                                       .expires = now + absl::ToInt64Microseconds(holds)});
  CancelDeliveries(state, *incident, Withdraw::kEscalation, "acknowledged", facts);
  return absl::OkStatus();
}

absl::Status DecideNote(const TenantState& state, const Note& input, Micros, Facts& facts) {
  TANDEM_ASSIGN_OR_RETURN(const Incident* incident, FindForAction(state, input.incident));
  facts.push_back(IncidentNoted{incident->number, input.actor, input.text, input.request_id});
  return absl::OkStatus();
}

absl::Status DecideResolution(const TenantState& state, const Resolution& input, Micros now,
                              Facts& facts) {
  TANDEM_ASSIGN_OR_RETURN(const Incident* incident, FindForAction(state, input.incident));
  if (incident->state == IncidentState::kResolved) {
    return WrongState(*incident, "resolved", "open or acknowledged");
  }
  ResolveIncident(state, *incident, input.actor, input.comment, input.request_id, now, facts);
  return absl::OkStatus();
}

absl::Status DecideReopening(const TenantState& state, const Reopening& input, Micros now,
                             Facts& facts) {
  TANDEM_ASSIGN_OR_RETURN(const Incident* incident, FindForAction(state, input.incident));
  if (incident->state != IncidentState::kResolved) {
    return WrongState(*incident, "reopened", "resolved");
  }
  const auto newest = state.groups.find(incident->group);
  if (newest != state.groups.end() && newest->second != incident->number) {
    return Error(absl::StatusCode::kFailedPrecondition, "INCIDENT_SUPERSEDED",
                 fmt::format("the group of incident {} has fired again since: go on in incident {}",
                             incident->number.value, newest->second.value));
  }
  const auto& ladder = incident->playbook->escalations()[incident->Rule().escalation];
  facts.push_back(IncidentReopened{
      .incident = incident->number,
      .actor = input.actor,
      .comment = input.comment,
      .request_id = input.request_id,
      .next_step = now + absl::ToInt64Microseconds(ladder.steps.front().after),
      .ask_at = incident->handling != Handling::kAutonomous && AsksOtherSide(*incident) ? now : 0});
  // Without a firing alert it would stay open for ever: its alerts cannot clear any more, so a
  // person has to resolve it. That is what reopening by hand asks for.
  return absl::OkStatus();
}

void ResolveIncident(const TenantState& state, const Incident& incident, Actor actor,
                     std::string comment, std::string request_id, Micros now, Facts& facts) {
  facts.push_back(IncidentResolved{.incident = incident.number,
                                   .actor = std::move(actor),
                                   .comment = std::move(comment),
                                   .request_id = std::move(request_id),
                                   .forget = now + kResolvedKept});
  CancelDeliveries(state, incident, Withdraw::kEverything, "resolved", facts);
  TellAgain(state, incident, "incident.resolved", {.only_reached = true}, facts);
}

}  // namespace tandem::core
