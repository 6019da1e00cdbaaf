#include "router/codec/projection.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "router/base/check.h"
#include "router/codec/convert.h"
#include "router/codec/timeline.h"

namespace tandem::codec {
namespace {

constexpr std::uint64_t kArenaMax = 8 << 20;  // bytes that the messages of a group may lie about in

// One event for each incident that a record touches, in the order in which it touched them.
class EventBuilder {
 public:
  EventBuilder(const core::TenantState& state, google::protobuf::Arena& arena)
      : state_(state), arena_(arena) {}

  void Add(const core::Fact& fact) {
    if (const auto* fired = std::get_if<core::AlertFired>(&fact)) {
      AddAlert(fired->incident, "ALERTS_JOINED", "began to fire");
      stored::AlertRef* ref = AddRef(fired->incident, fired->alert, v1::FIRING, fired->starts);
      ref->set_index(fired->index);
    } else if (const auto* cleared = std::get_if<core::AlertCleared>(&fact)) {
      AddAlert(cleared->incident, "ALERTS_CLEARED", cleared->by_timeout ? "timed out" : "resolved");
      stored::AlertRef* ref = AddRef(cleared->incident, cleared->alert, v1::CLEARED, 0);
      ref->set_record(cleared->source.value);
      ref->set_index(cleared->source_index);
      ref->set_ends(cleared->ended);
    } else if (const auto* refreshed = std::get_if<core::AlertRefreshed>(&fact)) {
      if (!refreshed->changed_index) return;
      AddAlert(refreshed->incident, "ALERTS_CHANGED", "changed their details");
      stored::AlertRef* ref =
          AddRef(refreshed->incident, refreshed->alert, v1::FIRING, refreshed->starts);
      ref->set_index(*refreshed->changed_index);
    } else if (const auto number = IncidentOf(fact)) {
      const core::Incident* incident = state_.FindIncident(*number);
      if (incident == nullptr) return;  // forgotten: its history ends with its resolution
      auto* entry = google::protobuf::Arena::CreateMessage<v1::TimelineEntry>(&arena_);
      if (Tell(state_, *incident, fact, entry)) {
        Entry& to = Of(*number);
        Stamp(entry);
        to.event->mutable_entries()->AddAllocated(entry);
        to.run = nullptr;
      } else {
        touched_.push_back(*number);
      }
    }
  }

  // By incident, which is the order in which the journal lists them.
  template <typename Visit>
  void ForEach(Visit visit) {
    std::sort(entries_.begin(), entries_.end(),
              [](const Entry& a, const Entry& b) { return a.incident < b.incident; });
    for (Entry& entry : entries_) visit(entry.incident, *entry.event);
  }
  // Incidents that changed without anything to tell.
  const std::vector<IncidentNumber>& touched() const { return touched_; }

 private:
  struct Entry {
    IncidentNumber incident;
    stored::Event* event = nullptr;
    v1::TimelineEntry* run = nullptr;  // counts alerts of one kind
  };

  Entry& Of(IncidentNumber incident) {
    // The alerts of a batch mostly follow each other into one incident.
    if (!entries_.empty() && entries_.back().incident == incident) return entries_.back();
    for (Entry& entry : entries_) {
      if (entry.incident == incident) return entry;
    }
    return entries_.emplace_back(
        Entry{.incident = incident,
              .event = google::protobuf::Arena::CreateMessage<stored::Event>(&arena_)});
  }

  void Stamp(v1::TimelineEntry* entry) {
    entry->set_sequence(state_.last_sequence.value);
    PutTime(state_.last_time, entry->mutable_time());
  }

  void AddAlert(IncidentNumber incident, const char* kind, const char* verb) {
    Entry& to = Of(incident);
    if (to.run == nullptr || to.run->kind() != kind) {
      to.run = to.event->add_entries();
      to.run->set_kind(kind);
      to.run->set_text(verb);  // FinishTexts puts the count before it
      to.run->mutable_actor()->set_principal("tandem");
      Stamp(to.run);
    }
    to.run->set_alert_count(to.run->alert_count() + 1);
  }

  stored::AlertRef* AddRef(IncidentNumber incident, AlertNumber alert, v1::AlertState state,
                           core::Micros starts) {
    stored::AlertRef* ref = Of(incident).event->add_alerts();
    ref->set_alert(alert.value);
    ref->set_state(state);
    ref->set_starts(starts);
    return ref;
  }

