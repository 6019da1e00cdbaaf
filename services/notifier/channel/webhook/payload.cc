#include "services/notifier/channel/webhook/payload.h"

#include <absl/time/time.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>

#include "router/base/text.h"
#include "router/base/words.h"

namespace tandem::notifier {
namespace {

using Json = nlohmann::ordered_json;

std::string TextOf(const google::protobuf::Timestamp& time) {
  return TimeText(absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos()));
}

// The numbers of proto and domain are the same (router/base/words.h).
template <typename Word, typename Proto>
std::string WordOf(Proto value) {
  return std::string(ToText(static_cast<Word>(static_cast<int>(value))));
}

// The 7 of `tenants/acme/incidents/7`; 0 for a name of another form.
std::uint64_t NumberOf(std::string_view name) {
  const std::string_view digits = name.substr(name.rfind('/') + 1);
  std::uint64_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number);
  return error == std::errc() && stop == end ? number : 0;
}

std::string StateWord(v1::RequestState state) {
  switch (state) {
    case v1::REQUEST_OPEN:
      return "open";
    case v1::REQUEST_ANSWERED:
      return "answered";
    case v1::REQUEST_LAPSED:
      return "lapsed";
    default:
      return "closed";
  }
}

std::string FollowsWord(v1::Unanswered unanswered) {
  switch (unanswered) {
    case v1::PROCEED:
      return "proceed";
    case v1::HOLD:
      return "hold";
    default:
      return "escalate";
  }
}

Json RequestJson(const v1::Request& request) {
  Json json = {{"name", request.name()},
               {"number", NumberOf(request.name())},
               {"state", StateWord(request.state())},
               {"kind", WordOf<Handling>(request.kind())},
               {"team", request.team()},
               {"side", WordOf<Side>(request.side())},
               {"question", request.question()},
               {"options", Json::array()},
               {"due_time", TextOf(request.due_time())},
               {"unanswered", FollowsWord(request.unanswered())}};
  for (const std::string& option : request.options()) json["options"].push_back(option);
  if (request.state() == v1::REQUEST_ANSWERED) {
    json["answer"] = request.answer();
    json["answered_by"] = request.answered_by().principal();
  }
  return json;
}

Json IncidentJson(const v1::Incident& incident) {
  Json labels = Json::object();
  for (const v1::Label& label : incident.group_labels()) labels[label.name()] = label.value();
  Json json = {
      {"name", incident.name()},
      {"number", NumberOf(incident.name())},
      {"state", WordOf<IncidentState>(incident.state())},
      {"severity", WordOf<Severity>(incident.severity())},
      {"title", incident.title()},
      {"owner", {{"team", incident.owner_team()}, {"side", WordOf<Side>(incident.owner_side())}}},
      {"handling", WordOf<Handling>(incident.handling())},
      {"rule", incident.rule()},
      {"playbook_digest", incident.playbook_digest()},
      {"group_labels", std::move(labels)}};
  if (incident.has_open_time()) json["open_time"] = TextOf(incident.open_time());
  if (incident.has_acknowledge_time()) {
    json["acknowledge_time"] = TextOf(incident.acknowledge_time());
    json["acknowledged_by"] = incident.acknowledged_by().principal();
  }
  if (incident.has_resolve_time()) {
    json["resolve_time"] = TextOf(incident.resolve_time());
    json["resolved_by"] = incident.resolved_by().principal();
  }
  json["firing_alerts"] = incident.firing_alerts();
  json["total_alerts"] = incident.total_alerts();
  json["reopen_count"] = incident.reopen_count();
  for (const v1::Request& request : incident.requests()) {
    json["requests"].push_back(RequestJson(request));
  }
  if (incident.has_handover()) {
    const v1::Handover& offer = incident.handover();
    json["handover"] = {{"team", offer.team()},
                        {"side", WordOf<Side>(offer.side())},
                        {"offered_by", offer.offered_by().principal()},
                        {"expire_time", TextOf(offer.expire_time())}};
  }
  return json;
}

}  // namespace

std::string WebhookBody(const Message& message) {
  const v1::Delivery& delivery = message.delivery;
  const Json body = {{"type", delivery.event_type()},
                     {"timestamp", TextOf(delivery.event_time())},
                     {"data",
                      {{"delivery_id", delivery.delivery_id()},
                       {"tenant", delivery.tenant()},
                       {"team", delivery.team()},
                       {"side", WordOf<Side>(delivery.side())},
                       {"contact", delivery.contact()},
                       {"step", delivery.step()},
                       {"incident", IncidentJson(*message.incident)}}}};
  constexpr int kCompact = -1;
  return body.dump(kCompact, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

}  // namespace tandem::notifier
