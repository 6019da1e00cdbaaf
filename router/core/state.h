// The state of one tenant: what its history amounts to.
//
// Only Apply changes it (apply.h). Ordered containers wherever an order could be seen. One thread
// at a time.
#pragma once

#include <absl/container/btree_map.h>
#include <absl/container/btree_set.h>
#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "router/base/ids.h"
#include "router/core/alerts.h"
#include "router/core/fact.h"
#include "router/playbook/environment.h"
#include "router/playbook/playbook.h"

namespace tandem::core {

// A contact that was told about an incident.
struct Told {
  std::string team;  // this and the others as in DeliveryPlanned
  std::string contact;
  bool reached = false;  // an attempt was made, so the message may have arrived
  std::string person = {}, schedule = {};
  friend bool operator==(const Told&, const Told&) = default;
};

// A question to a team, and what became of it.
struct TeamRequest {
  enum class State : std::uint8_t {
    kOpen = 1,
    kAnswered = 2,
    kLapsed = 3,  // due and not answered; still to be answered
    kClosed = 4,  // the incident was resolved before anybody answered
  };
  std::uint32_t number = 0;  // from 1
  State state = State::kOpen;
  Handling kind = Handling::kNeedsInput;
  std::string team;
  std::string question;
  std::vector<std::string> options;
  Micros asked = 0;
  Micros due = 0;
  playbook::Unanswered unanswered = playbook::Unanswered::kEscalate;
  // While kAnswered.
  Actor answered_by;
  Micros answered = 0;
  std::string answer;
  friend bool operator==(const TeamRequest&, const TeamRequest&) = default;
};

// An offer of the lead that waits for a reply.
struct Handover {
  std::uint32_t team = 0;  // into the incident's playbook
  Actor offered_by;
  Micros expires = 0;
  friend bool operator==(const Handover&, const Handover&) = default;
};

struct Incident {
  IncidentNumber number;
  IncidentState state = IncidentState::kOpen;
  Severity severity = Severity::kWarning;
  Handling handling = Handling::kAutonomous;
  bool context_gap = false;
  // The version that it began under; it keeps it.
  std::shared_ptr<const playbook::Playbook> playbook;
  std::uint32_t rule = 0;
  std::uint32_t owner = 0;  // the team that leads, into playbook->teams()
  std::string title;
  std::vector<std::pair<std::string, std::string>> group_labels;
  Identity group;
  Sequence opened_by;  // the record with the evidence
  Micros opened = 0;
  Micros updated = 0;
  std::uint32_t firing = 0;
  std::uint32_t total = 0;
  std::uint32_t reopened = 0;

  // Escalation: the rung that was taken last, and when the next is due (0: none).
  Micros ladder_start = 0;
  std::uint32_t step = 0;
  std::uint32_t round = 1;
  bool exhausted = false;
  bool step_delivered = false;  // a contact of that rung has received its message
  Micros next_step = 0;
  std::vector<Told> told;
  std::vector<DeliveryNumber> open_deliveries;  // ascending

  Actor acknowledged_by;  // while acknowledged
  Micros acknowledged = 0;
  Micros acknowledgement_expires = 0;

  Micros ask_at = 0;                  // when the other side is asked; 0: not any more
  std::vector<TeamRequest> requests;  // by number; at most Limits::kTeamRequestsMax
  std::optional<Handover> handover;

  Micros resolve_due = 0;  // 0: not scheduled
  Actor resolved_by;       // while resolved
  Micros resolved = 0;
  Micros forget = 0;

  Micros deadline = 0;  // as it stands in TenantState::deadlines; 0: none

