// `tandem calendar …`: without a router.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>
#include <vector>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/playbook/icalendar.h"
#include "tools/tandem/commands.h"
#include "tools/tandem/failure.h"
#include "tools/tandem/files.h"
#include "tools/tandem/names.h"

namespace tandem::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kNameMaxBytes = 64;
// More than is taken, so that the refusal can name the size.
constexpr std::size_t kReadMaxBytes = 64 << 20;

struct ImportOptions {
  std::string file;
  std::string location;
  std::string name;
};

bool FitsName(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

// "at/Public Holidays.ics" → "public-holidays"; "calendar" when nothing is left.
std::string NameOf(const std::string& file) {
  std::string stem = file.substr(std::min(file.size(), file.find_last_of('/') + 1));
  stem = stem.substr(0, stem.find_last_of('.'));
  std::string name;
  for (const char c : stem.substr(0, kNameMaxBytes)) {
    const char small = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (FitsName(c)) {
      name += small;
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  while (name.ends_with('-')) name.pop_back();
  return name.empty() ? "calendar" : name;
}

std::string Titled(const std::string& line, const std::string& title) {
  return title.empty() ? line + "\n" : fmt::format("{}  # {}\n", line, title);
}

// A section to paste into a playbook: what the importer made has no character that YAML would take
// for its own within quotes.
std::string YamlText(const std::string& name, const playbook::ICalendarImport& import) {
  const playbook::CalendarSpec& spec = import.spec;
  std::string text = fmt::format("calendars:\n  {}:\n    location: \"{}\"\n", name, spec.location);
  if (!spec.dates.empty()) text += "    dates:\n";
  for (std::size_t i = 0; i < spec.dates.size(); ++i) {
    text += Titled(fmt::format("      - \"{}\"", spec.dates[i]), import.date_titles[i]);
  }
  if (!spec.recurring.empty()) text += "    recurring:\n";
  for (std::size_t i = 0; i < spec.recurring.size(); ++i) {
    const playbook::RecurrenceSpec& recurrence = spec.recurring[i];
    std::string line =
        fmt::format("      - {{start: \"{}\", duration: {}", recurrence.start, recurrence.duration);
    if (!recurrence.rule.empty()) line += fmt::format(", rule: \"{}\"", recurrence.rule);
    if (!recurrence.exceptions.empty()) {
      line += fmt::format(", exceptions: [\"{}\"]", fmt::join(recurrence.exceptions, "\", \""));
    }
    text += Titled(line + "}", import.recurring_titles[i]);
  }
  return text;
}

std::string JsonOf(const std::string& name, const playbook::ICalendarImport& import) {
  const playbook::CalendarSpec& spec = import.spec;
  Json calendar = {{"location", spec.location}};
  if (!spec.dates.empty()) calendar["dates"] = spec.dates;
  for (const playbook::RecurrenceSpec& recurrence : spec.recurring) {
    Json json = {{"start", recurrence.start}, {"duration", recurrence.duration}};
    if (!recurrence.rule.empty()) json["rule"] = recurrence.rule;
    if (!recurrence.exceptions.empty()) json["exceptions"] = recurrence.exceptions;
    calendar["recurring"].push_back(std::move(json));
  }
  Json file;
  file["calendars"][name] = std::move(calendar);
  return file.dump(2) + "\n";
}

absl::StatusOr<int> Import(Session& session, const ImportOptions& options) {
  const std::string name = options.name.empty() ? NameOf(options.file) : options.name;
  if (name.size() > kNameMaxBytes || !std::all_of(name.begin(), name.end(), FitsName)) {
    return UsageError(fmt::format(
        "--name: \"{}\" is not a name; expected letters, digits, - and _, at most {} bytes",
        Shown(name), kNameMaxBytes));
  }
  TANDEM_ASSIGN_OR_RETURN(const std::string ics, ReadFile(options.file, kReadMaxBytes));
  const auto import = playbook::CalendarFromICalendar(ics, options.location);
  if (!import.ok()) return Annotate(import.status(), Printable(options.file));
  session.out() << (session.options.json ? JsonOf(name, *import) : YamlText(name, *import));
  for (const playbook::ICalendarNote& note : import->notes) {
    session.err() << fmt::format("{}:{}: {}{}{}\n", Printable(options.file), note.line, note.uid,
                                 note.uid.empty() ? "" : ": ", note.text);
  }
  session.err() << fmt::format("{} events: {} dates, {} recurrences, {} notes\n", import->events,
                               import->spec.dates.size(), import->spec.recurring.size(),
                               import->notes.size());
  return kExitOk;
}

}  // namespace

void AddCalendarCommands(const Command& root, Session& session) {
  const Command calendar = root.Sub("calendar", "Calendars for playbooks and for the context");

  auto options = std::make_shared<ImportOptions>();
  const Command import = calendar.Sub(
      "import", "An iCalendar file as YAML for a playbook; what is left out is said on stderr");
  import.Add({.names = "file",
              .help = "iCalendar (.ics), at most 1 MiB; - is standard input",
              .value = "FILE",
              .required = true},
             options->file);
  import.Add({.names = "--location",
              .help = "The zone whose days and times are meant, such as Europe/Vienna; default: "
                      "the first that the file names",
              .value = "ZONE",
              .filled = true},
             options->location);
  import.Add({.names = "--name",
              .help = "What the calendar is called; default: after the file",
              .value = "NAME",
              .filled = true},
             options->name);
  import.Runs([&session, options] { return Import(session, *options);
});
}  // namespace tandem::cli

}  // namespace tandem::cli
