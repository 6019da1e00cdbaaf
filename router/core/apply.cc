#include "router/core/apply.h"

#include <algorithm>

#include "router/base/check.h"

namespace tandem::core {
namespace {

// Puts the incident's earliest deadline where NextDeadline finds it.
void Reschedule(TenantState& state, Incident& incident) {
  Micros earliest = 0;
  const auto consider = [&earliest](Micros at) {
    if (at != 0 && (earliest == 0 || at < earliest)) earliest = at;
  };
  if (incident.state != IncidentState::kResolved) {
    consider(incident.resolve_due);
    consider(incident.ask_at);
    for (const TeamRequest& request : incident.requests) {
      if (request.state == TeamRequest::State::kOpen) consider(request.due);
    }
    if (incident.handover) consider(incident.handover->expires);
  }
  switch (incident.state) {
    case IncidentState::kOpen:
      consider(incident.next_step);
      break;
    case IncidentState::kAcknowledged:
      consider(incident.acknowledgement_expires);
      break;
    case IncidentState::kResolved:
      // It stays while an alert of it still fires or a message of it is on its way.
      // Never in the record that changes it, so that the change is still told.
      if (incident.firing == 0 && incident.open_deliveries.empty()) {
        consider(std::max(incident.forget, incident.updated + 1));
      }
      break;
  }
  if (earliest == incident.deadline) return;
  if (incident.deadline != 0) state.deadlines.erase({incident.deadline, incident.number});
  incident.deadline = earliest;
  if (earliest != 0) state.deadlines.insert({earliest, incident.number});
}

class Applier {
 public:
  Applier(TenantState& state, const Position& position) : state_(state), at_(position) {}

  void operator()(const ClientAdvanced& fact) {
    ClientPosition& client = state_.clients[fact.client_id];
    if (client.seen != 0) state_.clients_by_age.erase({client.seen, fact.client_id});
    client = {.number = fact.number, .seen = at_.time};
    state_.clients_by_age.insert({at_.time, fact.client_id});
    if (state_.clients.size() > Limits::kClientsMax) {
      state_.clients.erase(state_.clients_by_age.begin()->second);
      state_.clients_by_age.erase(state_.clients_by_age.begin());
    }
  }

  void operator()(const AlertFired& fact) {
    const AlertItem& item = Item(fact.index);
    AlertSlot slot;
    slot.identity = item.identity;
    slot.number = fact.alert;
    slot.incident = fact.incident;
    slot.starts = fact.starts;
    slot.ends = fact.ends;
    slot.ends_by_timeout = fact.ends_by_timeout;
    slot.severity = fact.severity;
    slot.details = item.details;
    slot.source = at_.sequence;
    slot.source_index = fact.index;
    state_.alerts.Insert(std::move(slot), item.labels);
    state_.last_alert = std::max(state_.last_alert, fact.alert);
    Incident& incident = Changed(fact.incident);
    ++incident.firing;
    ++incident.total;
    incident.resolve_due = 0;
    Reschedule(state_, incident);
  }

  void operator()(const AlertRefreshed& fact) {
    state_.alerts.Refresh(fact.alert, fact.starts, fact.ends, fact.ends_by_timeout);
    if (fact.changed_index) {
      state_.alerts.SetSource(fact.alert, Item(*fact.changed_index).details, at_.sequence,
                              *fact.changed_index);
    }
  }

  void operator()(const AlertCleared& fact) {
    state_.alerts.Erase(fact.alert);
    Incident& incident = Changed(fact.incident);
    TANDEM_CHECK(incident.firing > 0, "an alert that clears was counted as firing");
    --incident.firing;
    Reschedule(state_, incident);
  }

  void operator()(const IncidentOpened& fact) {
    auto incident = std::make_unique<Incident>();
    incident->number = fact.incident;
    incident->severity = fact.severity;
    incident->handling = fact.handling;
    incident->context_gap = fact.context_gap;
    incident->playbook = state_.playbook;
    TANDEM_CHECK(incident->playbook->digest() == fact.evidence.playbook_digest,
                 "an incident opens under the active playbook");
    incident->rule = fact.evidence.rule;
    incident->owner = incident->Rule().owner;
    incident->ask_at = fact.ask_at;
    incident->title = fact.title;
    incident->group_labels = fact.group_labels;
    std::vector<playbook::LabelView> labels;
    for (const auto& [name, value] : fact.group_labels) labels.push_back({name, value});
    incident->group = GroupIdentityOf(state_.key, incident->Rule().name, labels);
    incident->opened_by = at_.sequence;
    incident->opened = incident->updated = at_.time;
    incident->ladder_start = fact.next_step;
    incident->next_step = fact.next_step;
    state_.groups[incident->group] = fact.incident;
    state_.last_incident = std::max(state_.last_incident, fact.incident);
    Incident& stored = *incident;
    state_.incidents[fact.incident] = std::move(incident);
    Reschedule(state_, stored);
  }

