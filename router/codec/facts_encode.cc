#include <variant>

#include "router/codec/convert.h"
#include "router/codec/facts.h"

namespace tandem::codec {
namespace {

using core::Fact;

// The end of the run of facts of kind `T` that begins at `at`.
template <typename T>
std::size_t RunEnd(const core::Facts& facts, std::size_t at) {
  while (at < facts.size() && std::holds_alternative<T>(facts[at])) ++at;
  return at;
}

void PutFired(const core::Facts& facts, std::size_t from, std::size_t to,
              stored::AlertsFired* out) {
  DeltaWriter index(out->mutable_index()), alert(out->mutable_alert()),
      incident(out->mutable_incident()), starts(out->mutable_starts()), ends(out->mutable_ends());
  for (; from < to; ++from) {
    const auto& fact = std::get<core::AlertFired>(facts[from]);
    index.Add(fact.index);
    alert.Add(static_cast<std::int64_t>(fact.alert.value));
    incident.Add(static_cast<std::int64_t>(fact.incident.value));
    starts.Add(fact.starts);
    ends.Add(fact.ends);
    out->add_flags(static_cast<std::uint32_t>(fact.severity) | (fact.ends_by_timeout ? 8U : 0U));
  }
}

void PutRefreshed(const core::Facts& facts, std::size_t from, std::size_t to,
                  stored::AlertsRefreshed* out) {
  DeltaWriter alert(out->mutable_alert()), incident(out->mutable_incident()),
      starts(out->mutable_starts()), ends(out->mutable_ends());
  bool any_changed = false;
  for (; from < to; ++from) {
    const auto& fact = std::get<core::AlertRefreshed>(facts[from]);
    alert.Add(static_cast<std::int64_t>(fact.alert.value));
    incident.Add(static_cast<std::int64_t>(fact.incident.value));
    starts.Add(fact.starts);
    ends.Add(fact.ends);
    out->add_flags(fact.ends_by_timeout ? 1 : 0);
    out->add_changed(fact.changed_index ? *fact.changed_index + 1 : 0);
    any_changed = any_changed || fact.changed_index.has_value();
  }
  if (!any_changed) out->clear_changed();
}

void PutCleared(const core::Facts& facts, std::size_t from, std::size_t to,
                stored::AlertsCleared* out) {
  DeltaWriter alert(out->mutable_alert()), incident(out->mutable_incident()),
      ended(out->mutable_ended()), source(out->mutable_source()),
      source_index(out->mutable_source_index());
  for (; from < to; ++from) {
    const auto& fact = std::get<core::AlertCleared>(facts[from]);
    alert.Add(static_cast<std::int64_t>(fact.alert.value));
    incident.Add(static_cast<std::int64_t>(fact.incident.value));
    ended.Add(fact.ended);
    out->add_flags(fact.by_timeout ? 1 : 0);
    source.Add(static_cast<std::int64_t>(fact.source.value));
    source_index.Add(fact.source_index);
  }
}

void PutEvidence(const core::Evidence& from, stored::Evidence* to) {
  to->set_playbook_digest(from.playbook_digest);
  to->set_rule(from.rule);
  to->set_context_version(from.context_version);
  to->set_context_age_us(absl::ToInt64Microseconds(from.context_age.age));
  to->set_context_unheard(!from.context_age.heard);
  for (const core::EntityFact& entity : from.entities) {
    stored::EntityFact* out = to->add_entities();
    out->set_kind(entity.kind);
    out->set_id(entity.id);
    out->set_how(entity.how);
    Put(entity.attributes, out->mutable_attributes());
  }
  for (const core::CalendarFact& calendar : from.calendars) {
    stored::CalendarFact* out = to->add_calendars();
    out->set_calendar(calendar.calendar);
    out->set_on(calendar.on);
    out->set_local_time(calendar.local_time);
  }
  to->mutable_gaps()->Add(from.gaps.begin(), from.gaps.end());
}

// What a person did: the fields that these facts share.
template <typename From, typename To>
void PutAction(const From& from, To* to) {
  to->set_incident(from.incident.value);
  Put(from.actor, to->mutable_actor());
  to->set_comment(from.comment);
  to->set_request_id(from.request_id);
}

template <typename From, typename To>
void PutDelivery(const From& from, To* to) {
  to->set_delivery(from.delivery.value);
  to->set_incident(from.incident.value);
  to->set_contact(from.contact);
}

struct Encoder {
  stored::Record* record;

