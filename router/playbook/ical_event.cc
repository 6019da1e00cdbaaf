#include "router/playbook/ical_event.h"

#include <fmt/format.h>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/playbook/icalendar.h"

namespace tandem::playbook {
namespace {

constexpr std::size_t kForeignMax = 1'000;

absl::Status Invalid(std::uint32_t line, std::string_view message) {
  return Error(absl::StatusCode::kInvalidArgument, "ICALENDAR_INVALID",
               fmt::format("line {}: {}", line, message));
}

// A text without its escapes (RFC 5545, 3.3.11).
std::string Unescaped(std::string_view value) {
  std::string text;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '\\' || i + 1 == value.size()) {
      text += value[i];
      continue;
    }
    ++i;
    text += value[i] == 'n' || value[i] == 'N' ? ' ' : value[i];
  }
  return text;
}

void Put(const ICalLine& line, ICalEvent& event) {
  if (line.name == "UID") event.uid = line.value;
  if (line.name == "SUMMARY") event.summary = Unescaped(line.value);
  if (line.name == "STATUS") event.cancelled = line.value == "CANCELLED";
  if (line.name == "DTSTART") event.start = line;
  if (line.name == "DTEND") event.end = line;
  if (line.name == "DURATION") event.duration = line.value;
  if (line.name == "RRULE") event.rules.push_back(line.value);
  if (line.name == "EXRULE") event.has_exrule = true;
  if (line.name == "RDATE") event.more.push_back(line);
  if (line.name == "EXDATE") event.without.push_back(line);
  if (line.name == "RECURRENCE-ID") event.instance = line;
}

}  // namespace

std::vector<std::string_view> SplitICalList(std::string_view value) {
  std::vector<std::string_view> values;
  while (true) {
    const std::size_t end = value.find(',');
    values.push_back(value.substr(0, end));
    if (end == std::string_view::npos) return values;
    value.remove_prefix(end + 1);
  }
}

absl::StatusOr<ICalFile> ReadICalFile(std::string_view ics) {
  if (ics.starts_with("\xEF\xBB\xBF")) ics.remove_prefix(3);
  ICalLines lines(ics);
  ICalLine line;
  if (!lines.Next(line) || line.name != "BEGIN" || line.value != "VCALENDAR") {
    return Invalid(1, "this is no iCalendar file; expected BEGIN:VCALENDAR");
  }
  ICalFile file;
  std::vector<std::string> open = {"VCALENDAR"};  // components, from the outermost
  std::uint32_t last = line.number;
  while (lines.Next(line)) {
    last = line.number;
    if (line.name == "BEGIN") {
      if (open.size() == 1 && line.value == "VEVENT") {
        if (file.events.size() == kICalendarEventsMax) {
          return Invalid(line.number, fmt::format("more than {} events", kICalendarEventsMax));
        }
        file.events.emplace_back().line = line.number;
      } else if (open.size() == 1 && line.value != "VTIMEZONE" &&
                 file.foreign.size() < kForeignMax) {
        file.foreign.emplace_back(line.number, line.value);
      }
      // What stands deeper means nothing here; its depth alone is kept.
      open.push_back(line.value);
    } else if (line.name == "END") {
      // Several calendars may follow each other in one file.
      if (open.empty() || open.back() != line.value) {
        return Invalid(line.number,
                       fmt::format("END:{} ends nothing that is open", Shown(line.value)));
      }
      open.pop_back();
    } else if (open.size() == 2 && open.back() == "VEVENT") {
      Put(line, file.events.back());
    } else if (open.size() == 1 && line.name == "X-WR-TIMEZONE" && file.zone.empty()) {
      file.zone = line.value;
    }
  }
  if (!open.empty())
    return Invalid(last, fmt::format("the file ends before END:{}", Shown(open.back())));
  return file;
}

}  // namespace tandem::playbook
