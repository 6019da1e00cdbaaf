// The events of an iCalendar file as they are written, before anybody asks what they mean.
//
// Pure.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "router/playbook/ical_lines.h"

namespace tandem::playbook {

// A line that the event has not got has the name "".
struct ICalEvent {
  std::uint32_t line = 0;  // of its BEGIN
  std::string uid, summary;
  bool cancelled = false;
  bool has_exrule = false;
  ICalLine start, end;
  std::string duration;
  std::vector<std::string> rules;
  std::vector<ICalLine> more, without;  // RDATE, EXDATE
  ICalLine instance;                    // RECURRENCE-ID: which one of the event's it replaces
};

struct ICalFile {
  std::string zone;  // X-WR-TIMEZONE
  std::vector<ICalEvent> events;
  // Components that are neither events nor time zones, by the line of their BEGIN.
  std::vector<std::pair<std::uint32_t, std::string>> foreign;
};

// INVALID_ARGUMENT, ICALENDAR_INVALID, when it is no iCalendar file or has more than
// kICalendarEventsMax events; the message names the line.
absl::StatusOr<ICalFile> ReadICalFile(std::string_view ics);

// The values between commas.
std::vector<std::string_view> SplitICalList(std::string_view value);

}  // namespace tandem::playbook
