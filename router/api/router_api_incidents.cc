#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "router/api/alerts_view.h"
#include "router/api/cursor.h"
#include "router/api/explain.h"
#include "router/api/incident_filter.h"
#include "router/api/later.h"
#include "router/api/names.h"
#include "router/base/status.h"
#include "tandem/journal/v1/journal.pb.h"

namespace tandem::api {
namespace {

using journal::IncidentQuery;
using journal::IncidentRow;

std::uint32_t PageSize(int asked, int ordinary, int most) {
  return static_cast<std::uint32_t>(std::clamp(asked <= 0 ? ordinary : asked, 1, most));
}

absl::StatusOr<std::uint64_t> NumberIn(std::string_view text) {
  std::uint64_t number = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || at != text.data() + text.size()) {
    return InvalidField("PAGE_TOKEN_INVALID", "page_token", "expected a token as it was sent");
  }
  return number;
}

std::string PositionOf(const IncidentRow& row) {
  return fmt::format("{} {} {}", absl::ToUnixMicros(row.updated), row.number.value,
                     row.tenant.value);
}

absl::StatusOr<IncidentQuery::After> AfterIn(const std::string& position) {
  const std::size_t first = position.find(' ');
  const std::size_t second = position.find(' ', first + 1);
  if (first == std::string::npos || second == std::string::npos) return NumberIn("").status();
  TANDEM_ASSIGN_OR_RETURN(const std::uint64_t time, NumberIn(position.substr(0, first)));
  TANDEM_ASSIGN_OR_RETURN(const std::uint64_t number,
                          NumberIn(position.substr(first + 1, second - first - 1)));
  return IncidentQuery::After{absl::FromUnixMicros(static_cast<std::int64_t>(time)),
                              TenantId(position.substr(second + 1)), IncidentNumber(number)};
}

absl::StatusOr<v1::Incident> ReadIncident(journal::Reader& reader, const IncidentRef& ref) {
  TANDEM_ASSIGN_OR_RETURN(const auto row, reader.ReadIncident(ref.tenant, ref.number));
  v1::Incident incident;
  if (!row || !incident.ParseFromString(row->body)) return IncidentNotFound();
  return incident;
}

// Rows that the filter's labels sort out are read past, so a page is full unless the list ends; but
// one call reads at most this many.
constexpr std::size_t kRowsPerPageMax = 20'000;

absl::StatusOr<v1::ListIncidentsResponse> ReadPage(journal::Reader& reader, IncidentQuery query,
                                                   const IncidentFilter& filter,
                                                   std::uint32_t page_size,
                                                   const std::string& bound_to) {
  v1::ListIncidentsResponse response;
  query.limit = page_size + 1;  // one more tells whether there is a next page
  std::size_t read = 0;
  for (;;) {
    TANDEM_ASSIGN_OR_RETURN(const std::vector<IncidentRow> rows, reader.ListIncidents(query));
    for (const IncidentRow& row : rows) {
      v1::Incident incident;
      if (!incident.ParseFromString(row.body) || !filter.Matches(incident)) {
        query.after = {row.updated, row.tenant, row.number};
        continue;
      }
      if (response.incidents_size() == static_cast<int>(page_size)) {
        const IncidentQuery::After& last = *query.after;
        response.set_next_page_token(MakePageToken(
            PositionOf({.tenant = last.tenant, .number = last.number, .updated = last.updated}),
            bound_to));
        return response;
      }
      *response.add_incidents() = std::move(incident);
      query.after = {row.updated, row.tenant, row.number};
    }
    read += rows.size();
    if (rows.size() < query.limit) return response;
    if (read >= kRowsPerPageMax) {
      const IncidentQuery::After& last = *query.after;
      response.set_next_page_token(MakePageToken(
          PositionOf({.tenant = last.tenant, .number = last.number, .updated = last.updated}),
          bound_to));
      return response;
    }
  }
}

}  // namespace

