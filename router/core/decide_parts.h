// The judgements, one function for each kind of question. Pure: they read the state and append
// facts. `Step` (decide.h) calls them; nobody else needs to.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "router/core/fact.h"
#include "router/core/input.h"
#include "router/core/state.h"

namespace tandem::core {

// One alert of a batch: fires, is refreshed, clears, or says nothing new (decide_alert.cc).
void DecideAlert(const TenantState& state, const AlertBatch& batch, const AlertItem& alert,
                 Micros now, Facts& facts);

// An incident after an alert of it has cleared: schedules its resolution when nothing fires any
// more.
void DecideQuiet(const Incident& incident, Micros now, Facts& facts);

// What people do (decide_action.cc). NOT_FOUND or FAILED_PRECONDITION say why it is not possible;
// then nothing is appended.
absl::Status DecideAcknowledgement(const TenantState& state, const Acknowledgement& input,
                                   Micros now, Facts& facts);
absl::Status DecideNote(const TenantState& state, const Note& input, Micros now, Facts& facts);
absl::Status DecideResolution(const TenantState& state, const Resolution& input, Micros now,
                              Facts& facts);
absl::Status DecideReopening(const TenantState& state, const Reopening& input, Micros now,
                             Facts& facts);

absl::Status DecideAnswer(const TenantState& state, const RequestAnswer& input, Micros now,
                          Facts& facts);
absl::Status DecideHandoverOffer(const TenantState& state, const HandoverOffer& input, Micros now,
                                 Facts& facts);
absl::Status DecideHandoverReply(const TenantState& state, const HandoverReply& input, Micros now,
                                 Facts& facts);

// The incident that a person means. FAILED_PRECONDITION when it has left the state.
absl::StatusOr<const Incident*> FindForAction(const TenantState& state, IncidentNumber number);

// The earliest deadline of the incident's requests or of its hand-over, when it has come
// (decide_request.cc): asks, or says what follows when nobody has answered. False: none has come.
bool DecideRequests(const TenantState& state, const Incident& incident, Micros now, Facts& facts);

// What the notifier says of a delivery (decide_delivery.cc). A report about one that has ended says
// nothing.
void DecideDeliveryReport(const TenantState& state, const DeliveryReport& report, Micros now,
                          Facts& facts);

// The earliest deadline of an incident has come (decide_deadline.cc).
// REQUIRES: incident.deadline is not 0 and not after `now`.
void DecideDeadline(const TenantState& state, const Incident& incident, Micros now, Facts& facts);

// Ends an incident: cancels what is open and tells those who were reached.
void ResolveIncident(const TenantState& state, const Incident& incident, Actor actor,
                     std::string comment, std::string request_id, Micros now, Facts& facts);

}  // namespace tandem::core