  stored::Fact* Add() const { return record->add_facts(); }

  // Runs are written by EncodeFacts.
  void operator()(const core::AlertFired&) const {}
  void operator()(const core::AlertRefreshed&) const {}
  void operator()(const core::AlertCleared&) const {}

  void operator()(const core::ClientAdvanced& fact) const {
    auto* to = Add()->mutable_client_advanced();
    to->set_client_id(fact.client_id);
    to->set_number(fact.number);
  }
  void operator()(const core::IncidentOpened& fact) const {
    auto* to = Add()->mutable_incident_opened();
    to->set_incident(fact.incident.value);
    to->set_index(fact.index);
    to->set_title(fact.title);
    Put(fact.group_labels, to->mutable_group_labels());
    to->set_handling(static_cast<std::uint32_t>(fact.handling));
    to->set_severity(static_cast<std::uint32_t>(fact.severity));
    to->set_context_gap(fact.context_gap);
    to->set_next_step(fact.next_step);
    to->set_ask_at(fact.ask_at);
    PutEvidence(fact.evidence, to->mutable_evidence());
  }
  void operator()(const core::IncidentReopened& fact) const {
    auto* to = Add()->mutable_incident_reopened();
    PutAction(fact, to);
    to->set_next_step(fact.next_step);
    to->set_ask_at(fact.ask_at);
  }
  void operator()(const core::SeverityRaised& fact) const {
    auto* to = Add()->mutable_severity_raised();
    to->set_incident(fact.incident.value);
    to->set_severity(static_cast<std::uint32_t>(fact.severity));
  }
  void operator()(const core::IncidentAcknowledged& fact) const {
    auto* to = Add()->mutable_incident_acknowledged();
    PutAction(fact, to);
    to->set_expires(fact.expires);
  }
  void operator()(const core::AcknowledgementExpired& fact) const {
    auto* to = Add()->mutable_acknowledgement_expired();
    to->set_incident(fact.incident.value);
    to->set_next_step(fact.next_step);
  }
  void operator()(const core::IncidentNoted& fact) const {
    auto* to = Add()->mutable_incident_noted();
    to->set_incident(fact.incident.value);
    Put(fact.actor, to->mutable_actor());
    to->set_text(fact.text);
    to->set_request_id(fact.request_id);
  }
  void operator()(const core::ResolveScheduled& fact) const {
    auto* to = Add()->mutable_resolve_scheduled();
    to->set_incident(fact.incident.value);
    to->set_due(fact.due);
  }
  void operator()(const core::IncidentResolved& fact) const {
    auto* to = Add()->mutable_incident_resolved();
    PutAction(fact, to);
    to->set_forget(fact.forget);
  }
  void operator()(const core::IncidentForgotten& fact) const {
    Add()->mutable_incident_forgotten()->set_incident(fact.incident.value);
  }
  void operator()(const core::StepTaken& fact) const {
    auto* to = Add()->mutable_step_taken();
    to->set_incident(fact.incident.value);
    to->set_step(fact.step);
    to->set_round(fact.round);
    to->set_last_resort(fact.last_resort);
    to->set_nobody(fact.nobody);
    to->set_next_step(fact.next_step);
    for (const std::string& schedule : fact.unstaffed) to->add_unstaffed(schedule);
  }
  void operator()(const core::RequestOpened& fact) const {
    auto* to = Add()->mutable_request_opened();
    to->set_incident(fact.incident.value);
    to->set_request(fact.request);
    to->set_kind(static_cast<std::uint32_t>(fact.kind));
    to->set_team(fact.team);
    to->set_question(fact.question);
    to->mutable_options()->Add(fact.options.begin(), fact.options.end());
    to->set_due(fact.due);
    to->set_unanswered(static_cast<std::uint32_t>(fact.unanswered));
    to->set_unreached(fact.unreached);
  }
  void operator()(const core::RequestAnswered& fact) const {
    auto* to = Add()->mutable_request_answered();
    PutAction(fact, to);
    to->set_named(fact.named);
    to->set_request(fact.request);
    to->set_answer(fact.answer);
  }
  void operator()(const core::RequestLapsed& fact) const {
    auto* to = Add()->mutable_request_lapsed();
    to->set_incident(fact.incident.value);
    to->set_request(fact.request);
    to->set_unanswered(static_cast<std::uint32_t>(fact.unanswered));
  }
  void operator()(const core::HandoverOffered& fact) const {
    auto* to = Add()->mutable_handover_offered();
    PutAction(fact, to);
    to->set_team(fact.team);
    to->set_expires(fact.expires);
  }
  void operator()(const core::HandoverAccepted& fact) const {
    auto* to = Add()->mutable_handover_accepted();
    PutAction(fact, to);
    to->set_team(fact.team);
  }
  void operator()(const core::HandoverDeclined& fact) const {
    auto* to = Add()->mutable_handover_declined();
    PutAction(fact, to);
    to->set_team(fact.team);
  }
  void operator()(const core::HandoverLapsed& fact) const {
    auto* to = Add()->mutable_handover_lapsed();
    to->set_incident(fact.incident.value);
    to->set_team(fact.team);
  }
  void operator()(const core::DeliveryPlanned& fact) const {
    auto* to = Add()->mutable_delivery_planned();
    to->set_delivery(fact.delivery.value);
    to->set_incident(fact.incident.value);
    to->set_event_type(fact.event_type);
    to->set_step(fact.step);
    to->set_team(fact.team);
    to->set_contact(fact.contact);
    to->set_person(fact.person);
    to->set_schedule(fact.schedule);
  }
  void operator()(const core::DeliveryAttempted& fact) const {
    auto* to = Add()->mutable_delivery_attempted();
    PutDelivery(fact, to);
    to->set_attempt(fact.attempt);
  }
  void operator()(const core::DeliverySucceeded& fact) const {
    auto* to = Add()->mutable_delivery_succeeded();
    PutDelivery(fact, to);
    to->set_attempt(fact.attempt);
    to->set_latency_us(absl::ToInt64Microseconds(fact.latency));
  }
  void operator()(const core::DeliveryFailed& fact) const {
    auto* to = Add()->mutable_delivery_failed();
    PutDelivery(fact, to);
    to->set_attempt(fact.attempt);
    to->set_detail(fact.detail);
    to->set_not_before(fact.not_before);
  }
  void operator()(const core::DeliveryGivenUp& fact) const {
    auto* to = Add()->mutable_delivery_given_up();
    PutDelivery(fact, to);
    to->set_attempt(fact.attempt);
    to->set_detail(fact.detail);
  }
  void operator()(const core::DeliveryCancelled& fact) const {
    auto* to = Add()->mutable_delivery_cancelled();
    PutDelivery(fact, to);
    to->set_reason(fact.reason);
  }
  void operator()(const core::StepHastened& fact) const {
    auto* to = Add()->mutable_step_hastened();
    to->set_incident(fact.incident.value);
    to->set_next_step(fact.next_step);
  }
  void operator()(const core::EndsDeferred& fact) const {
    Add()->mutable_ends_deferred()->set_until(fact.until);
  }
  void operator()(const core::ContextChanged& fact) const {
    Add()->mutable_context_changed()->set_version(fact.version);
  }
  void operator()(const core::PlaybookActivated& fact) const {
    auto* to = Add()->mutable_playbook_activated();
    to->set_digest(fact.digest);
    Put(fact.actor, to->mutable_actor());
    to->set_comment(fact.comment);
    to->set_request_id(fact.request_id);
    to->set_rule_count(fact.rule_count);
  }
};

}  // namespace

void EncodeFacts(const core::Facts& facts, journal::v1::Record* record) {
  const Encoder encoder{record};
  std::size_t at = 0;
  while (at < facts.size()) {
    const std::size_t from = at;
    if (std::holds_alternative<core::AlertFired>(facts[at])) {
      at = RunEnd<core::AlertFired>(facts, at);
      PutFired(facts, from, at, encoder.Add()->mutable_alerts_fired());
    } else if (std::holds_alternative<core::AlertRefreshed>(facts[at])) {
      at = RunEnd<core::AlertRefreshed>(facts, at);
      PutRefreshed(facts, from, at, encoder.Add()->mutable_alerts_refreshed());
    } else if (std::holds_alternative<core::AlertCleared>(facts[at])) {
      at = RunEnd<core::AlertCleared>(facts, at);
      PutCleared(facts, from, at, encoder.Add()->mutable_alerts_cleared());
    } else {
      std::visit(encoder, facts[at++]);
    }
  }
}

}  // namespace tandem::codec
