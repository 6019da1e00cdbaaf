#include "router/playbook/schedule_calendar.h"

#include <fmt/format.h>

#include <string_view>

namespace tandem::playbook {
namespace {

constexpr std::size_t kLineMaxBytes = 75;  // RFC 5545, 3.1: without the line break

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// A content line, folded: what continues it begins with a blank, which counts. Never within a
// character, which the RFC allows and some readers do not bear.
void Append(std::string_view line, std::string& out) {
  for (std::size_t room = kLineMaxBytes; line.size() > room; room = kLineMaxBytes - 1) {
    std::size_t cut = room;
    while (cut > 1 && IsContinuation(line[cut])) --cut;
    out += line.substr(0, cut);
    out += "\r\n ";
    line.remove_prefix(cut);
  }
  out += line;
  out += "\r\n";
}

// RFC 5545, 3.3.11.
std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\r') continue;
    if (c == '\\' || c == ';' || c == ',') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

std::string TimeOf(absl::Time time) {
  return absl::FormatTime("%Y%m%dT%H%M%SZ", time, absl::UTCTimeZone());
}

// The shift without the cuts of the range.
Shift Whole(const Schedule& schedule, const Shift& shift, const TimeRange& range) {
  Shift whole = shift;
  if (shift.start != range.from && shift.end != range.to) return whole;
  const auto all = schedule.ShiftAt(shift.start);
  if (!all) return whole;
  whole.start = all->start;
  if (all->end != absl::InfiniteFuture()) whole.end = all->end;
  return whole;
}

}  // namespace

std::string ScheduleToICalendar(const Playbook& playbook, const Schedule& schedule,
                                const CalendarExport& options) {
  std::string out;
  Append("BEGIN:VCALENDAR", out);
  Append("VERSION:2.0", out);
  Append("PRODID:-//Tandem//On-call schedule//EN", out);
  Append("CALSCALE:GREGORIAN", out);
  Append(fmt::format("X-WR-CALNAME:{}", Escaped(schedule.name())), out);
  for (const Shift& cut : schedule.Shifts(options.range)) {
    const Shift shift = Whole(schedule, cut, options.range);
    const bool layer = shift.duty.by == OnDuty::By::kLayer;
    const Person& person = playbook.people()[shift.duty.person];
    const std::string start = TimeOf(shift.start);
    Append("BEGIN:VEVENT", out);
    Append(
        fmt::format("UID:{}.{}.{}@{}", start,
                    layer ? "layer-" + schedule.spec().layers[shift.duty.index].name : "override",
                    schedule.name(), playbook.tenant()),
        out);
    Append("DTSTAMP:" + TimeOf(options.stamp), out);
    Append("DTSTART:" + start, out);
    Append("DTEND:" + TimeOf(shift.end), out);
    Append(fmt::format("SUMMARY:{} is on call",
                       Escaped(person.display_name.empty() ? person.name : person.display_name)),
           out);
    Append(fmt::format("DESCRIPTION:{}",
                       Escaped(fmt::format("{} by {}, {}", person.name, schedule.name(),
                                           schedule.SourceText(shift.duty)))),
           out);
    // Who is on call has other appointments all the same.
    Append("TRANSP:TRANSPARENT", out);
    Append("END:VEVENT", out);
  }
  Append("END:VCALENDAR", out);
  return out;
}

}  // namespace tandem::playbook
