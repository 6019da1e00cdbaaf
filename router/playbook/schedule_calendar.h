// A schedule's shifts as an iCalendar file (RFC 5545), for the calendars that people carry along.
//
// Pure; safe from any thread.
#pragma once

#include <absl/time/time.h>

#include <string>

#include "router/playbook/playbook.h"

namespace tandem::playbook {

struct CalendarExport {
  TimeRange range;
  absl::Time stamp;  // DTSTAMP: when this was made
};

// One event for each shift that touches the range, whole even where it reaches beyond; one that has
// no end within 5 years is cut at the end of the range. Times are UTC. The UID comes from tenant,
// schedule, layer and start: the same shift is the same event in every export, also when another
// person takes it over. REQUIRES: `schedule` is of `playbook`.
std::string ScheduleToICalendar(const Playbook& playbook, const Schedule& schedule,
                                const CalendarExport& options);

}  // namespace tandem::playbook
