#include "router/codec/snapshot.h"

#include <absl/container/flat_hash_map.h>
#include <google/protobuf/arena.h>

#include <algorithm>
#include <map>
#include <vector>

#include "router/base/status.h"
#include "router/codec/convert.h"
#include "router/core/apply.h"
#include "tandem/journal/v1/snapshot.pb.h"

namespace tandem::codec {
namespace {

// Gives each distinct text a place in the snapshot, in the order of first use.
class TextPlaces {
 public:
  TextPlaces(const core::TenantState& state, stored::Snapshot* out) : state_(state), out_(out) {}

  std::uint32_t Place(core::TextId id) {
    const auto [found, is_new] = places_.try_emplace(id, out_->texts_size());
    if (is_new) {
      const std::string_view text = state_.alerts.Text(id);
      out_->add_texts(text.data(), text.size());
    }
    return found->second;
  }

 private:
  const core::TenantState& state_;
  stored::Snapshot* out_;
  absl::flat_hash_map<core::TextId, std::uint32_t> places_;  // order never seen
};

void PutAlerts(const core::TenantState& state, stored::Snapshot* out) {
  std::vector<const core::AlertSlot*> alerts;
  alerts.reserve(state.alerts.size());
  state.alerts.ForEach([&alerts](const core::AlertSlot& alert) { alerts.push_back(&alert); });
  std::sort(alerts.begin(), alerts.end(), [](const core::AlertSlot* a, const core::AlertSlot* b) {
    return a->number < b->number;
  });
  TextPlaces places(state, out);
  stored::SnapshotAlerts* to = out->mutable_alerts();
  DeltaWriter number(to->mutable_alert()), incident(to->mutable_incident()),
      starts(to->mutable_starts()), ends(to->mutable_ends()), source(to->mutable_source());
  for (const core::AlertSlot* alert : alerts) {
    number.Add(static_cast<std::int64_t>(alert->number.value));
    incident.Add(static_cast<std::int64_t>(alert->incident.value));
    starts.Add(alert->starts);
    ends.Add(alert->ends);
    source.Add(static_cast<std::int64_t>(alert->source.value));
    to->add_source_index(alert->source_index);
    to->add_details(alert->details);
    to->add_flags(static_cast<std::uint32_t>(alert->severity) | (alert->ends_by_timeout ? 8U : 0U));
    to->add_label_count(alert->label_count);
    for (std::size_t i = 0; i < alert->label_count; ++i) {
      to->add_labels(places.Place(alert->labels[i].name));
      to->add_labels(places.Place(alert->labels[i].value));
    }
  }
}

void PutRequest(const core::TeamRequest& from, stored::SnapshotTeamRequest* to) {
  to->set_number(from.number);
  to->set_state(static_cast<std::uint32_t>(from.state));
  to->set_kind(static_cast<std::uint32_t>(from.kind));
  to->set_team(from.team);
  to->set_question(from.question);
  to->mutable_options()->Add(from.options.begin(), from.options.end());
  to->set_asked(from.asked);
  to->set_due(from.due);
  to->set_unanswered(static_cast<std::uint32_t>(from.unanswered));
  Put(from.answered_by, to->mutable_answered_by());
  to->set_answered(from.answered);
  to->set_answer(from.answer);
}

core::TeamRequest GetRequest(const stored::SnapshotTeamRequest& from) {
  return {.number = from.number(),
          .state = static_cast<core::TeamRequest::State>(from.state()),
          .kind = static_cast<Handling>(from.kind()),
          .team = from.team(),
          .question = from.question(),
          .options = {from.options().begin(), from.options().end()},
          .asked = from.asked(),
          .due = from.due(),
          .unanswered = static_cast<playbook::Unanswered>(from.unanswered()),
          .answered_by = Get(from.answered_by()),
          .answered = from.answered(),
          .answer = from.answer()};
}

void PutIncidentState(const core::TenantState& state, const core::Incident& from,
                      std::uint32_t playbook, stored::SnapshotIncident* to) {
  to->set_number(from.number.value);
  to->set_state(static_cast<std::uint32_t>(from.state));
  to->set_severity(static_cast<std::uint32_t>(from.severity));
  to->set_handling(static_cast<std::uint32_t>(from.handling));
  to->set_context_gap(from.context_gap);
  to->set_playbook(playbook);
  to->set_rule(from.rule);
  to->set_title(from.title);
  Put(from.group_labels, to->mutable_group_labels());
  to->set_opened_by(from.opened_by.value);
  to->set_opened(from.opened);
  to->set_updated(from.updated);
  to->set_firing(from.firing);
  to->set_total(from.total);
  to->set_reopened(from.reopened);
  to->set_ladder_start(from.ladder_start);
  to->set_step(from.step);
  to->set_round(from.round);
  to->set_exhausted(from.exhausted);
  to->set_next_step(from.next_step);
  to->set_step_delivered(from.step_delivered);
  for (const core::Told& told : from.told) {
    stored::SnapshotTold* out = to->add_told();
    out->set_team(told.team);
    out->set_contact(told.contact);
    out->set_reached(told.reached);
    out->set_person(told.person);
    out->set_schedule(told.schedule);
  }
  for (const DeliveryNumber delivery : from.open_deliveries) {
    to->add_open_deliveries(delivery.value);
  }
  Put(from.acknowledged_by, to->mutable_acknowledged_by());
  to->set_acknowledged(from.acknowledged);
  to->set_acknowledgement_expires(from.acknowledgement_expires);
  to->set_resolve_due(from.resolve_due);
  Put(from.resolved_by, to->mutable_resolved_by());
  to->set_resolved(from.resolved);
  to->set_forget(from.forget);
  to->set_owner(from.owner + 1);
  to->set_ask_at(from.ask_at);
  for (const core::TeamRequest& request : from.requests) PutRequest(request, to->add_requests());
  if (from.handover) {
    stored::SnapshotHandover* out = to->mutable_handover();
    out->set_team(from.handover->team);
    Put(from.handover->offered_by, out->mutable_offered_by());
    out->set_expires(from.handover->expires);
  }
  const auto group = state.groups.find(from.group);
  to->set_newest_of_group(group != state.groups.end() && group->second == from.number);
}

using PlaybookPtr = std::shared_ptr<const playbook::Playbook>;

std::unique_ptr<core::Incident> GetIncidentState(const stored::SnapshotIncident& from,
                                                 const PlaybookPtr& playbook) {
  auto to = std::make_unique<core::Incident>();
  to->number = IncidentNumber(from.number());
  to->state = static_cast<IncidentState>(from.state());
  to->severity = static_cast<Severity>(from.severity());
  to->handling = static_cast<Handling>(from.handling());
  to->context_gap = from.context_gap();
  to->playbook = playbook;
  to->rule = from.rule();
  to->title = from.title();
  to->group_labels = Get(from.group_labels());
  to->opened_by = Sequence(from.opened_by());
  to->opened = from.opened();
  to->updated = from.updated();
  to->firing = from.firing();
  to->total = from.total();
  to->reopened = from.reopened();
  to->ladder_start = from.ladder_start();
  to->step = from.step();
  to->round = from.round();
  to->exhausted = from.exhausted();
  to->next_step = from.next_step();
  to->step_delivered = from.step_delivered();
  for (const stored::SnapshotTold& told : from.told()) {
    to->told.push_back(
        {told.team(), told.contact(), told.reached(), told.person(), told.schedule()});
  }
  for (const std::uint64_t delivery : from.open_deliveries()) {
    to->open_deliveries.emplace_back(delivery);
  }
  to->acknowledged_by = Get(from.acknowledged_by());
  to->acknowledged = from.acknowledged();
  to->acknowledgement_expires = from.acknowledgement_expires();
  to->resolve_due = from.resolve_due();
  to->resolved_by = Get(from.resolved_by());
  to->resolved = from.resolved();
  to->forget = from.forget();
  // An earlier release had no owner beside the rule's.
  to->owner = from.owner() == 0 ? to->Rule().owner : from.owner() - 1;
  to->ask_at = from.ask_at();
  for (const auto& request : from.requests()) to->requests.push_back(GetRequest(request));
  if (from.has_handover()) {
    to->handover = {.team = from.handover().team(),
                    .offered_by = Get(from.handover().offered_by()),
                    .expires = from.handover().expires()};
  }
  return to;
}

absl::Status Malformed(const char* what) {
  return Error(absl::StatusCode::kDataLoss, "SNAPSHOT_MALFORMED", what);
}

bool Even(const stored::SnapshotAlerts& from) {
  const int count = from.alert_size();
  return from.incident_size() == count && from.starts_size() == count &&
         from.ends_size() == count && from.source_size() == count &&
         from.source_index_size() == count && from.details_size() == count &&
         from.flags_size() == count && from.label_count_size() == count;
}

absl::Status GetAlerts(const stored::Snapshot& snapshot, core::TenantState& state) {
  const stored::SnapshotAlerts& from = snapshot.alerts();
  if (!Even(from)) return Malformed("the columns of its alerts differ in length");
  DeltaReader number(from.alert()), incident(from.incident()), starts(from.starts()),
      ends(from.ends()), source(from.source());
  std::vector<playbook::LabelView> labels;
  int at = 0;
  for (int i = 0; i < from.alert_size(); ++i) {
    labels.clear();
    for (std::uint32_t l = 0; l < from.label_count(i); ++l, at += 2) {
      if (at + 1 >= from.labels_size()) return Malformed("labels are missing");
      const std::uint32_t name = from.labels(at);
      const std::uint32_t value = from.labels(at + 1);
      if (std::max(name, value) >= static_cast<std::uint32_t>(snapshot.texts_size())) {
        return Malformed("a label names a text that is not there");
      }
      labels.push_back(
          {snapshot.texts(static_cast<int>(name)), snapshot.texts(static_cast<int>(value))});
    }
    core::AlertSlot slot;
    slot.identity = core::IdentityOf(state.key, labels);
    slot.number = AlertNumber(static_cast<std::uint64_t>(number.Next()));
    slot.incident = IncidentNumber(static_cast<std::uint64_t>(incident.Next()));
    slot.starts = starts.Next();
    slot.ends = ends.Next();
    slot.source = Sequence(static_cast<std::uint64_t>(source.Next()));
    slot.source_index = from.source_index(i);
    slot.details = from.details(i);
    slot.severity = static_cast<Severity>(from.flags(i) & 7U);
    slot.ends_by_timeout = (from.flags(i) & 8U) != 0;
    state.alerts.Insert(std::move(slot), labels);
  }
  return absl::OkStatus();
}

// Whatever names a place in the playbook names one that is there.
absl::Status CheckPlaces(const stored::SnapshotIncident& from, const playbook::Playbook& playbook) {
  if (from.rule() >= playbook.rules().size()) return Malformed("an incident without its rule");
  if (from.owner() > playbook.teams().size()) return Malformed("an incident without its owner");
  if (from.has_handover() && from.handover().team() >= playbook.teams().size()) {
    return Malformed("an offer to a team that is not there");
  }
  return absl::OkStatus();
}

absl::Status GetIncidents(const stored::Snapshot& snapshot,
                          const std::vector<PlaybookPtr>& playbooks, core::TenantState& state) {
  for (const stored::SnapshotIncident& from : snapshot.incidents()) {
    if (from.playbook() >= playbooks.size()) return Malformed("an incident without its playbook");
    const PlaybookPtr& playbook = playbooks[from.playbook()];
    TANDEM_RETURN_IF_ERROR(CheckPlaces(from, *playbook));
    auto incident = GetIncidentState(from, playbook);
    std::vector<playbook::LabelView> labels;
    for (const auto& [name, value] : incident->group_labels) labels.push_back({name, value});
    incident->group = core::GroupIdentityOf(state.key, incident->Rule().name, labels);
    if (from.newest_of_group()) state.groups[incident->group] = incident->number;
    core::Incident& kept = *incident;
    state.incidents[kept.number] = std::move(incident);
    core::RestoreDeadline(state, kept);
  }
  return absl::OkStatus();
}

}  // namespace

std::string EncodeSnapshot(const core::TenantState& state) {
  google::protobuf::Arena arena;
  auto* out = google::protobuf::Arena::CreateMessage<stored::Snapshot>(&arena);
  out->set_last_sequence(state.last_sequence.value);
  out->set_last_time(state.last_time);
  out->set_last_alert(state.last_alert.value);
  out->set_last_incident(state.last_incident.value);
  out->set_last_delivery(state.last_delivery.value);
  out->set_context_version(state.context_version);
  out->set_ends_deferred(state.ends_deferred);
  out->set_active_digest(state.playbook->digest());
  std::map<std::string, std::uint32_t> playbooks;  // digest → place
  const auto place = [&](const playbook::Playbook& playbook) {
    const auto [found, is_new] =
        playbooks.try_emplace(playbook.digest(), out->playbook_sources_size());
    if (is_new) out->add_playbook_sources(playbook.source());
    return found->second;
  };
  place(*state.playbook);
  for (const auto& [key, entity] : state.environment.entities())
    Put(entity->spec, out->add_entities());
  PutAlerts(state, out);
  for (const auto& [number, incident] : state.incidents) {
    PutIncidentState(state, *incident, place(*incident->playbook), out->add_incidents());
  }
  for (const auto& [number, delivery] : state.deliveries) {
    stored::SnapshotDelivery* to = out->add_deliveries();
    to->set_number(number.value);
    to->set_incident(delivery.incident.value);
    to->set_event_type(delivery.event_type);
    to->set_step(delivery.step);
    to->set_team(delivery.team);
    to->set_contact(delivery.contact);
    to->set_planned(delivery.planned);
    to->set_attempts(delivery.attempts);
    to->set_not_before(delivery.not_before);
    PutIncidentState(state, *delivery.as_planned, place(*delivery.as_planned->playbook),
                     to->mutable_as_planned());
    to->mutable_as_planned()->clear_newest_of_group();  // only of incidents that live
    to->set_planned_in(delivery.planned_in.value);
    to->set_person(delivery.person);
    to->set_schedule(delivery.schedule);
  }
  for (const auto& [client, position] : state.clients) {
    stored::SnapshotClient* to = out->add_clients();
    to->set_client_id(client);
    to->set_number(position.number);
    to->set_seen(position.seen);
  }
  for (const auto& [key, request] : state.requests) {
    stored::SnapshotRequest* to = out->add_requests();
    to->set_key(key);
    to->set_time(request.time);
    to->set_incident(request.incident.value);
    to->set_content(request.content);
  }
  for (const Sequence activation : state.activations) out->add_activations(activation.value);
  for (const Sequence change : state.context_changes) out->add_context_changes(change.value);
  return out->SerializeAsString();
}

absl::Status DecodeSnapshot(std::string_view bytes, core::TenantState& state) {
  google::protobuf::Arena arena;
  auto* in = google::protobuf::Arena::CreateMessage<stored::Snapshot>(&arena);
  if (!in->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Malformed("it is no tandem.journal.v1.Snapshot");
  }
  std::vector<PlaybookPtr> playbooks;
  for (const std::string& source : in->playbook_sources()) {
    TANDEM_ASSIGN_OR_RETURN(PlaybookPtr playbook, CompileStored(source));
    if (playbook->digest() == in->active_digest()) state.playbook = playbook;
    playbooks.push_back(std::move(playbook));
  }
  if (state.playbook == nullptr) return Malformed("the active playbook is missing");
  for (const stored::Entity& entity : in->entities()) {
    TANDEM_RETURN_IF_ERROR(state.environment.Put(Get(entity)));
  }
  TANDEM_RETURN_IF_ERROR(GetAlerts(*in, state));
  TANDEM_RETURN_IF_ERROR(GetIncidents(*in, playbooks, state));
  for (const stored::SnapshotDelivery& from : in->deliveries()) {
    const DeliveryNumber number(from.number());
    const std::uint32_t playbook = from.as_planned().playbook();
    if (playbook >= playbooks.size()) return Malformed("a delivery without its playbook");
    TANDEM_RETURN_IF_ERROR(CheckPlaces(from.as_planned(), *playbooks[playbook]));
    state.deliveries[number] = {
        .number = number,
        .incident = IncidentNumber(from.incident()),
        .event_type = from.event_type(),
        .step = from.step(),
        .team = from.team(),
        .contact = from.contact(),
        .planned = from.planned(),
        .as_planned = GetIncidentState(from.as_planned(), playbooks[playbook]),
        .planned_in = Sequence(from.planned_in()),
        .attempts = from.attempts(),
        .not_before = from.not_before(),
        .person = from.person(),
        .schedule = from.schedule()};
  }
  for (const stored::SnapshotClient& from : in->clients()) {
    state.clients[from.client_id()] = {from.number(), from.seen()};
    state.clients_by_age.insert({from.seen(), from.client_id()});
  }
  for (const stored::SnapshotRequest& from : in->requests()) {
    state.requests[from.key()] = {from.time(), IncidentNumber(from.incident()), from.content()};
    state.requests_by_age.insert({from.time(), from.key()});
  }
  for (const std::uint64_t activation : in->activations()) {
    state.activations.emplace_back(activation);
  }
  for (const std::uint64_t change : in->context_changes()) {
    state.context_changes.emplace_back(change);
  }
  state.last_sequence = Sequence(in->last_sequence());
  state.last_time = in->last_time();
  state.last_alert = AlertNumber(in->last_alert());
  state.last_incident = IncidentNumber(in->last_incident());
  state.last_delivery = DeliveryNumber(in->last_delivery());
  state.context_version = in->context_version();
  state.ends_deferred = in->ends_deferred();
  return absl::OkStatus();
}

}  // namespace tandem::codec
