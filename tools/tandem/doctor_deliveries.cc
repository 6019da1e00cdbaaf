#include "tools/tandem/doctor_deliveries.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
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
// Without a failure, what is younger is on its way: a call may take 15 seconds (notifier.timeout).
constexpr absl::Duration kUnderWay = absl::Seconds(20);
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

// Troubles with one contact: given up for one reason, or waiting for whatever reason.
struct Group {
  std::vector<std::string> incidents;
  absl::Time since = absl::InfiniteFuture();
  std::uint32_t failures = 0;
  std::size_t deliveries = 0;
};
struct GroupKey {
  bool waits = false;
  std::string contact;
  std::string reason;  // empty when it waits
  friend auto operator<=>(const GroupKey&, const GroupKey&) = default;
};

// What is known last of the endpoint of a contact: its reason and what was announced then hold for
// all that waits for it, tried or not.
struct LastFailure {
  std::string reason;
  absl::Time time = absl::InfinitePast();
  absl::Time next = absl::InfinitePast();
};
using LastFailures = std::map<std::string, LastFailure, std::less<>>;  // by contact

std::string MessagesText(std::size_t count) {
  return count == 1 ? "1 message waits" : fmt::format("{} messages wait", count);
}

// What waits and was not tried, and nothing else was lately, as far as timelines tell.
Check UntriedLine(std::string_view tenant, std::string_view contact, const Group& group,
                  const Look& look) {
  return {Level::kNotice, "delivery",
          fmt::format("{}: {} is not told of {} yet: {}, the oldest was planned {}, and none has "
                      "been tried",
                      tenant, contact, NamesText(group.incidents), MessagesText(group.deliveries),
                      AgeText(look, group.since)),
          "check that a notifier runs and reaches the router (tandem_delivery_watch is 1), and its "
          "log: an endpoint that failed again and again is left alone for up to 2 minutes"};
}

Check WaitingLine(std::string_view tenant, std::string_view contact, const Group& group,
                  const LastFailure& last, const Look& look) {
  const std::string attempts = group.failures == 0 ? std::string("none tried, the oldest planned")
                               : group.failures == 1
                                   ? std::string("1 attempt, the first")
                                   : fmt::format("{} attempts, the first", group.failures);
  return {Level::kNotice, "delivery",
          fmt::format("{}: {} is not told of {} yet: {} ({} {}); {}, {}", tenant, contact,
                      NamesText(group.incidents), last.reason, attempts, AgeText(look, group.since),
                      MessagesText(group.deliveries),
                      last.next > look.now
                          ? fmt::format("the next attempt not before {} ({})",
                                        ClockText(look, last.next), AgeText(look, last.next))
                          : std::string("tried again")),
          AdviceFor(last.reason)};
}

Check LineFor(std::string_view tenant, const GroupKey& key, const Group& group,
              const LastFailures& last, const Look& look) {
  const auto& [waits, contact, reason] = key;
  if (waits) {
    const auto failure = last.find(contact);
    return failure == last.end() ? UntriedLine(tenant, contact, group, look)
                                 : WaitingLine(tenant, contact, group, failure->second, look);
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
    const absl::Time time = ToTime(entry.time());
    const bool given_up = entry.kind() == "DELIVERY_GIVEN_UP";
    if (entry.kind() == "DELIVERY_PLANNED" || entry.kind() == "DELIVERY_ATTEMPTED") {
      by_delivery.try_emplace(
          entry.delivery_id(),
          DeliveryTrouble{
              .incident = incident, .contact = entry.contact(), .reason = "", .since = time});
    } else if (given_up || entry.kind() == "DELIVERY_FAILED") {
      DeliveryTrouble& trouble = by_delivery[entry.delivery_id()];
      if (trouble.failures == 0) trouble.since = time;
      trouble.incident = incident;
      trouble.contact = entry.contact();
      trouble.reason = entry.reason();
      trouble.given_up = given_up;
      trouble.failed = time;
      if (entry.has_next_attempt_time()) trouble.next = ToTime(entry.next_attempt_time());
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
  // Given up first; then by contact and reason.
  std::map<GroupKey, Group> groups;
  LastFailures last;
  for (const DeliveryTrouble& trouble : troubles) {
    if (trouble.failures > 0 && trouble.failed >= last[trouble.contact].time) {
      last[trouble.contact] = {trouble.reason, trouble.failed, trouble.next};
    }
    Group& group = groups[{.waits = !trouble.given_up,
                           .contact = trouble.contact,
                           .reason = trouble.given_up ? trouble.reason : ""}];
    if (group.incidents.empty() || group.incidents.back() != trouble.incident) {
      group.incidents.push_back(trouble.incident);
    }
    group.since = std::min(group.since, trouble.since);
    group.failures += trouble.failures;
    ++group.deliveries;
  }
  std::erase_if(groups, [&look](const auto& entry) {
    const auto& [key, group] = entry;
    return key.waits && group.failures == 0 && group.since > look.now - kUnderWay;
  });
  if (groups.empty()) {
    return {{Level::kGood, "delivery", fmt::format("{}: no message is stuck", tenant), ""}};
  }
  std::vector<Check> checks;
  for (const auto& [key, group] : groups) {
    if (checks.size() == kLinesMax - 1 && groups.size() > kLinesMax) {
      checks.push_back(
          {key.waits ? Level::kNotice : Level::kBad, "delivery",
           fmt::format("{}: {} more contacts and reasons", tenant, groups.size() - checks.size()),
           fmt::format("tandem incident list --tenant {}", tenant)});
      break;
    }
    checks.push_back(LineFor(tenant, key, group, last, look));
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
