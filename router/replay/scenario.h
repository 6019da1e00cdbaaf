// A walk-through as both sides write it: alerts, context, clock and what people do, with the story
// that is expected.
//
//   scenarios:
//     - name: link-down-on-the-icu
//       about: A switch of the intensive care ward goes down at noon.
//       start: "2026-03-02 12:00 Europe/Vienna"
//       context:                       # added to the context that the walk was given
//         - {kind: device, id: sw-7, attributes: {ward: icu}, relations: ["runs_at site/main"]}
//       steps:                         # offsets from the start, rising
//         - {at: 0s, alert: {alertname: LinkDown, device: sw-7}, annotations: {summary: Link down}}
//         - {at: 3m, acknowledge: {by: eva, side: customer, for: 30m, comment: On my way}}
//         - {at: 20m, clear: {alertname: LinkDown, device: sw-7}}
//       until: 4h
//       expect:                        # lines that occur, in this order
//         - "+0s opened #1 by rule ward-network: clinical-it leads, autonomous, warning"
//       whole: true                    # and no other line does
//       never: ["told house-officer"]  # texts that no line contains
//
// README.md of this room describes every key. Pure; values.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "router/core/input.h"
#include "router/playbook/environment.h"
#include "router/playbook/node.h"

namespace tandem::replay {

using Pairs = std::vector<std::pair<std::string, std::string>>;  // sorted by name, unique

// An alert begins to fire, or is reported again with other annotations. It fires until a ClearAlert
// with the same labels.
struct RaiseAlert {
  Pairs labels;  // no empty values, at least one
  Pairs annotations;
};
struct ClearAlert {
  Pairs labels;
};

// What a person does to an incident; without a number to the newest that is not resolved (a
// reopening: to the newest).
struct OnIncident {
  core::Actor actor;
  std::optional<std::uint64_t> incident;
  std::string text;  // the comment, or the note
};
struct Acknowledge : OnIncident {
  std::optional<absl::Duration> holds;
};
struct AddNote : OnIncident {};
struct Resolve : OnIncident {};
struct Reopen : OnIncident {};
// Of the newest question that is open; `text` is the comment.
struct Answer : OnIncident {
  std::string answer;
};
struct OfferLead : OnIncident {
  std::string team;
};
struct AcceptLead : OnIncident {};
struct DeclineLead : OnIncident {};

// What is sent to the contact does not arrive for a while.
struct Outage {
  std::string contact;
  absl::Duration lasts;
  playbook::Mark mark;  // of the contact's name
};

struct PutContext {
  playbook::EntitySpec entity;
};
struct RemoveContext {
  std::string kind, id;
};
// Time passes.
struct Nothing {};

using Action =
    std::variant<Nothing, RaiseAlert, ClearAlert, Acknowledge, AddNote, Resolve, Reopen, Answer,
                 OfferLead, AcceptLead, DeclineLead, Outage, PutContext, RemoveContext>;

struct Step {
  absl::Duration at;  // from the start; never falls from step to step
  Action action;
};

// A text of the scenario and where it stands.
struct Line {
  std::string text;
  playbook::Mark mark;
};

struct Scenario {
  std::string name;
  std::string about;
  absl::Time start;
  absl::TimeZone zone;  // of the start; in which a story may be told
  std::vector<playbook::EntitySpec> context;
  std::vector<Step> steps;
  std::optional<absl::Duration> until;
  std::vector<Line> expect;
  bool whole = false;
  std::vector<Line> never;
  playbook::Mark mark;  // of the scenario
};

struct Scenarios {
  std::vector<Scenario> scenarios;          // in the order of the file; empty with any error
  std::vector<playbook::Finding> findings;  // by line
  bool has_errors = false;
};

// The section `scenarios:` of a playbook, or of a file of their own. A source that has none gives
// none. Limits: 1,000 scenarios of 10,000 steps, 10,000 expected lines and 1,000 entities each, 400
// days; beyond any of them a finding says so. The size of the source is limited as that of a
// playbook (playbook::kSourceBytesMax).
Scenarios ReadScenarios(std::string_view source);

// Names that the scenarios use and the playbook has not got.
std::vector<playbook::Finding> CheckAgainst(const std::vector<Scenario>& scenarios,
                                            const playbook::Playbook& playbook);

// "2026-03-02 12:00 Europe/Vienna", with seconds if wanted: local time, in the years 1970 to 2100,
// and IANA zone. INVALID_ARGUMENT says why it is not that, also when the clock skips that time
// there; of an hour that comes twice it is the first.
struct Start {
  absl::Time time;
  absl::TimeZone zone;
};
absl::StatusOr<Start> ReadStart(std::string_view text);

}  // namespace tandem::replay