  const playbook::Rule& Rule() const { return playbook->rules()[rule]; }
  const playbook::Team& Owner() const { return playbook->teams()[owner]; }
};

struct Delivery {
  DeliveryNumber number;
  IncidentNumber incident;
  std::string event_type;
  std::uint32_t step = 0;
  std::string team, contact;
  Micros planned = 0;
  // The incident as it was when the delivery was planned, and the record that planned it: every
  // attempt says the same.
  std::shared_ptr<const Incident> as_planned;
  Sequence planned_in;
  std::uint32_t attempts = 0;
  Micros not_before = 0;                   // 0: at once
  std::string person = {}, schedule = {};  // as in DeliveryPlanned
};

struct ClientPosition {
  std::uint64_t number = 0;
  Micros seen = 0;
};

// How long a request with an id is remembered.
inline constexpr Micros kRequestsKept = 24LL * 3600 * 1'000'000;

// A request with an id that was taken.
struct TakenRequest {
  Micros time = 0;
  IncidentNumber incident;    // 0 when it was about none
  std::uint64_t content = 0;  // RequestContent; 0 when a release that kept none has taken it
};

struct Limits {
  // Incidents in the state of a tenant. Above it a group that has none joins the one that its rule
  // opens without grouping, so that nothing is lost. 250,000 × 0.8 KiB ≈ 200 MiB.
  static constexpr std::size_t kIncidentsMax = 250'000;
  // Clients whose position is remembered; above it the one heard of longest ago is forgotten, and
  // its next batch is judged by the identity of its alerts alone.
  static constexpr std::size_t kClientsMax = 10'000;
  // Requests that are remembered; above it, and after 24 h, the oldest is forgotten.
  static constexpr std::size_t kRequestsMax = 100'000;
  // Questions of one incident, which asks once each time it opens; above it the oldest is
  // forgotten.
  static constexpr std::size_t kTeamRequestsMax = 32;
  // Contacts told about one incident.
  static constexpr std::size_t kToldMax = 1'000;
};

struct TenantState {
  TenantId tenant;
  IdentityKey key = {};  // of this process; no part of the state's meaning, as the next
  std::size_t incidents_max = Limits::kIncidentsMax;

  Sequence last_sequence;
  Micros last_time = 0;

  std::shared_ptr<const playbook::Playbook> playbook;  // the active one, never null
  playbook::Environment environment;
  std::uint64_t context_version = 0;
  // The records in which a playbook went live, and those in which the context changed; ascending.
  std::vector<Sequence> activations;
  std::vector<Sequence> context_changes;

  AlertTable alerts;
  AlertNumber last_alert;
  // No alert ends by the passing of time before this: see Resumption.
  Micros ends_deferred = 0;

  absl::btree_map<IncidentNumber, std::unique_ptr<Incident>> incidents;
  IncidentNumber last_incident;
  // The newest incident of each group.
  absl::flat_hash_map<Identity, IncidentNumber> groups;  // order never seen
  absl::btree_set<std::pair<Micros, IncidentNumber>> deadlines;

  absl::btree_map<DeliveryNumber, Delivery> deliveries;  // open ones
  DeliveryNumber last_delivery;

  absl::btree_map<std::string, ClientPosition> clients;
  // Clients by when they were last heard, to forget the oldest.
  absl::btree_set<std::pair<Micros, std::string>> clients_by_age;
  // By RequestKey, for 24 h.
  absl::btree_map<std::string, TakenRequest> requests;
  absl::btree_set<std::pair<Micros, std::string>> requests_by_age;

  // nullptr when there is none (any more).
  const Incident* FindIncident(IncidentNumber number) const;
  Incident* FindIncident(IncidentNumber number);
};

// The earliest time at which the tenant needs TimePassed; nullopt when there is none.
std::optional<absl::Time> NextDeadline(const TenantState& state);

// The key under which a request is remembered; empty when it has no id.
std::string RequestKey(const Actor& actor, std::string_view request_id);

// What a request asked for, in 64 bits that are equal on every machine, never 0: a request id that
// comes again with something else is an error of the caller, not a repeat (aip.dev/155). `text` is
// the comment, or what else a person gave. An error of the caller can meet another content with
// 2^-64; nothing of security rests on it.
std::uint64_t RequestContent(std::string_view verb, IncidentNumber incident, std::string_view text);

// The texts by which answers and offers are compared. No answer has a NUL in it.
std::string AnswerContent(std::uint32_t named, std::string_view answer, std::string_view comment);
std::string OfferContent(std::string_view team, std::string_view comment);

// Whether the incident, led by whoever leads it now, has a team of the other side to ask.
bool AsksOtherSide(const Incident& incident);

// INVALID_ARGUMENT, REQUEST_ID_REUSED: the id was used for something else.
absl::Status RequestIdReused();

// SHA-256-sized text of everything that the state means, for comparing two states: equal histories
// give equal digests on every machine. Costs a walk over everything.
std::string StateDigest(const TenantState& state);

}  // namespace tandem::core
