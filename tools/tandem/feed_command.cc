// `tandem feed`.
#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <ostream>
#include <utility>

#include "router/base/status.h"
#include "router/base/text.h"
#include "tools/tandem/age.h"
#include "tools/tandem/commands.h"
#include "tools/tandem/failure.h"
#include "tools/tandem/feed_reader.h"
#include "tools/tandem/feed_view.h"
#include "tools/tandem/filter.h"
#include "tools/tandem/json.h"
#include "tools/tandem/names.h"
#include "tools/tandem/pause.h"

namespace tandem::cli {
namespace {

struct FeedCommandOptions {
  FilterOptions filter;
  std::string cursor;
  bool from_beginning = false;
  std::int64_t count = 0;
};

absl::StatusOr<v1::SubscribeRequest> BuildRequest(const Session& session,
                                                  const FeedCommandOptions& options) {
  if (options.from_beginning && !options.cursor.empty()) {
    return UsageError("--cursor and --from-beginning name two places to begin: give one of them");
  }
  if (options.count < 0) return UsageError("--count: expected 1 or more; 0 or nothing: no end");
  v1::SubscribeRequest request;
  TANDEM_ASSIGN_OR_RETURN(const std::string tenant, session.Tenant());
  if (!tenant.empty()) request.add_parents(tenant);
  TANDEM_ASSIGN_OR_RETURN(*request.mutable_filter(), FilterText(options.filter));
  request.set_cursor(options.cursor);
  request.set_from_beginning(options.from_beginning);
  // A line has no room for them; a program that reads JSON may want them.
  request.set_omit_alerts(!session.options.json);
  return request;
}

void SayWaiting(Session& session, const absl::Status& why, absl::Duration wait) {
  if (session.options.json) {
    session.err() << FailureJson(why) << std::flush;
    return;
  }
  const Look look = session.err_look();
  session.err() << Painted(
                       look, Tint::kYellow,
                       fmt::format("feed interrupted ({}): going on behind the last event in {}",
                                   Printable(MessageOf(why)),
                                   wait < absl::Seconds(1) ? "a moment" : SpanText(wait)))
                << std::endl;
}

absl::StatusOr<int> Follow(Session& session, const FeedCommandOptions& options) {
  TANDEM_ASSIGN_OR_RETURN(v1::SubscribeRequest request, BuildRequest(session, options));
  TANDEM_ASSIGN_OR_RETURN(Client * client, session.Connect());
  FeedReader reader(*client, {.request = std::move(request)},
                    [&](const absl::Status& why, absl::Duration wait) {
                      SayWaiting(session, why, wait);
                      return Pause(wait, STDOUT_FILENO);
                    });
  for (std::int64_t shown = 0; options.count == 0 || shown < options.count;) {
    const absl::StatusOr<v1::FeedEvent> event = reader.Next();
    if (ReasonOf(event.status()) == "READER_GONE") return kExitOk;
    TANDEM_RETURN_IF_ERROR(event.status());
    if (event->heartbeat() || !event->has_incident()) continue;
    session.out() << (session.options.json ? JsonText(*event, JsonShape::kOneLine) + "\n"
                                           : FeedLine(*event, session.look()))
                  << std::flush;
    if (!session.out().good()) return kExitOk;  // the reader of the pipe has gone
    ++shown;
  }
  return kExitOk;
}

}  // namespace

void AddFeedCommand(const Command& root, Session& session) {
  auto options = std::make_shared<FeedCommandOptions>();
  const Command feed = root.Sub("feed", "Follow what happens, a line for each event");
  feed.Add({"--filter", "Terms as for `incident list`: severity>=major,side=customer", "TERMS"},
           options->filter.filter);
  feed.Add({"--state", "open, acknowledged, resolved", "STATE"}, options->filter.states);
  feed.Add({"--severity", "This severity and above; =major for that one alone", "SEVERITY"},
           options->filter.severity);
  feed.Add({"--side", "provider or customer", "SIDE"}, options->filter.sides);
  feed.Add({"--team", "The owner team", "TEAM"}, options->filter.teams);
  feed.Add({.names = "--cursor",
            .help = "Go on behind this event (`cursor` in --json)",
            .value = "CURSOR",
            .filled = true},
           options->cursor);
  feed.Flag({"--from-beginning", "Begin with the oldest event that is kept"},
            options->from_beginning);
  feed.Add({"--count", "Stop after so many events", "N"}, options->count);
  feed.Runs([&session, options] { return Follow(session, *options); });
}

}  // namespace tandem::cli
