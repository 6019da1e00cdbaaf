#include "router/core/state.h"

#include <algorithm>

#include "router/base/status.h"

namespace tandem::core {

const Incident* TenantState::FindIncident(IncidentNumber number) const {
  const auto found = incidents.find(number);
  return found == incidents.end() ? nullptr : found->second.get();
}

Incident* TenantState::FindIncident(IncidentNumber number) {
  return const_cast<Incident*>(std::as_const(*this).FindIncident(number));
}

std::optional<absl::Time> NextDeadline(const TenantState& state) {
  std::optional<Micros> earliest = state.alerts.NextWake();
  if (earliest) earliest = std::max(*earliest, state.ends_deferred);
  if (!state.deadlines.empty()) {
    const Micros deadline = state.deadlines.begin()->first;
    earliest = earliest ? std::min(*earliest, deadline) : deadline;
  }
  if (!earliest) return std::nullopt;
  return absl::FromUnixMicros(*earliest);
}

std::string RequestKey(const Actor& actor, std::string_view request_id) {
  if (request_id.empty()) return {};
  std::string key = actor.principal;
  key.push_back('\0');
  key.append(request_id);
  return key;
}

std::uint64_t RequestContent(std::string_view verb, IncidentNumber incident,
                             std::string_view text) {
  // FNV-1a (datatracker.ietf.org/doc/draft-eastlake-fnv).
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&hash](unsigned char byte) { hash = (hash ^ byte) * 0x100000001b3; };
  for (const char c : verb) add(static_cast<unsigned char>(c));
  for (int shift = 0; shift < 64; shift += 8) {
    add(static_cast<unsigned char>(incident.value >> shift));
  }
  for (const char c : text) add(static_cast<unsigned char>(c));
  return hash == 0 ? 1 : hash;
}

absl::Status RequestIdReused() {
  return InvalidField("REQUEST_ID_REUSED", "request_id",
                      "was used for another request within the last 24 h; use a new one for each "
                      "request, and the same only to repeat it unaltered");
}

std::string AnswerContent(std::uint32_t named, std::string_view answer, std::string_view comment) {
  std::string content = std::to_string(named);
  content.append(1, '\0').append(answer).append(1, '\0').append(comment);
  return content;
}

std::string OfferContent(std::string_view team, std::string_view comment) {
  std::string content(team);
  content.append(1, '\0').append(comment);
  return content;
}

bool AsksOtherSide(const Incident& incident) {
  const auto& consult = incident.Rule().consult;
  return consult && incident.playbook->teams()[consult->team].side != incident.Owner().side;
}

}  // namespace tandem::core