  void operator()(const IncidentReopened& fact) {
    Incident& incident = Changed(fact.incident);
    incident.state = IncidentState::kOpen;
    incident.resolved = incident.forget = incident.resolve_due = 0;
    incident.resolved_by = {};
    ++incident.reopened;
    incident.step = 0;
    incident.round = 1;
    incident.exhausted = incident.step_delivered = false;
    incident.ladder_start = incident.next_step = fact.next_step;
    incident.ask_at = fact.ask_at;
    Remember(fact.actor, fact.request_id, "reopen", fact.incident, fact.comment);
    Reschedule(state_, incident);
  }

  void operator()(const SeverityRaised& fact) { Changed(fact.incident).severity = fact.severity; }

  void operator()(const IncidentAcknowledged& fact) {
    Incident& incident = Changed(fact.incident);
    incident.state = IncidentState::kAcknowledged;
    incident.acknowledged_by = fact.actor;
    incident.acknowledged = at_.time;
    incident.acknowledgement_expires = fact.expires;
    incident.next_step = 0;
    Remember(fact.actor, fact.request_id, "acknowledge", fact.incident, fact.comment);
    Reschedule(state_, incident);
  }

  void operator()(const AcknowledgementExpired& fact) {
    Incident& incident = Changed(fact.incident);
    incident.state = IncidentState::kOpen;
    ClearAcknowledgement(incident);
    incident.next_step = fact.next_step;
    Reschedule(state_, incident);
  }

  void operator()(const IncidentNoted& fact) {
    Changed(fact.incident);
    Remember(fact.actor, fact.request_id, "note", fact.incident, fact.text);
  }

  void operator()(const ResolveScheduled& fact) {
    Incident& incident = Changed(fact.incident);
    incident.resolve_due = fact.due;
    Reschedule(state_, incident);
  }

  void operator()(const IncidentResolved& fact) {
    Incident& incident = Changed(fact.incident);
    incident.state = IncidentState::kResolved;
    ClearAcknowledgement(incident);
    incident.next_step = incident.resolve_due = incident.ask_at = 0;
    incident.handover.reset();
    for (TeamRequest& request : incident.requests) {
      if (request.state != TeamRequest::State::kAnswered) {
        request.state = TeamRequest::State::kClosed;
      }
    }
    incident.resolved_by = fact.actor;
    incident.resolved = at_.time;
    incident.forget = fact.forget;
    Remember(fact.actor, fact.request_id, "resolve", fact.incident, fact.comment);
    Reschedule(state_, incident);
  }

  void operator()(const IncidentForgotten& fact) {
    Incident& incident = Get(fact.incident);
    if (incident.deadline != 0) state_.deadlines.erase({incident.deadline, incident.number});
    const auto group = state_.groups.find(incident.group);
    if (group != state_.groups.end() && group->second == fact.incident) state_.groups.erase(group);
    state_.incidents.erase(fact.incident);
  }

  void operator()(const StepTaken& fact) {
    Incident& incident = Changed(fact.incident);
    if (fact.round != incident.round) incident.ladder_start = at_.time;
    incident.step = fact.step;
    incident.round = fact.round;
    incident.exhausted = fact.last_resort;
    incident.step_delivered = false;
    incident.next_step = fact.next_step;
    Reschedule(state_, incident);
  }

  void operator()(const RequestOpened& fact) {
    Incident& incident = Changed(fact.incident);
    incident.ask_at = 0;
    if (incident.requests.size() >= Limits::kTeamRequestsMax) {
      incident.requests.erase(incident.requests.begin());
    }
    incident.requests.push_back({.number = fact.request,
                                 .kind = fact.kind,
                                 .team = fact.team,
                                 .question = fact.question,
                                 .options = fact.options,
                                 .asked = at_.time,
                                 .due = fact.due,
                                 .unanswered = fact.unanswered});
    Reschedule(state_, incident);
  }

  void operator()(const RequestAnswered& fact) {
    Incident& incident = Changed(fact.incident);
    TeamRequest& request = GetRequest(incident, fact.request);
    request.state = TeamRequest::State::kAnswered;
    request.answered_by = fact.actor;
    request.answered = at_.time;
    request.answer = fact.answer;
    Remember(fact.actor, fact.request_id, "answer", fact.incident,
             AnswerContent(fact.named, fact.answer, fact.comment));
    Reschedule(state_, incident);
  }

