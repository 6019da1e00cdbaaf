#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "router/base/check.h"
#include "router/core/state.h"

namespace tandem::core {
namespace {

// Hashes a sequence of texts and numbers, each with its length, so that no two sequences meet.
class Hasher {
 public:
  Hasher() : context_(EVP_MD_CTX_new()) {
    TANDEM_CHECK(EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) == 1, "SHA-256 is there");
  }
  ~Hasher() { EVP_MD_CTX_free(context_); }
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  Hasher& Add(std::string_view text) {
    Add(static_cast<std::int64_t>(text.size()));
    EVP_DigestUpdate(context_, text.data(), text.size());
    return *this;
  }
  Hasher& Add(std::int64_t number) {
    std::array<unsigned char, 8> bytes;
    for (std::size_t i = 0; i < 8; ++i) {
      bytes[i] = static_cast<unsigned char>(static_cast<std::uint64_t>(number) >> (8 * i));
    }
    EVP_DigestUpdate(context_, bytes.data(), bytes.size());
    return *this;
  }
  Hasher& Add(std::uint64_t number) { return Add(static_cast<std::int64_t>(number)); }

  std::string Hex() {
    std::array<unsigned char, 32> digest;
    unsigned size = 0;
    EVP_DigestFinal_ex(context_, digest.data(), &size);
    std::string text;
    for (const unsigned char byte : digest) text += fmt::format("{:02x}", byte);
    return text;
  }

 private:
  EVP_MD_CTX* context_;
};

void AddRequest(Hasher& hash, const TeamRequest& request) {
  hash.Add(std::int64_t{request.number}).Add(static_cast<std::int64_t>(request.state));
  hash.Add(static_cast<std::int64_t>(request.kind)).Add(request.team).Add(request.question);
  for (const std::string& option : request.options) hash.Add(option);
  hash.Add(request.asked).Add(request.due).Add(static_cast<std::int64_t>(request.unanswered));
  hash.Add(request.answered_by.principal).Add(request.answered).Add(request.answer);
}

void AddIncident(Hasher& hash, const Incident& incident) {
  hash.Add(incident.number.value)
      .Add(static_cast<std::int64_t>(incident.state))
      .Add(static_cast<std::int64_t>(incident.severity))
      .Add(static_cast<std::int64_t>(incident.handling))
      .Add(std::int64_t{incident.context_gap})
      .Add(incident.playbook->digest())
      .Add(std::int64_t{incident.rule})
      .Add(incident.title);
  for (const auto& [name, value] : incident.group_labels) hash.Add(name).Add(value);
  hash.Add(incident.opened_by.value).Add(incident.opened).Add(incident.updated);
  hash.Add(std::int64_t{incident.firing}).Add(std::int64_t{incident.total});
  hash.Add(std::int64_t{incident.reopened}).Add(incident.ladder_start);
  hash.Add(std::int64_t{incident.step}).Add(std::int64_t{incident.round});
  hash.Add(std::int64_t{incident.exhausted}).Add(std::int64_t{incident.step_delivered});
  hash.Add(incident.next_step);
  for (const Told& told : incident.told) {
    hash.Add(told.team).Add(told.contact).Add(std::int64_t{told.reached});
    if (!told.person.empty()) hash.Add("person").Add(told.person).Add(told.schedule);
  }
  for (const DeliveryNumber delivery : incident.open_deliveries) hash.Add(delivery.value);
  hash.Add(incident.acknowledged_by.principal).Add(incident.acknowledged);
  hash.Add(incident.acknowledgement_expires).Add(incident.resolve_due);
  hash.Add(incident.resolved_by.principal).Add(incident.resolved).Add(incident.forget);
  hash.Add(std::int64_t{incident.owner}).Add(incident.ask_at);
  for (const TeamRequest& request : incident.requests) AddRequest(hash, request);
  if (incident.handover) {
    hash.Add("handover").Add(std::int64_t{incident.handover->team});
    hash.Add(incident.handover->offered_by.principal).Add(incident.handover->expires);
  }
}

void AddAlert(Hasher& hash, const TenantState& state, const AlertSlot& alert) {
  hash.Add(alert.number.value).Add(alert.incident.value).Add(alert.starts).Add(alert.ends);
  hash.Add(std::int64_t{alert.ends_by_timeout}).Add(static_cast<std::int64_t>(alert.severity));
  hash.Add(alert.details).Add(alert.source.value).Add(std::int64_t{alert.source_index});
  for (std::size_t i = 0; i < alert.label_count; ++i) {
    hash.Add(state.alerts.Text(alert.labels[i].name)).Add(state.alerts.Text(alert.labels[i].value));
  }
}

}  // namespace

std::string StateDigest(const TenantState& state) {
  Hasher hash;
  hash.Add(state.tenant.value).Add(state.last_sequence.value).Add(state.last_time);
  hash.Add(state.playbook->digest()).Add(state.context_version);
  if (state.ends_deferred != 0) hash.Add("ends deferred").Add(state.ends_deferred);
  for (const Sequence activation : state.activations) hash.Add(activation.value);
  for (const Sequence change : state.context_changes) hash.Add(change.value);
  for (const auto& [key, entity] : state.environment.entities()) {
    hash.Add(key.first).Add(key.second);
    for (const auto& [name, value] : entity->spec.attributes) hash.Add(name).Add(value);
  }
  std::vector<const AlertSlot*> alerts;
  state.alerts.ForEach([&alerts](const AlertSlot& alert) { alerts.push_back(&alert); });
  std::sort(alerts.begin(), alerts.end(),
            [](const AlertSlot* a, const AlertSlot* b) { return a->number < b->number; });
  for (const AlertSlot* alert : alerts) AddAlert(hash, state, *alert);
  hash.Add(state.last_alert.value).Add(state.last_incident.value).Add(state.last_delivery.value);
  for (const auto& [number, incident] : state.incidents) AddIncident(hash, *incident);
  for (const auto& [number, delivery] : state.deliveries) {
    hash.Add(number.value).Add(delivery.incident.value).Add(delivery.event_type);
    AddIncident(hash, *delivery.as_planned);
    hash.Add(delivery.planned_in.value);
    hash.Add(std::int64_t{delivery.step}).Add(delivery.team).Add(delivery.contact);
    hash.Add(std::int64_t{delivery.attempts}).Add(delivery.not_before);
    hash.Add(delivery.person).Add(delivery.schedule);
  }
  for (const auto& [client, position] : state.clients) {
    hash.Add(client).Add(position.number).Add(position.seen);
  }
  for (const auto& [request, value] : state.requests) {
    hash.Add(request).Add(value.time).Add(value.incident.value).Add(value.content);
  }
  return hash.Hex();
}

}  // namespace tandem::core
