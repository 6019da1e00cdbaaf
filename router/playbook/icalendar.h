// A calendar of iCalendar (RFC 5545) as one of ours: public holidays, change freezes, maintenance.
//
// Events become dates (all-day ones) and recurrences (timed ones, and those with a rule), by the
// wall clock of one zone: `location`, or else the first that the file names. Zones are read from
// the TZID parameter alone and mapped to IANA's (prefixes of paths and names of Windows are known);
// what a file's own VTIMEZONE says is not. An event in another zone is converted when it comes
// once, and left out when it recurs: its rule is of a wall clock that is not the calendar's.
//
// Taken: DTSTART, DTEND, DURATION, RRULE, RDATE, EXDATE, RECURRENCE-ID of one instance, STATUS.
// Left out with a reason: what was cancelled, has no length, lies outside 1970 to 2100, or is not
// valid.
//
// Pure; safe from any thread; never crashes, whatever the bytes are.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "router/playbook/calendar.h"

namespace tandem::playbook {

inline constexpr std::size_t kICalendarBytesMax = 1024 * 1024;
inline constexpr std::size_t kICalendarEventsMax = 10'000;

// Something of the file that is not, or not wholly, in the calendar.
struct ICalendarNote {
  std::uint32_t line = 0;  // from 1; where the event begins
  std::string uid;         // may be empty
  std::string text;        // why, for a person; printable
  friend bool operator==(const ICalendarNote&, const ICalendarNote&) = default;
};

struct ICalendarImport {
  CalendarSpec spec;
  // What each of spec.dates and of spec.recurring is about, printable, may be empty.
  std::vector<std::string> date_titles, recurring_titles;
  std::vector<ICalendarNote> notes;  // by line
  std::uint32_t events = 0;          // that the file has
};

// INVALID_ARGUMENT with reason ICALENDAR_INVALID: larger than the limits, no iCalendar, `location`
// is no zone, or nothing of it can be taken. The spec that is returned compiles.
absl::StatusOr<ICalendarImport> CalendarFromICalendar(std::string_view ics,
                                                      std::string_view location);

}  // namespace tandem::playbook
