// `tandem incident …` and its shortcut `tandem explain`.
#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <ostream>
#include <utility>
#include <vector>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/rpc/grpc_status.h"
#include "tandem/v1/incidents.grpc.pb.h"
#include "tools/tandem/age.h"
#include "tools/tandem/commands.h"
#include "tools/tandem/deliveries_reader.h"
#include "tools/tandem/explain_view.h"
#include "tools/tandem/failure.h"
#include "tools/tandem/filter.h"
#include "tools/tandem/incident_view.h"
#include "tools/tandem/json.h"
#include "tools/tandem/names.h"
#include "tools/tandem/pages.h"
#include "tools/tandem/pause.h"

namespace tandem::cli {
namespace {

using Stub = v1::Incidents::Stub;

constexpr std::int64_t kListMax = 100'000;
// What a page of one incident shows at most; a flapping incident has more than anybody reads.
constexpr std::size_t kPageEntriesMax = 1'000;
// A watched list is asked for again at this pace; the feed is the command for every single change.
constexpr absl::Duration kWatchEvery = absl::Seconds(2);

struct ListOptions {
  FilterOptions filter;
  std::int64_t limit = 50;
  bool watch = false;
};

absl::StatusOr<v1::ListIncidentsResponse> ReadList(Client& client, const std::string& parent,
                                                   const std::string& filter, std::size_t limit) {
  v1::ListIncidentsRequest request;
  request.set_parent(parent);
  request.set_filter(filter);
  return ReadPages<v1::ListIncidentsResponse>(
      client, "Incidents/ListIncidents", &Stub::ListIncidents, request,
      [](v1::ListIncidentsResponse& page) { return page.mutable_incidents(); },
      {.page_size_max = 500, .limit = limit});
}

void ShowList(Session& session, const v1::ListIncidentsResponse& list, std::int64_t limit) {
  const std::vector<v1::Incident> incidents(list.incidents().begin(), list.incidents().end());
  session.out() << IncidentTable(incidents, session.look());
  if (!list.next_page_token().empty()) {
    session.out() << fmt::format("… and more: --limit {} shows twice as many\n", limit * 2);
  }
  session.out().flush();
}

absl::StatusOr<int> List(Session& session, const ListOptions& options) {
  if (options.limit < 1 || options.limit > kListMax) {
    return UsageError(fmt::format("--limit {}: expected 1 to {}", options.limit, kListMax));
  }
  if (options.watch && session.options.json) {
    return UsageError("--watch repaints a terminal: for a stream of JSON use `tandem feed --json`");
  }
  TANDEM_ASSIGN_OR_RETURN(const std::string filter, FilterText(options.filter));
  TANDEM_ASSIGN_OR_RETURN(std::string parent, session.Tenant());
  if (parent.empty()) parent = "tenants/-";
  TANDEM_ASSIGN_OR_RETURN(Client * client, session.Connect());
  const auto limit = static_cast<std::size_t>(options.limit);
  absl::StatusOr<v1::ListIncidentsResponse> list = ReadList(*client, parent, filter, limit);
  TANDEM_RETURN_IF_ERROR(list.status());
  if (session.options.json) {
    session.PrintJson(*list);
    return kExitOk;
  }
  ShowList(session, *list, options.limit);
  if (!options.watch) return kExitOk;
  while (session.out().good() && Pause(kWatchEvery, STDOUT_FILENO) == Paused::kElapsed) {
    // Home and clear, then the table in one write, so that it does not flicker.
    if (session.on_terminal()) session.out() << "\x1b[H\x1b[2J";
    absl::StatusOr<v1::ListIncidentsResponse> newer = ReadList(*client, parent, filter, limit);
    if (newer.ok()) {
      list = std::move(newer);
    } else if (rpc::ExitCode(newer.status()) != kExitUnreachable) {
      return newer.status();
    } else {
      // The last list stays, but never as if it were fresh.
      session.out() << Painted(session.look(), Tint::kRed, "! stale: the router does not answer")
                    << "\n";
    }
    ShowList(session, *list, options.limit);
  }
  return kExitOk;
}

absl::StatusOr<IncidentPage> ReadPage(Client& client, const std::string& name) {
  IncidentPage page;
  v1::GetIncidentRequest get;
  get.set_name(name);
  TANDEM_ASSIGN_OR_RETURN(page.incident,
                          client.Call("Incidents/GetIncident", &Stub::GetIncident, get));
  v1::ListTimelineRequest timeline;
  timeline.set_parent(name);
  TANDEM_ASSIGN_OR_RETURN(
      const v1::ListTimelineResponse entries,
      ReadPages<v1::ListTimelineResponse>(
          client, "Incidents/ListTimeline", &Stub::ListTimeline, timeline,
          [](v1::ListTimelineResponse& answer) { return answer.mutable_entries(); },
          {.page_size_max = 1000, .limit = kPageEntriesMax}));
  v1::ListIncidentAlertsRequest alerts;
  alerts.set_parent(name);
  TANDEM_ASSIGN_OR_RETURN(
      const v1::ListIncidentAlertsResponse held,
      ReadPages<v1::ListIncidentAlertsResponse>(
          client, "Incidents/ListIncidentAlerts", &Stub::ListIncidentAlerts, alerts,
          [](v1::ListIncidentAlertsResponse& answer) { return answer.mutable_alerts(); },
          {.page_size_max = 1000, .limit = kPageEntriesMax}));
  page.timeline.assign(entries.entries().begin(), entries.entries().end());
  page.alerts.assign(held.alerts().begin(), held.alerts().end());
  // Only the role `service` may see them: a refusal is the ordinary case and no error.
  if (auto deliveries = ReadOpenDeliveries(client, name); deliveries.ok()) {
    page.deliveries = *std::move(deliveries);
    page.deliveries_visible = true;
  }
  return page;
}

template <typename Message>
std::string JsonList(const std::vector<Message>& messages) {
  std::string list;
  for (const Message& message : messages) {
    list += (list.empty() ? "" : ",") + JsonText(message, JsonShape::kOneLine);
  }
  return "[" + list + "]";
}

// The incident, and the parts beside it as lists: entries of the timeline, alerts, deliveries; null
// when the caller may not see them.
std::string PageJson(const IncidentPage& page) {
  return fmt::format("{{\"incident\":{},\"timeline\":{},\"alerts\":{},\"deliveries\":{}}}\n",
                     JsonText(page.incident, JsonShape::kOneLine), JsonList(page.timeline),
                     JsonList(page.alerts),
                     page.deliveries_visible ? JsonList(page.deliveries) : "null");
}

absl::StatusOr<int> Show(Session& session, const std::string& text) {
  TANDEM_ASSIGN_OR_RETURN(const std::string name, session.Name(&IncidentName, text));
  TANDEM_ASSIGN_OR_RETURN(Client * client, session.Connect());
  TANDEM_ASSIGN_OR_RETURN(const IncidentPage page, ReadPage(*client, name));
  session.out() << (session.options.json ? PageJson(page) : IncidentPageText(page, session.look()));
  return kExitOk;
}

absl::StatusOr<int> Explain(Session& session, const std::string& text) {
  TANDEM_ASSIGN_OR_RETURN(const std::string name, session.Name(&IncidentName, text));
  TANDEM_ASSIGN_OR_RETURN(Client * client, session.Connect());
  v1::ExplainIncidentRequest request;
  request.set_name(name);
  TANDEM_ASSIGN_OR_RETURN(
      const v1::Explanation explanation,
      client->Call("Incidents/ExplainIncident", &Stub::ExplainIncident, request));
  if (session.options.json) {
    session.PrintJson(explanation);
  } else {
    session.out() << ExplanationText(explanation, session.look());
  }
  return explanation.verified() ? kExitOk : kExitFinding;
}

struct ActOptions {
  std::string name;
  std::string message;
  std::string expires_in;
};

// One of the actions; `Fill` sets what only that request has.
template <typename Request, typename Method, typename Fill>
absl::StatusOr<int> Act(Session& session, const ActOptions& options, std::string_view call,
                        Method method, Fill fill) {
  Request request;
  TANDEM_ASSIGN_OR_RETURN(*request.mutable_name(), session.Name(&IncidentName, options.name));
  request.set_request_id(NewRequestId());
  TANDEM_RETURN_IF_ERROR(fill(request));
  TANDEM_ASSIGN_OR_RETURN(Client * client, session.Connect());
  TANDEM_ASSIGN_OR_RETURN(const v1::Incident incident, client->Call(call, method, request));
  if (session.options.json) {
    session.PrintJson(incident);
  } else {
    session.out() << IncidentLine(incident, session.look());
    // What FillAcknowledgement could read before can be read now.
    if (const absl::StatusOr<absl::Duration> asked = ReadDuration(options.expires_in);
        !options.expires_in.empty() && asked.ok()) {
      session.out() << CutAcknowledgementLine(incident, *asked);
    }
  }
  return kExitOk;
}

absl::Status FillAcknowledgement(const ActOptions& options,
                                 v1::AcknowledgeIncidentRequest& request) {
  request.set_comment(options.message);
  if (options.expires_in.empty()) return absl::OkStatus();
  const absl::StatusOr<absl::Duration> held = ReadDuration(options.expires_in);
  if (!held.ok()) return UsageError(fmt::format("--for: {}", MessageOf(held.status())));
  *request.mutable_expires_in() = ToProto(*held);
  return absl::OkStatus();
}

void AddList(const Command& incident, Session& session) {
  auto options = std::make_shared<ListOptions>();
  const Command list = incident.Sub("list", "Incidents, the last changed first");
  list.Add({"--filter", "Terms joined by commas, as the API reads them: state=open,severity>=major",
            "TERMS"},
           options->filter.filter);
  list.Add({"--state", "open, acknowledged, resolved; several parted by commas", "STATE"},
           options->filter.states);
  list.Add({"--severity", "This severity and above; =major for that one alone", "SEVERITY"},
           options->filter.severity);
  list.Add({"--side", "provider or customer", "SIDE"}, options->filter.sides);
  list.Add({"--team", "The owner team", "TEAM"}, options->filter.teams);
  list.Add({"--rule", "The rule that decided", "RULE"}, options->filter.rules);
  list.Add({"--label", "A group label: site=plant-7", "NAME=VALUE"}, options->filter.labels);
  list.Add({"--limit", "How many at most", "N"}, options->limit);
  list.Flag({"--watch", "Repaint every 2 s until interrupted"}, options->watch);
  list.Runs([&session, options] { return List(session, *options); });
}

template <typename Run>
void AddAction(const Command& incident, const std::string& name, const std::string& help,
               bool message_required, Run run) {
  auto options = std::make_shared<ActOptions>();
  const Command action = incident.Sub(name, help);
  action.Add({.names = "name",
              .help = "acme/12, or 12 with --tenant acme",
              .value = "NAME",
              .required = true},
             options->name);
  action.Add({.names = "-m,--message",
              .help = "What to say about it on the timeline",
              .value = "TEXT",
              .required = message_required},
             options->message);
  if (name == "ack") {
    action.Add(
        {"--for", "How long it holds: 30m (default and limit: the rule's ack_expires)", "DURATION"},
        options->expires_in);
  }
  action.Runs([options, run] { return run(*options); });
}

void AddActions(const Command& incident, Session& session) {
  const bool required = true;
  AddAction(incident, "ack", "Take over: the escalation rests", !required,
            [&session](const ActOptions& options) {
              return Act<v1::AcknowledgeIncidentRequest>(
                  session, options, "Incidents/AcknowledgeIncident", &Stub::AcknowledgeIncident,
                  [&](auto& request) { return FillAcknowledgement(options, request); });
            });
  AddAction(incident, "note", "Add a line to the timeline", required,
            [&session](const ActOptions& options) {
              return Act<v1::AddNoteRequest>(session, options, "Incidents/AddNote", &Stub::AddNote,
                                             [&](auto& request) {
                                               request.set_text(options.message);
                                               return absl::OkStatus();
                                             });
            });
  const auto comment = [](const ActOptions& options) {
    return [&options](auto& request) {
      request.set_comment(options.message);
      return absl::OkStatus();
    };
  };
  AddAction(incident, "resolve", "End it; it stays ended until its alerts clear and fire anew",
            !required, [&session, comment](const ActOptions& options) {
              return Act<v1::ResolveIncidentRequest>(session, options, "Incidents/ResolveIncident",
                                                     &Stub::ResolveIncident, comment(options));
            });
  AddAction(incident, "reopen", "Take a resolution back", !required,
            [&session, comment](const ActOptions& options) {
              return Act<v1::ReopenIncidentRequest>(session, options, "Incidents/ReopenIncident",
                                                    &Stub::ReopenIncident, comment(options));
            });
}

struct AnswerOptions {
  ActOptions act;
  std::string answer;
  std::string request;
};

absl::StatusOr<int> AnswerRequest(Session& session, const AnswerOptions& options) {
  return Act<v1::AnswerRequestRequest>(
      session, options.act, "Incidents/AnswerRequest", &Stub::AnswerRequest,
      [&](v1::AnswerRequestRequest& request) {
        if (!options.request.empty()) {
          request.set_name(request.name() + "/requests/" + options.request);
        }
        request.set_answer(options.answer);
        request.set_comment(options.act.message);
        return absl::OkStatus();
      });
}

void AddAnswer(const Command& incident, Session& session) {
  auto options = std::make_shared<AnswerOptions>();
  const Command answer = incident.Sub("answer", "Answer what your side was asked");
  answer.Add({.names = "name",
              .help = "acme/12, or 12 with --tenant acme",
              .value = "NAME",
              .required = true},
             options->act.name);
  answer.Add({.names = "answer",
              .help = "One of the request's options; any text when it has none",
              .value = "ANSWER",
              .required = true},
             options->answer);
  answer.Add({"--request", "Its number (default: the newest that waits for an answer)", "N"},
             options->request);
  answer.Add({"-m,--message", "What to say about it on the timeline", "TEXT"},
             options->act.message);
  answer.Runs([&session, options] { return AnswerRequest(session, *options); });
}

void AddHandover(const Command& incident, Session& session) {
  auto options = std::make_shared<ActOptions>();
  auto team = std::make_shared<std::string>();
  const Command offer =
      incident.Sub("offer", "Offer the lead to another team, which has 15 minutes to accept");
  offer.Add({.names = "name",
             .help = "acme/12, or 12 with --tenant acme",
             .value = "NAME",
             .required = true},
            options->name);
  offer.Add({.names = "team",
             .help = "A team of the incident's playbook",
             .value = "TEAM",
             .required = true},
            *team);
  offer.Add({"-m,--message", "Why", "TEXT"}, options->message);
  offer.Runs([&session, options, team] {
    return Act<v1::OfferHandoverRequest>(session, *options, "Incidents/OfferHandover",
                                         &Stub::OfferHandover, [&](auto& request) {
                                           request.set_team(*team);
                                           request.set_comment(options->message);
                                           return absl::OkStatus();
                                         });
  });
  const auto reply = [&session](bool accept) {
    return [&session, accept](const ActOptions& act) {
      return Act<v1::ReplyHandoverRequest>(session, act, "Incidents/ReplyHandover",
                                           &Stub::ReplyHandover, [&](auto& request) {
                                             request.set_accept(accept);
                                             request.set_comment(act.message);
                                             return absl::OkStatus();
                                           });
    };
  };
  const bool required = true;
  AddAction(incident, "accept", "Take the lead that is on offer, and the incident with it",
            !required, reply(true));
  AddAction(incident, "decline", "Do not take the lead, or take back your own offer", !required,
            reply(false));
}

void AddReader(const Command& parent, const std::string& name, const std::string& help,
               Session& session,
               absl::StatusOr<int> (*read)(Session& session, const std::string& name)) {
  auto incident = std::make_shared<std::string>();
  const Command command = parent.Sub(name, help);
  command.Add({.names = "name",
               .help = "acme/12, or 12 with --tenant acme",
               .value = "NAME",
               .required = true},
              *incident);
  command.Runs([&session, incident, read] { return read(session, *incident); });
}

}  // namespace

void AddIncidentCommands(const Command& root, Session& session) {
  const Command incident = root.Sub("incident", "Read incidents and act on them");
  AddList(incident, session);
  AddReader(incident, "show", "One incident with its timeline and alerts", session, &Show);
  AddActions(incident, session);
  AddAnswer(incident, session);
  AddHandover(incident, session);
  AddReader(incident, "explain", "Why it went where it did", session, &Explain);
  AddReader(root, "explain", "Why an incident went where it did", session, &Explain);
}

}  // namespace tandem::cli
