// What the core has decided. Facts are past tense, carry every judgement, and are what recovery
// folds: a new release applies the facts of an old one without deciding anew.
//
// A fact about an alert names it by its index in the batch that the same record holds, so that the
// labels are stored once, as they came. Times are Unix microseconds (UTC).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "router/base/ids.h"
#include "router/base/words.h"
#include "router/core/input.h"
#include "router/playbook/playbook.h"

namespace tandem::core {

using Micros = std::int64_t;

// A client's batch was taken.
struct ClientAdvanced {
  std::string client_id;
  std::uint64_t number = 0;
};

// An alert began to fire and belongs to an incident.
struct AlertFired {
  std::uint32_t index = 0;
  AlertNumber alert;
  IncidentNumber incident;
  Micros starts = 0;
  Micros ends = 0;  // unless it is reported again
  bool ends_by_timeout = false;
  Severity severity = Severity::kWarning;
};

// A firing alert was reported again.
struct AlertRefreshed {
  AlertNumber alert;
  IncidentNumber incident;
  Micros starts = 0;
  Micros ends = 0;
  bool ends_by_timeout = false;
  // The index of a report whose annotations or URL differ from those known.
  std::optional<std::uint32_t> changed_index;
};

// An alert has ended.
struct AlertCleared {
  AlertNumber alert;
  IncidentNumber incident;
  Micros ended = 0;
  bool by_timeout = false;
  Sequence source;                 // the record that holds its newest report …
  std::uint32_t source_index = 0;  // … and its index there
};

// An entity that the alert was bound to, as it was then.
struct EntityFact {
  std::string kind, id;
  std::string how;  // "label", "matcher" or "site of device/plc-7 (runs_at)"
  std::vector<std::pair<std::string, std::string>> attributes;
  friend bool operator==(const EntityFact&, const EntityFact&) = default;
};

struct CalendarFact {
  std::string calendar;
  bool on = false;
  std::string local_time;
  friend bool operator==(const CalendarFact&, const CalendarFact&) = default;
};

// Why: everything that the decision rested on beside the alert itself and the playbook's text.
struct Evidence {
  std::string playbook_digest;
  std::uint32_t rule = 0;
  std::uint64_t context_version = 0;
  ContextAge context_age;
  std::vector<EntityFact> entities;
  std::vector<CalendarFact> calendars;
  std::vector<std::string> gaps;
  friend bool operator==(const Evidence&, const Evidence&) = default;
};

struct IncidentOpened {
  IncidentNumber incident;
  std::uint32_t index = 0;  // the alert that opened it
  std::string title;
  std::vector<std::pair<std::string, std::string>> group_labels;  // sorted
  Handling handling = Handling::kAutonomous;
  Severity severity = Severity::kWarning;
  bool context_gap = false;
  Micros next_step = 0;
  Evidence evidence;
  Micros ask_at = 0;  // when the other side is asked; 0: nobody is
};

// The group fired again, or a person took the resolution back.
struct IncidentReopened {
  IncidentNumber incident;
  Actor actor;
  std::string comment;
  std::string request_id;
  Micros next_step = 0;
  Micros ask_at = 0;  // as in IncidentOpened
};

struct SeverityRaised {
  IncidentNumber incident;
  Severity severity = Severity::kWarning;
};

struct IncidentAcknowledged {
  IncidentNumber incident;
  Actor actor;
  std::string comment;
  std::string request_id;
  Micros expires = 0;
};

struct AcknowledgementExpired {
  IncidentNumber incident;
  Micros next_step = 0;
};

struct IncidentNoted {
  IncidentNumber incident;
  Actor actor;
  std::string text;
  std::string request_id;
};

// Nothing of the incident fires any more; it resolves at `due` unless something fires again.
struct ResolveScheduled {
  IncidentNumber incident;
  Micros due = 0;
};

struct IncidentResolved {
  IncidentNumber incident;
  Actor actor;
  std::string comment;
  std::string request_id;
  Micros forget = 0;  // when it leaves the state
};

// A resolved incident is old enough to leave the state; its history stays.
struct IncidentForgotten {
  IncidentNumber incident;
};

// A rung of the escalation. The deliveries that it planned follow it.
struct StepTaken {
  IncidentNumber incident;
  std::uint32_t step = 0;    // from 1, within the ladder
  std::uint32_t round = 0;   // from 1; above 1 the ladder repeats
  bool last_resort = false;  // the ladder was finished: the last resort is told
  bool nobody = false;       // no contact could be told; the next step follows at once
  Micros next_step = 0;
  std::vector<std::string> unstaffed;  // schedules of the step by which nobody was on call
};

// A question to a team of the side that does not own the incident. The deliveries that tell the
// team follow it.
struct RequestOpened {
  IncidentNumber incident;
  std::uint32_t request = 0;  // from 1 in each incident
  Handling kind = Handling::kNeedsInput;
  std::string team;
  std::string question;
  std::vector<std::string> options;  // empty: any text answers
  Micros due = 0;
  playbook::Unanswered unanswered = playbook::Unanswered::kEscalate;
  bool unreached = false;  // nobody of the team can be told: it is due at once
};

struct RequestAnswered {
  IncidentNumber incident;
  std::uint32_t request = 0;
  Actor actor;
  std::string answer;
  std::string comment;
  std::string request_id;
  std::uint32_t named = 0;  // the request that the input named; 0: none
};

// Nobody has answered in time; it may still be answered.
struct RequestLapsed {
  IncidentNumber incident;
  std::uint32_t request = 0;
  playbook::Unanswered unanswered = playbook::Unanswered::kEscalate;
};

// The owner goes on leading until the offer is accepted.
struct HandoverOffered {
  IncidentNumber incident;
  Actor actor;
  std::string team;
  std::string comment;
  std::string request_id;
  Micros expires = 0;
};

struct HandoverAccepted {
  IncidentNumber incident;
  Actor actor;
  std::string team;  // leads from now on
  std::string comment;
  std::string request_id;
};

struct HandoverDeclined {
  IncidentNumber incident;
  Actor actor;
  std::string team;
  std::string comment;
  std::string request_id;
};

// Nobody has accepted in time.
struct HandoverLapsed {
  IncidentNumber incident;
  std::string team;
};

// An obligation to tell a contact: the outbox entry.
struct DeliveryPlanned {
  DeliveryNumber delivery;
  IncidentNumber incident;
  std::string event_type;  // "incident.opened" …
  std::uint32_t step = 0;  // 0 for what is not a step
  // Names in the incident's playbook. `team` is empty for the last resort and for a person whom the
  // step names herself.
  std::string team, contact;
  std::string person;  // who is told by the contact; empty: a contact of the team, the last resort
  std::string schedule;  // by which the person was on call; empty: she is told anyhow
};

struct DeliveryAttempted {
  DeliveryNumber delivery;
  IncidentNumber incident;
  std::string contact;
  std::uint32_t attempt = 0;
};

struct DeliverySucceeded {
  DeliveryNumber delivery;
  IncidentNumber incident;
  std::string contact;
  std::uint32_t attempt = 0;
  absl::Duration latency;
};

// An attempt failed; the delivery stays open.
struct DeliveryFailed {
  DeliveryNumber delivery;
  IncidentNumber incident;
  std::string contact;
  std::uint32_t attempt = 0;
  std::string detail;
  Micros not_before = 0;  // 0: at once, when what `detail` names has been done
};

// No attempt will be made any more.
struct DeliveryGivenUp {
  DeliveryNumber delivery;
  IncidentNumber incident;
  std::string contact;
  std::uint32_t attempt = 0;
  std::string detail;
};

// Not wanted any more.
struct DeliveryCancelled {
  DeliveryNumber delivery;
  IncidentNumber incident;
  std::string contact;
  std::string reason;
};

// Every contact of a step has failed: the next step is due now.
struct StepHastened {
  IncidentNumber incident;
  Micros next_step = 0;
};

struct ContextChanged {
  std::uint64_t version = 0;
};

struct PlaybookActivated {
  std::string digest;
  Actor actor;
  std::string comment;
  std::string request_id;
  // For lists, which do not compile each version; 0: an earlier release did not say.
  std::uint32_t rule_count = 0;
};

// No alert ends by the passing of time before `until`.
struct EndsDeferred {
  Micros until = 0;
};

using Fact =
    std::variant<ClientAdvanced, AlertFired, AlertRefreshed, AlertCleared, IncidentOpened,
                 IncidentReopened, SeverityRaised, IncidentAcknowledged, AcknowledgementExpired,
                 IncidentNoted, ResolveScheduled, IncidentResolved, IncidentForgotten, StepTaken,
                 DeliveryPlanned, DeliveryAttempted, DeliverySucceeded, DeliveryFailed,
                 DeliveryGivenUp, DeliveryCancelled, StepHastened, ContextChanged,
                 PlaybookActivated, EndsDeferred, RequestOpened, RequestAnswered, RequestLapsed,
                 HandoverOffered, HandoverAccepted, HandoverDeclined, HandoverLapsed>;
using Facts = std::vector<Fact>;

}  // namespace tandem::core