void RouterApi::ListIncidents(const rpc::Caller& caller, const v1::ListIncidentsRequest& request,
                              Answer<v1::ListIncidentsResponse> answer) {
  TANDEM_ASSIGN_OR_ANSWER(
      const std::vector<TenantId> tenants,
      ResolveTenants(caller, *parts_.authenticator, AllTenants(), request.parent(), "parent"));
  TANDEM_ASSIGN_OR_ANSWER(const IncidentFilter filter, IncidentFilter::Parse(request.filter()));
  IncidentQuery query{.tenants = tenants};
  filter.AddTo(query);
  const std::string bound_to =
      fmt::format("incidents {} {} {}", caller.principal, request.parent(), request.filter());
  if (!request.page_token().empty()) {
    TANDEM_ASSIGN_OR_ANSWER(const std::string at, ReadPageToken(request.page_token(), bound_to));
    TANDEM_ASSIGN_OR_ANSWER(query.after, AfterIn(at));
  }
  if (tenants.empty()) return answer(v1::ListIncidentsResponse());
  Later<v1::ListIncidentsResponse>(
      std::move(answer), [query, filter, page_size = PageSize(request.page_size(), 50, 500),
                          bound_to](journal::Reader& reader) {
        return ReadPage(reader, query, filter, page_size, bound_to);
      });
}

void RouterApi::GetIncident(const rpc::Caller& caller, const v1::GetIncidentRequest& request,
                            Answer<v1::Incident> answer) {
  TANDEM_ASSIGN_OR_ANSWER(const IncidentRef ref, api::ResolveIncident(caller, *parts_.authenticator,
                                                                      request.name(), "name"));
  Later<v1::Incident>(std::move(answer),
                      [ref](journal::Reader& reader) { return ReadIncident(reader, ref); });
}

void RouterApi::ListTimeline(const rpc::Caller& caller, const v1::ListTimelineRequest& request,
                             Answer<v1::ListTimelineResponse> answer) {
  TANDEM_ASSIGN_OR_ANSWER(const IncidentRef ref, api::ResolveIncident(caller, *parts_.authenticator,
                                                                      request.parent(), "parent"));
  const std::string bound_to = "timeline of " + request.parent();
  Sequence after;
  if (!request.page_token().empty()) {
    TANDEM_ASSIGN_OR_ANSWER(const std::string at, ReadPageToken(request.page_token(), bound_to));
    TANDEM_ASSIGN_OR_ANSWER(const std::uint64_t sequence, NumberIn(at));
    after = Sequence(sequence);
  }
  const std::uint32_t limit = PageSize(request.page_size(), 100, 1000);
  Later<v1::ListTimelineResponse>(
      std::move(answer),
      [ref, after, limit,
       bound_to](journal::Reader& reader) -> absl::StatusOr<v1::ListTimelineResponse> {
        TANDEM_RETURN_IF_ERROR(ReadIncident(reader, ref).status());
        TANDEM_ASSIGN_OR_RETURN(const auto rows,
                                reader.ListIncidentEvents(ref.tenant, ref.number, after, limit));
        v1::ListTimelineResponse response;
        // A page ends with a whole record: a few entries more than asked for are no harm.
        for (const journal::EventRow& row : rows) {
          journal::v1::Event event;
          if (!event.ParseFromString(row.body)) continue;
          for (v1::TimelineEntry& entry : *event.mutable_entries()) {
            *response.add_entries() = std::move(entry);
          }
        }
        if (rows.size() == limit) {
          response.set_next_page_token(
              MakePageToken(fmt::format("{}", rows.back().sequence.value), bound_to));
        }
        return response;
      });
}

