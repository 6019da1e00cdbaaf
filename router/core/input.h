// What can happen to a tenant. Inputs are nouns; what the core decides about them are facts
// (fact.h).
//
// Values. An AlertBatch points into bytes that its owner keeps alive while it is used.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "router/base/ids.h"
#include "router/base/words.h"
#include "router/core/identity.h"
#include "router/playbook/environment.h"
#include "router/playbook/playbook.h"

namespace tandem::core {

// Who did something; the router itself is "tandem" with no side.
struct Actor {
  std::string principal;
  Side side = Side::kUnspecified;
  friend bool operator==(const Actor&, const Actor&) = default;
};

// One valid alert of a batch.
struct AlertItem {
  std::uint32_t index = 0;  // in the batch as it was received
  Identity identity;
  std::uint64_t details = 0;         // DetailsHash
  playbook::LabelsView labels;       // sorted, unique, no empty values, at least one
  playbook::LabelsView annotations;  // as sent
  std::string_view generator_url;
  std::optional<absl::Time> starts_at;
  std::optional<absl::Time> ends_at;
};

// How fresh the context was. `age` is the time since the context service was heard of last, or
// since the router's start when it was not heard of since then: the context is then what the
// journal kept.
struct ContextAge {
  absl::Duration age;
  bool heard = true;  // since the router's start
  friend bool operator==(const ContextAge&, const ContextAge&) = default;
};

struct AlertBatch {
  std::string_view client_id;  // empty: the sender is not remembered
  std::uint64_t number = 0;    // of the client's batches
  std::span<const AlertItem> alerts;
  // How long an alert lives that is not reported again.
  absl::Duration resolve_timeout = absl::Minutes(5);
  ContextAge context_age;
};

// A person takes over.
struct Acknowledgement {
  Actor actor;
  IncidentNumber incident;
  std::string comment;
  std::string request_id;
  std::optional<absl::Duration> expires_in;  // cut to the rule's ack_expires
};

struct Note {
  Actor actor;
  IncidentNumber incident;
  std::string text;
  std::string request_id;
};

struct Resolution {
  Actor actor;
  IncidentNumber incident;
  std::string comment;
  std::string request_id;
};

struct Reopening {
  Actor actor;
  IncidentNumber incident;
  std::string comment;
  std::string request_id;
};

// A team answers what it was asked.
struct RequestAnswer {
  Actor actor;
  IncidentNumber incident;
  std::uint32_t request = 0;  // 0: the newest that is open
  std::string answer;         // one of the options, or any text when there are none
  std::string comment;
  std::string request_id;
};

// The owner offers the lead to another team.
struct HandoverOffer {
  Actor actor;
  IncidentNumber incident;
  std::string team;  // of the incident's playbook
  std::string comment;
  std::string request_id;
};

// The offered team takes the lead, or does not.
struct HandoverReply {
  Actor actor;
  IncidentNumber incident;
  bool accept = false;
  std::string comment;
  std::string request_id;
  std::string team = {};  // to which it is offered, as the person knows it; empty: whichever
};

// What became of an attempt to deliver.
struct DeliveryReport {
  enum class Outcome : std::uint8_t { kAttempting = 1, kSucceeded = 2, kFailed = 3, kGivenUp = 4 };
  DeliveryNumber delivery;
  Outcome outcome = Outcome::kAttempting;
  std::uint32_t attempt = 0;  // from 1
  std::string detail;
  std::optional<absl::Time> not_before;
  absl::Duration latency;
};

// The environment changed. A snapshot replaces everything.
struct ContextChange {
  std::uint64_t version = 0;
  bool snapshot = false;
  std::vector<playbook::EntitySpec> put;
  std::vector<std::pair<std::string, std::string>> removed;  // (kind, id)
  Actor actor;
  std::string comment;
};

// A playbook goes live.
struct PlaybookActivation {
  Actor actor;
  std::string comment;
  std::shared_ptr<const playbook::Playbook> playbook;
  std::string request_id;
};

// A deadline has come.
struct TimePassed {};

// The router takes reports again after a time in which it could not: it was down, or its disk full.
// No alert ends for want of a report until those who report had `grace` to say that it still fires.
struct Resumption {
  absl::Duration grace;
};

using Input = std::variant<AlertBatch, Acknowledgement, Note, Resolution, Reopening, RequestAnswer,
                           HandoverOffer, HandoverReply, DeliveryReport, ContextChange,
                           PlaybookActivation, TimePassed, Resumption>;

}  // namespace tandem::core