  void operator()(const RequestLapsed& fact) {
    Incident& incident = Changed(fact.incident);
    GetRequest(incident, fact.request).state = TeamRequest::State::kLapsed;
    Reschedule(state_, incident);
  }

  void operator()(const HandoverOffered& fact) {
    Incident& incident = Changed(fact.incident);
    incident.handover = {
        .team = TeamOf(incident, fact.team), .offered_by = fact.actor, .expires = fact.expires};
    Remember(fact.actor, fact.request_id, "offer", fact.incident,
             OfferContent(fact.team, fact.comment));
    Reschedule(state_, incident);
  }

  void operator()(const HandoverAccepted& fact) {
    Incident& incident = Changed(fact.incident);
    incident.owner = TeamOf(incident, fact.team);
    // Who leads need not ask itself.
    const Side side = incident.Owner().side;
    if (!AsksOtherSide(incident)) incident.ask_at = 0;
    for (TeamRequest& request : incident.requests) {
      const playbook::Team& asked = incident.playbook->teams()[TeamOf(incident, request.team)];
      if (asked.side == side && request.state != TeamRequest::State::kAnswered) {
        request.state = TeamRequest::State::kClosed;
      }
    }
    EndHandover(incident, fact, "accept");
  }
  void operator()(const HandoverDeclined& fact) {
    EndHandover(Changed(fact.incident), fact, "decline");
  }
  void operator()(const HandoverLapsed& fact) {
    Incident& incident = Changed(fact.incident);
    incident.handover.reset();
    Reschedule(state_, incident);
  }

  void operator()(const DeliveryPlanned& fact) {
    state_.deliveries[fact.delivery] = {.number = fact.delivery,
                                        .incident = fact.incident,
                                        .event_type = fact.event_type,
                                        .step = fact.step,
                                        .team = fact.team,
                                        .contact = fact.contact,
                                        .planned = at_.time,
                                        .person = fact.person,
                                        .schedule = fact.schedule};
    state_.last_delivery = std::max(state_.last_delivery, fact.delivery);
    Incident& incident = Changed(fact.incident);
    incident.open_deliveries.push_back(fact.delivery);
    const bool known =
        std::any_of(incident.told.begin(), incident.told.end(), [&fact](const Told& told) {
          return told.team == fact.team && told.contact == fact.contact &&
                 told.person == fact.person && told.schedule == fact.schedule;
        });
    if (!known && incident.told.size() < Limits::kToldMax) {
      incident.told.push_back({.team = fact.team,
                               .contact = fact.contact,
                               .person = fact.person,
                               .schedule = fact.schedule});
    }
    Reschedule(state_, incident);
    Delivery& delivery = state_.deliveries[fact.delivery];
    delivery.as_planned = std::make_shared<Incident>(incident);
    delivery.planned_in = at_.sequence;
  }

  void operator()(const DeliveryAttempted& fact) {
    Delivery& delivery = GetDelivery(fact.delivery);
    delivery.attempts = fact.attempt;
    for (Told& told : Changed(delivery.incident).told) {
      if (told.team == delivery.team && told.contact == delivery.contact) told.reached = true;
    }
  }

  void operator()(const DeliverySucceeded& fact) {
    const Delivery& delivery = GetDelivery(fact.delivery);
    Incident& incident = Get(delivery.incident);
    if (delivery.step > 0 && delivery.step == incident.step) incident.step_delivered = true;
    EndDelivery(fact.delivery);
  }

  void operator()(const DeliveryFailed& fact) {
    Delivery& delivery = GetDelivery(fact.delivery);
    delivery.not_before = fact.not_before;
    Changed(delivery.incident);
  }

  void operator()(const DeliveryGivenUp& fact) { EndDelivery(fact.delivery); }
  void operator()(const DeliveryCancelled& fact) { EndDelivery(fact.delivery); }

  void operator()(const StepHastened& fact) {
    Incident& incident = Changed(fact.incident);
    incident.next_step = fact.next_step;
    Reschedule(state_, incident);
  }

  void operator()(const EndsDeferred& fact) { state_.ends_deferred = fact.until; }

  void operator()(const ContextChanged& fact) {
    const auto& change = std::get<ContextChange>(*at_.input);
    if (change.snapshot) {
      state_.environment.Clear();
      state_.context_changes.clear();  // it says everything anew
    }
    for (const auto& [kind, id] : change.removed) state_.environment.Remove(kind, id);
    for (const playbook::EntitySpec& entity : change.put) {
      // The context service refuses what does not compile; should something slip through, its old
      // form stays, as Environment::Put promises.
      state_.environment.Put(entity).IgnoreError();
    }
    state_.context_version = fact.version;
    state_.context_changes.push_back(at_.sequence);
  }

