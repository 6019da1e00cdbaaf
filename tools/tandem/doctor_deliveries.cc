#include "tools/tandem/doctor_deliveries.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "router/base/status.h"
#include "tandem/v1/incidents.grpc.pb.h"
#include "tools/tandem/age.h"
#include "tools/tandem/names.h"
#include "tools/tandem/pages.h"

namespace tandem::cli {
namespace {

using Level = Check::Level;
using Stub = v1::Incidents::Stub;

constexpr std::size_t kUnresolvedMax = 100;  // incidents whose timeline is read
constexpr std::size_t kResolvedMax = 20;
constexpr std::size_t kTimelineMax = 5'000;  // entries of one incident
constexpr std::size_t kLinesMax = 10;
constexpr std::size_t kNamesMax = 3;  // incidents that one line names
constexpr absl::Duration kResolvedWithin = absl::Hours(24);

std::string ShortName(std::string_view name) {
  return fmt::format("{}/{}", TenantOf(name), LastPartOf(name));
}

// "acme/12, acme/14 and 3 more".
std::string NamesText(const std::vector<std::string>& names) {
  const std::size_t shown = std::min(names.size(), kNamesMax);
  std::string text = fmt::format("{}", fmt::join(names.begin(), names.begin() + shown, ", "));
  if (names.size() > shown) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

// What somebody can do about a reason. The notifier's own words (services/notifier) are looked for:
// whatever else it says comes from the way to the receiver.
std::string AdviceFor(std::string_view reason) {
  const auto says = [reason](std::string_view words) {
    return reason.find(words) != std::string_view::npos;
  };
  if (says("no signing secret")) {
    return "an operator adds the secret to notifier.secrets and sends SIGHUP; what still waits "
           "goes out at once";
  }
  if (says("the endpoint")) {
    return "correct the contact's url in the playbook, or what the notifier allows "
           "(notifier.allow_…)";
  }
  if (says("HTTP 4")) {
    return "the receiver answers and says no: check the contact's url, its secret and the "
           "receiver's log";
  }
  if (says("HTTP ")) return "the receiver answers with an error: read its log";
  return "check that the receiver runs and that the notifier can reach it";
}

// Troubles with one contact for one reason.
struct Group {
  std::vector<std::string> incidents;
  absl::Time since = absl::InfiniteFuture();
  std::uint32_t failures = 0;
};

Check LineFor(std::string_view tenant, const std::tuple<bool, std::string, std::string>& key,
              const Group& group, const Look& look) {
  const auto& [waits, contact, reason] = key;
  if (waits) {
    return {
        Level::kNotice, "delivery",
        fmt::format("{}: {} is not told of {} yet: {} ({}, the first {}); tried again", tenant,
                    contact, NamesText(group.incidents), reason,
                    group.failures == 1 ? "1 attempt" : fmt::format("{} attempts", group.failures),
                    AgeText(look, group.since)),
        AdviceFor(reason)};
  }
  return {
      Level::kBad, "delivery",
      fmt::format("{}: {} was not told of {}: {} (given up; the first attempt failed {})", tenant,
                  contact, NamesText(group.incidents), reason, AgeText(look, group.since)),
      AdviceFor(reason)};
}

absl::StatusOr<std::vector<v1::Incident>> IncidentsOf(Client& client, const std::string& tenant,
                                                      const std::string& filter,
                                                      std::size_t limit) {
  v1::ListIncidentsRequest request;
  request.set_parent(tenant);
  request.set_filter(filter);
  TANDEM_ASSIGN_OR_RETURN(
      const v1::ListIncidentsResponse list,
      ReadPages<v1::ListIncidentsResponse>(
          client, "Incidents/ListIncidents", &Stub::ListIncidents, request,
          [](v1::ListIncidentsResponse& page) { return page.mutable_incidents(); },
          {.page_size_max = 500, .limit = limit}));
  return std::vector<v1::Incident>(list.incidents().begin(), list.incidents().end());
}

absl::Status AddTroubles(Client& client, const v1::Incident& incident,
                         std::vector<DeliveryTrouble>& troubles) {
  v1::ListTimelineRequest request;
  request.set_parent(incident.name());
  TANDEM_ASSIGN_OR_RETURN(const v1::ListTimelineResponse timeline,
                          ReadPages<v1::ListTimelineResponse>(
                              client, "Incidents/ListTimeline", &Stub::ListTimeline, request,
                              [](v1::ListTimelineResponse& page) { return page.mutable_entries(); },
                              {.page_size_max = 1000, .limit = kTimelineMax}));
  const std::vector<v1::TimelineEntry> entries(timeline.entries().begin(),
                                               timeline.entries().end());
  for (DeliveryTrouble& trouble : TroublesIn(ShortName(incident.name()), entries)) {
    troubles.push_back(std::move(trouble));
  }
  return absl::OkStatus();
}

absl::Status LookAt(Client& client, const Look& look, const std::string& tenant,
                    std::vector<Check>& checks) {
  TANDEM_ASSIGN_OR_RETURN(const auto unresolved,
                          IncidentsOf(client, tenant, "state=open|acknowledged", kUnresolvedMax));
  TANDEM_ASSIGN_OR_RETURN(const auto resolved,
                          IncidentsOf(client, tenant, "state=resolved", kResolvedMax));
  std::vector<DeliveryTrouble> troubles;
  for (const v1::Incident& incident : unresolved) {
    TANDEM_RETURN_IF_ERROR(AddTroubles(client, incident, troubles));
  }
  for (const v1::Incident& incident : resolved) {
    if (ToTime(incident.resolve_time()) < look.now - kResolvedWithin) continue;
    TANDEM_RETURN_IF_ERROR(AddTroubles(client, incident, troubles));
  }
  const std::string id = TenantOf(tenant);
  for (Check& check : DeliveryChecks(id, troubles, look)) checks.push_back(std::move(check));
  checks.push_back(EscalationCheck(id, unresolved, look));
  if (unresolved.size() >= kUnresolvedMax) {
    checks.push_back({Level::kNotice, "delivery",
                      fmt::format("{}: only the newest {} incidents that are not resolved were "
                                  "looked at",
                                  id, kUnresolvedMax),
                      fmt::format("tandem incident list --tenant {}", id)});
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<DeliveryTrouble> TroublesIn(const std::string& incident,
                                        std::span<const v1::TimelineEntry> timeline) {
  std::map<std::string, DeliveryTrouble> by_delivery;
  for (const v1::TimelineEntry& entry : timeline) {
    const bool given_up = entry.kind() == "DELIVERY_GIVEN_UP";
    if (given_up || entry.kind() == "DELIVERY_FAILED") {
      const auto [found, first] = by_delivery.try_emplace(entry.delivery_id());
      DeliveryTrouble& trouble = found->second;
      if (first) {
        trouble = {.incident = incident,
                   .contact = entry.contact(),
                   .reason = "",
                   .since = ToTime(entry.time())};
      }
      trouble.reason = entry.reason();
      trouble.given_up = given_up;
      ++trouble.failures;
    } else if (entry.kind() == "DELIVERY_CANCELLED") {
      by_delivery.erase(entry.delivery_id());
    } else if (entry.kind() == "DELIVERY_SUCCEEDED") {
      by_delivery.erase(entry.delivery_id());
      std::erase_if(by_delivery, [&](const auto& other) {
        return other.second.given_up && other.second.contact == entry.contact();
      });
    }
  }
  std::vector<DeliveryTrouble> troubles;
  troubles.reserve(by_delivery.size());
  for (auto& [delivery, trouble] : by_delivery) troubles.push_back(std::move(trouble));
  return troubles;
}

std::vector<Check> DeliveryChecks(std::string_view tenant,
                                  std::span<const DeliveryTrouble> troubles, const Look& look) {
  if (troubles.empty()) {
    return {{Level::kGood, "delivery", fmt::format("{}: no message is stuck", tenant), ""}};
  }
  // Given up first; then by contact and reason.
  std::map<std::tuple<bool, std::string, std::string>, Group> groups;
  for (const DeliveryTrouble& trouble : troubles) {
    Group& group = groups[{!trouble.given_up, trouble.contact, trouble.reason}];
    if (group.incidents.empty() || group.incidents.back() != trouble.incident) {
      group.incidents.push_back(trouble.incident);
    }
    group.since = std::min(group.since, trouble.since);
    group.failures += trouble.failures;
  }
  std::vector<Check> checks;
  for (const auto& [key, group] : groups) {
    if (checks.size() == kLinesMax - 1 && groups.size() > kLinesMax) {
      checks.push_back(
          {std::get<0>(key) ? Level::kNotice : Level::kBad, "delivery",
           fmt::format("{}: {} more contacts and reasons", tenant, groups.size() - checks.size()),
           fmt::format("tandem incident list --tenant {}", tenant)});
      break;
    }
    checks.push_back(LineFor(tenant, key, group, look));
  }
  return checks;
}

Check EscalationCheck(std::string_view tenant, std::span<const v1::Incident> open,
                      const Look& look) {
  std::vector<std::string> names;
  absl::Time oldest = absl::InfiniteFuture();
  for (const v1::Incident& incident : open) {
    if (incident.state() != v1::OPEN || !incident.escalation_exhausted()) continue;
    names.push_back(ShortName(incident.name()));
    oldest = std::min(oldest, ToTime(incident.open_time()));
  }
  if (names.empty()) {
    return {Level::kGood, "escalation",
            fmt::format("{}: every open incident has somebody left to tell", tenant), ""};
  }
  return {Level::kBad, "escalation",
          fmt::format("{}: nobody has taken over {}, and everybody was told; the oldest was opened "
                      "{}",
                      tenant, NamesText(names), AgeText(look, oldest)),
          fmt::format("tandem incident ack {}; then give its rule a longer escalation, a `repeat` "
                      "or a `last_resort` that somebody reads",
                      names.front())};
}

std::vector<Check> CheckDeliveries(Client& client, const Look& look, const std::string& tenant) {
  std::vector<Check> checks;
  const absl::Status looked = LookAt(client, look, tenant, checks);
  if (looked.ok()) return checks;
  const bool hidden = looked.code() == absl::StatusCode::kPermissionDenied;
  checks.push_back({hidden ? Level::kNotice : Level::kBad, "delivery",
                    hidden ? fmt::format("{}: not visible with this token", TenantOf(tenant))
                           : MessageOf(looked),
                    ""});
  return checks;
}

}  // namespace tandem::cli