namespace {

// The newest word on each alert of an incident, by the alert's number.
struct LatestRef {
  Sequence record;
  journal::v1::AlertRef ref;
};

absl::StatusOr<std::map<std::uint64_t, LatestRef>> ReadAlertRefs(journal::Reader& reader,
                                                                 const IncidentRef& incident) {
  constexpr std::uint32_t kEventsAtOnce = 1000;
  std::map<std::uint64_t, LatestRef> latest;
  Sequence after;
  for (;;) {
    TANDEM_ASSIGN_OR_RETURN(
        const auto rows,
        reader.ListIncidentEvents(incident.tenant, incident.number, after, kEventsAtOnce));
    for (const journal::EventRow& row : rows) {
      after = row.sequence;
      journal::v1::Event event;
      if (!event.ParseFromString(row.body)) continue;
      for (const journal::v1::AlertRef& ref : event.alerts()) {
        LatestRef& to = latest[ref.alert()];
        const std::int64_t starts = to.ref.starts();
        to = {row.sequence, ref};
        if (ref.starts() == 0) to.ref.set_starts(starts);
      }
    }
    if (rows.size() < kEventsAtOnce) return latest;
  }
}

}  // namespace

void RouterApi::ListIncidentAlerts(const rpc::Caller& caller,
                                   const v1::ListIncidentAlertsRequest& request,
                                   Answer<v1::ListIncidentAlertsResponse> answer) {
  TANDEM_ASSIGN_OR_ANSWER(const IncidentRef ref, api::ResolveIncident(caller, *parts_.authenticator,
                                                                      request.parent(), "parent"));
  const std::string bound_to = "alerts of " + request.parent();
  std::uint64_t after = 0;
  if (!request.page_token().empty()) {
    TANDEM_ASSIGN_OR_ANSWER(const std::string at, ReadPageToken(request.page_token(), bound_to));
    TANDEM_ASSIGN_OR_ANSWER(after, NumberIn(at));
  }
  const std::uint32_t limit = PageSize(request.page_size(), 100, 1000);
  Later<v1::ListIncidentAlertsResponse>(
      std::move(answer),
      [ref, after, limit,
       bound_to](journal::Reader& reader) -> absl::StatusOr<v1::ListIncidentAlertsResponse> {
        TANDEM_RETURN_IF_ERROR(ReadIncident(reader, ref).status());
        TANDEM_ASSIGN_OR_RETURN(const auto latest, ReadAlertRefs(reader, ref));
        AlertsView view(&reader);
        v1::ListIncidentAlertsResponse response;
        auto at = latest.upper_bound(after);
        std::uint64_t last = after;
        for (std::uint32_t i = 0; i < limit && at != latest.end(); ++i, ++at) {
          last = at->first;
          TANDEM_RETURN_IF_ERROR(
              view.Fill(ref.tenant, at->second.record, at->second.ref, response.add_alerts()));
        }
        if (at != latest.end()) {
          response.set_next_page_token(MakePageToken(fmt::format("{}", last), bound_to));
        }
        return response;
      });
}

void RouterApi::ExplainIncident(const rpc::Caller& caller,
                                const v1::ExplainIncidentRequest& request,
                                Answer<v1::Explanation> answer) {
  TANDEM_ASSIGN_OR_ANSWER(const IncidentRef ref, api::ResolveIncident(caller, *parts_.authenticator,
                                                                      request.name(), "name"));
  parts_.engine->Submit({.tenant = ref.tenant,
                         .request = engine::MilestonesQuery{},
                         .done = [this, ref, answer](absl::StatusOr<engine::Reply> reply) {
                           if (!reply.ok()) return answer(reply.status());
                           Later<v1::Explanation>(
                               answer,
                               [ref, milestones = *reply](
                                   journal::Reader& reader) -> absl::StatusOr<v1::Explanation> {
                                 TANDEM_ASSIGN_OR_RETURN(v1::Incident incident,
                                                         ReadIncident(reader, ref));
                                 return Explain(reader, ref, std::move(incident), milestones);
                               });
                         }});
}

}  // namespace tandem::api