  void operator()(const PlaybookActivated& fact) {
    state_.playbook = std::get<PlaybookActivation>(*at_.input).playbook;
    TANDEM_CHECK(state_.playbook != nullptr && state_.playbook->digest() == fact.digest,
                 "the playbook that was activated is the one that was handed in");
    state_.activations.push_back(at_.sequence);
    Remember(fact.actor, fact.request_id, "activate", IncidentNumber(), fact.digest + fact.comment);
  }

 private:
  const AlertItem& Item(std::uint32_t index) const {
    const auto& alerts = std::get<AlertBatch>(*at_.input).alerts;
    // Items are sorted by index; without refusals index and place agree.
    if (index < alerts.size() && alerts[index].index == index) return alerts[index];
    const auto found = std::lower_bound(
        alerts.begin(), alerts.end(), index,
        [](const AlertItem& item, std::uint32_t wanted) { return item.index < wanted; });
    TANDEM_CHECK(found != alerts.end() && found->index == index,
                 "a fact names an alert of its own record");
    return *found;
  }

  Incident& Get(IncidentNumber number) {
    Incident* incident = state_.FindIncident(number);
    TANDEM_CHECK(incident != nullptr, "a fact names an incident that is known");
    return *incident;
  }

  Incident& Changed(IncidentNumber number) {
    Incident& incident = Get(number);
    incident.updated = at_.time;
    return incident;
  }

  static TeamRequest& GetRequest(Incident& incident, std::uint32_t number) {
    for (TeamRequest& request : incident.requests) {
      if (request.number == number) return request;
    }
    TANDEM_CHECK(false, "a fact names a request of its incident");
  }

  static std::uint32_t TeamOf(const Incident& incident, const std::string& name) {
    const auto team = incident.playbook->FindTeam(name);
    TANDEM_CHECK(team.has_value(), "a fact names a team of the incident's playbook");
    return *team;
  }

  template <typename Fact>
  void EndHandover(Incident& incident, const Fact& fact, std::string_view verb) {
    incident.handover.reset();
    Remember(fact.actor, fact.request_id, verb, fact.incident, fact.comment);
    Reschedule(state_, incident);
  }

  Delivery& GetDelivery(DeliveryNumber number) {
    const auto found = state_.deliveries.find(number);
    TANDEM_CHECK(found != state_.deliveries.end(), "a fact names an open delivery");
    return found->second;
  }

  void EndDelivery(DeliveryNumber number) {
    Incident& incident = Changed(GetDelivery(number).incident);
    std::erase(incident.open_deliveries, number);
    state_.deliveries.erase(number);
    Reschedule(state_, incident);
  }

  static void ClearAcknowledgement(Incident& incident) {
    incident.acknowledged_by = {};
    incident.acknowledged = incident.acknowledgement_expires = 0;
  }

  // The verbs and texts are those by which Decide looks the request up.
  void Remember(const Actor& actor, const std::string& request_id, std::string_view verb,
                IncidentNumber incident, std::string_view text) {
    const std::string key = RequestKey(actor, request_id);
    if (key.empty()) return;
    // An id that is used anew after its time is as old as its new use.
    if (const auto old = state_.requests.find(key); old != state_.requests.end()) {
      state_.requests_by_age.erase({old->second.time, key});
    }
    state_.requests[key] = {at_.time, incident, RequestContent(verb, incident, text)};
    state_.requests_by_age.insert({at_.time, key});
    while (!state_.requests_by_age.empty() &&
           (state_.requests.size() > Limits::kRequestsMax ||
            state_.requests_by_age.begin()->first < at_.time - kRequestsKept)) {
      state_.requests.erase(state_.requests_by_age.begin()->second);
      state_.requests_by_age.erase(state_.requests_by_age.begin());
    }
  }

  TenantState& state_;
  const Position& at_;
};

}  // namespace

void Apply(TenantState& state, const Position& position, const Fact& fact) {
  std::visit(Applier(state, position), fact);
}

void RestoreDeadline(TenantState& state, Incident& incident) { Reschedule(state, incident); }

void SettleAlerts(TenantState& state, Micros now) {
  if (now >= state.ends_deferred) state.alerts.Settle(now, kAlertsPerTimePassed);
}

void EndRecord(TenantState& state, const Position& position) {
  if (std::holds_alternative<TimePassed>(*position.input)) SettleAlerts(state, position.time);
  state.last_sequence = position.sequence;
  state.last_time = position.time;
}

}  // namespace tandem::core