  const core::TenantState& state_;
  google::protobuf::Arena& arena_;
  std::vector<Entry> entries_;
  std::vector<IncidentNumber> touched_;
};

// "began to fire" → "3 alerts began to fire", now that the count is known.
void FinishTexts(stored::Event& event) {
  for (v1::TimelineEntry& entry : *event.mutable_entries()) {
    if (entry.alert_count() == 0) continue;
    entry.set_text(fmt::format("{} {} {}", entry.alert_count(),
                               entry.alert_count() == 1 ? "alert" : "alerts", entry.text()));
  }
}

void PutDelivery(const core::TenantState& state, const core::Delivery& delivery,
                 v1::Delivery* out) {
  const core::Incident& incident = *delivery.as_planned;
  out->set_tenant(state.tenant.value);
  out->set_delivery_id(DeliveryId(state.tenant, delivery.incident, delivery.number));
  out->set_contact(delivery.contact);
  out->set_team(delivery.team);
  for (const playbook::Contact& contact : incident.playbook->contacts()) {
    if (contact.name != delivery.contact) continue;
    out->set_side(ToProto(contact.side));
    out->set_channel(contact.channel);
    out->set_address(contact.address);
    out->set_secret_name(contact.secret_name);
  }
  out->set_event_type(delivery.event_type);
  PutTime(delivery.planned, out->mutable_event_time());
  out->set_step(delivery.step);
  PutIncident(state.tenant, incident, delivery.planned_in, out->mutable_incident());
  out->set_attempts(delivery.attempts);
  if (delivery.not_before != 0) PutTime(delivery.not_before, out->mutable_not_before());
}

std::optional<DeliveryNumber> DeliveryOf(const core::Fact& fact) {
  return std::visit(
      [](const auto& f) -> std::optional<DeliveryNumber> {
        if constexpr (requires { f.delivery; }) {
          return f.delivery;
        } else {
          return std::nullopt;
        }
      },
      fact);
}

}  // namespace

void Projection::AddRecord(const core::TenantState& state, const core::Facts& facts) {
  EventBuilder builder(state, arena_);
  for (const core::Fact& fact : facts) {
    builder.Add(fact);
    if (const auto number = DeliveryOf(fact)) {
      journal::DeliveryRow row{.tenant = state.tenant, .number = *number};
      const auto found = state.deliveries.find(*number);
      row.open = found != state.deliveries.end();
      if (row.open) {
        auto* delivery = google::protobuf::Arena::CreateMessage<v1::Delivery>(&arena_);
        PutDelivery(state, found->second, delivery);
        row.body = delivery->SerializeAsString();
      } else {
        row.body = DeliveryId(state.tenant, *IncidentOf(fact), *number);
      }
      out_.deliveries.push_back(std::move(row));
    }
  }
  builder.ForEach([&](IncidentNumber number, stored::Event& event) {
    const core::Incident* incident = state.FindIncident(number);
    TANDEM_CHECK(incident != nullptr, "an incident that something happened to is known");
    PutIncident(state.tenant, *incident, state.last_sequence, event.mutable_incident());
    event.set_time(state.last_time);
    FinishTexts(event);
    out_.events.push_back({state.tenant, state.last_sequence, number, event.SerializeAsString()});
    changed_[{state.tenant, number}] = &state;
  });
  for (const IncidentNumber number : builder.touched()) changed_[{state.tenant, number}] = &state;
  if (arena_.SpaceAllocated() > kArenaMax) arena_.Reset();
}

void Projection::Finish() {
  for (const auto& [key, state] : changed_) {
    const core::Incident* incident = state->FindIncident(key.second);
    if (incident == nullptr) continue;
    auto* message = google::protobuf::Arena::CreateMessage<v1::Incident>(&arena_);
    PutIncident(state->tenant, *incident, state->last_sequence, message);
    const playbook::Rule& rule = incident->Rule();
    const playbook::Team& owner = incident->Owner();
    out_.incidents.push_back({.tenant = key.first,
                              .number = key.second,
                              .state = incident->state,
                              .severity = incident->severity,
                              .owner_side = owner.side,
                              .owner_team = owner.name,
                              .rule = rule.name,
                              .updated = absl::FromUnixMicros(incident->updated),
                              .body = message->SerializeAsString()});
  }
  changed_.clear();
  arena_.Reset();
}

namespace {

void PutRequest(const TenantId& tenant, const core::Incident& incident,
                const core::TeamRequest& request, v1::Request* out) {
  out->set_name(
      fmt::format("{}/requests/{}", IncidentName(tenant, incident.number), request.number));
  out->set_state(static_cast<v1::RequestState>(request.state));
  out->set_kind(ToProto(request.kind));
  out->set_team(request.team);
  if (const auto team = incident.playbook->FindTeam(request.team)) {
    out->set_side(ToProto(incident.playbook->teams()[*team].side));
  }
  out->set_question(request.question);
  for (const std::string& option : request.options) out->add_options(option);
  PutTime(request.asked, out->mutable_open_time());
  PutTime(request.due, out->mutable_due_time());
  out->set_unanswered(static_cast<v1::Unanswered>(request.unanswered));
  if (request.state != core::TeamRequest::State::kAnswered) return;
  Put(request.answered_by, out->mutable_answered_by());
  PutTime(request.answered, out->mutable_answer_time());
  out->set_answer(request.answer);
}

}  // namespace

void PutIncident(const TenantId& tenant, const core::Incident& incident, Sequence sequence,
                 v1::Incident* out) {
  const playbook::Rule& rule = incident.Rule();
  const playbook::Team& owner = incident.Owner();
  out->set_name(IncidentName(tenant, incident.number));
  out->set_state(ToProto(incident.state));
  out->set_severity(ToProto(incident.severity));
  out->set_title(incident.title);
  out->set_owner_team(owner.name);
  out->set_owner_side(ToProto(owner.side));
  out->set_handling(ToProto(incident.handling));
  out->set_rule(rule.name);
  out->set_playbook_digest(incident.playbook->digest());
  for (const auto& [name, value] : incident.group_labels) {
    v1::Label* label = out->add_group_labels();
    label->set_name(name);
    label->set_value(value);
  }
  PutTime(incident.opened, out->mutable_open_time());
  PutTime(incident.updated, out->mutable_update_time());
  if (incident.state == IncidentState::kAcknowledged) {
    PutTime(incident.acknowledged, out->mutable_acknowledge_time());
    PutTime(incident.acknowledgement_expires, out->mutable_acknowledge_expire_time());
    Put(incident.acknowledged_by, out->mutable_acknowledged_by());
    out->mutable_acknowledge_limit()->set_seconds(absl::ToInt64Seconds(rule.ack_expires));
  }
  if (incident.state == IncidentState::kResolved) {
    PutTime(incident.resolved, out->mutable_resolve_time());
    Put(incident.resolved_by, out->mutable_resolved_by());
  }
  out->set_firing_alerts(incident.firing);
  out->set_total_alerts(incident.total);
  out->set_reopen_count(incident.reopened);
  out->set_steps_taken(incident.step);
  if (incident.state == IncidentState::kOpen && incident.next_step != 0) {
    PutTime(incident.next_step, out->mutable_next_step_time());
  }
  out->set_context_gap(incident.context_gap);
  out->set_escalation_exhausted(incident.exhausted);
  for (const core::TeamRequest& request : incident.requests) {
    PutRequest(tenant, incident, request, out->add_requests());
  }
  if (incident.handover) {
    const playbook::Team& offered = incident.playbook->teams()[incident.handover->team];
    v1::Handover* handover = out->mutable_handover();
    handover->set_team(offered.name);
    handover->set_side(ToProto(offered.side));
    Put(incident.handover->offered_by, handover->mutable_offered_by());
    PutTime(incident.handover->expires, handover->mutable_expire_time());
  }
  out->set_etag(fmt::format("{}", sequence.value));
}

std::string IncidentName(const TenantId& tenant, IncidentNumber number) {
  return fmt::format("tenants/{}/incidents/{}", tenant.value, number.value);
}

std::string DeliveryId(const TenantId& tenant, IncidentNumber incident, DeliveryNumber delivery) {
  return fmt::format("dlv-{}-{}-{}", tenant.value, incident.value, delivery.value);
}

std::optional<DeliveryNumber> ParseDeliveryId(const TenantId& tenant, std::string_view id) {
  const std::string prefix = fmt::format("dlv-{}-", tenant.value);
  if (!id.starts_with(prefix)) return std::nullopt;
  const char* const end = id.data() + id.size();
  std::uint64_t incident = 0;
  std::uint64_t number = 0;
  const auto dash = std::from_chars(id.data() + prefix.size(), end, incident);
  if (dash.ec != std::errc() || dash.ptr == end || *dash.ptr != '-') return std::nullopt;
  const auto last = std::from_chars(dash.ptr + 1, end, number);
  if (last.ec != std::errc() || last.ptr != end) return std::nullopt;
  // One delivery has one id: no leading zeros. (Ids of the tenant "a-1" begin like those of "a".)
  if (incident == 0 || number == 0 ||
      id != DeliveryId(tenant, IncidentNumber(incident), DeliveryNumber(number))) {
    return std::nullopt;
  }
  return DeliveryNumber(number);
}

}  // namespace tandem::codec
