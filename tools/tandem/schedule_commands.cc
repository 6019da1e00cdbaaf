// `tandem schedule …` and `tandem oncall`: out of a playbook's file, without a router.
#include <fmt/format.h>

#include <memory>
#include <ostream>
#include <utility>
#include <vector>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/playbook/parse.h"
#include "router/playbook/schedule_calendar.h"
#include "tools/tandem/alert_text.h"
#include "tools/tandem/commands.h"
#include "tools/tandem/failure.h"
#include "tools/tandem/files.h"
#include "tools/tandem/finding_view.h"
#include "tools/tandem/names.h"
#include "tools/tandem/schedule_view.h"

namespace tandem::cli {
namespace {

constexpr absl::Duration kDefaultRange = absl::Hours(4 * 7 * 24);
// A year and a bit: with hourly hand-overs some 10,000 lines.
constexpr absl::Duration kRangeMax = absl::Hours(400 * 24);

using PlaybookPtr = std::shared_ptr<const playbook::Playbook>;

// nullptr when it has errors; they have been shown then.
absl::StatusOr<PlaybookPtr> Load(Session& session, const std::string& file) {
  TANDEM_ASSIGN_OR_RETURN(const std::string source, ReadFile(file, kPlaybookReadMaxBytes));
  playbook::Compiled compiled = playbook::CompilePlaybook(source);
  if (compiled.playbook == nullptr) {
    session.err() << FindingsText(file, source, ToProto(compiled.findings), session.err_look());
  }
  return std::move(compiled.playbook);
}

struct ShowOptions {
  std::string file, name, from, to;
  bool ics = false;
};

absl::StatusOr<playbook::TimeRange> RangeOf(const ShowOptions& options, absl::Time now) {
  playbook::TimeRange range{now, now + kDefaultRange};
  if (!options.from.empty()) {
    TANDEM_ASSIGN_OR_RETURN(range.from, ReadTime("--from", options.from, now));
    range.to = range.from + kDefaultRange;
  }
  if (!options.to.empty()) {
    TANDEM_ASSIGN_OR_RETURN(range.to, ReadTime("--to", options.to, now));
  }
  if (range.to <= range.from) {
    return UsageError(
        fmt::format("--to {} is not after --from {}", TimeText(range.to), TimeText(range.from)));
  }
  if (range.to - range.from > kRangeMax) {
    return UsageError(fmt::format("{} to {} is more than {}; ask for a shorter range",
                                  TimeText(range.from), TimeText(range.to),
                                  DurationText(kRangeMax)));
  }
  return range;
}

absl::StatusOr<const playbook::Schedule*> Find(const playbook::Playbook& playbook,
                                               const ShowOptions& options) {
  if (const auto* schedule = playbook.FindSchedule(options.name)) return schedule;
  std::vector<std::string> names;
  for (const playbook::Schedule& schedule : playbook.schedules()) names.push_back(schedule.name());
  const std::string nearest = NearestName(options.name, names);
  return UsageError(fmt::format("{} has no schedule \"{}\"{}", Printable(options.file),
                                Shown(options.name),
                                !nearest.empty() ? fmt::format("; did you mean \"{}\"?", nearest)
                                : names.empty()  ? "; it has none at all"
                                                 : "; `tandem oncall` lists them"));
}

absl::StatusOr<int> Show(Session& session, const ShowOptions& options) {
  if (options.ics && session.options.json)
    return UsageError("--ics and --json: give one of the two");
  const absl::Time now = session.clock().Now();
  TANDEM_ASSIGN_OR_RETURN(const playbook::TimeRange range, RangeOf(options, now));
  TANDEM_ASSIGN_OR_RETURN(const PlaybookPtr playbook, Load(session, options.file));
  if (playbook == nullptr) return kExitFinding;
  TANDEM_ASSIGN_OR_RETURN(const playbook::Schedule* schedule, Find(*playbook, options));
  if (options.ics) {
    session.out() << playbook::ScheduleToICalendar(*playbook, *schedule,
                                                   {.range = range, .stamp = now});
  } else if (session.options.json) {
    session.out() << ShiftsJson(*playbook, *schedule, range);
  } else {
    session.out() << ShiftsText(*playbook, *schedule, range, session.look());
  }
  return kExitOk;
}

struct OnCallOptions {
  std::string file, at;
};

absl::StatusOr<int> ShowOnCall(Session& session, const OnCallOptions& options) {
  absl::Time at = session.clock().Now();
  if (!options.at.empty()) {
    TANDEM_ASSIGN_OR_RETURN(at, ReadTime("--at", options.at, at));
  }
  TANDEM_ASSIGN_OR_RETURN(const PlaybookPtr playbook, Load(session, options.file));
  if (playbook == nullptr) return kExitFinding;
  session.out() << (session.options.json ? OnCallJson(*playbook, at)
                                         : OnCallText(*playbook, at, session.look()));
  return kExitOk;
}

}  // namespace

void AddScheduleCommands(const Command& root, Session& session) {
  auto options = std::make_shared<ShowOptions>();
  const Command show = root.Sub("schedule", "On-call schedules of a playbook's file")
                           .Sub("show", "Shifts and gaps of one schedule");
  show.Add({.names = "file",
            .help = "The playbook; - is standard input",
            .value = "FILE",
            .required = true},
           options->file);
  show.Add({.names = "name", .help = "The schedule", .value = "NAME", .required = true},
           options->name);
  show.Add({"--from", "From when: a time, or -7d (default: now)", "TIME"}, options->from);
  show.Add({"--to", "Until when (default: four weeks from --from)", "TIME"}, options->to);
  show.Flag({"--ics", "An iCalendar file"}, options->ics);
  show.Runs([&session, options] { return Show(session, *options); });

  auto on_call = std::make_shared<OnCallOptions>();
  const Command command =
      root.Sub("oncall", "Who is on call by each schedule of a playbook's file");
  command.Add({.names = "file",
               .help = "The playbook; - is standard input",
               .value = "FILE",
               .required = true},
              on_call->file);
  command.Add({"--at", "When: a time, or 2h (default: now)", "TIME"}, on_call->at);
  command.Runs([&session, on_call] { return ShowOnCall(session, *on_call); });
}

}  // namespace tandem::cli
