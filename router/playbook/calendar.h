// Named sets of time intervals in a time zone: production shift, change freeze, business hours.
//
// Fields and meaning are Alertmanager's time intervals (prometheus/alertmanager, timeinterval.go):
// fields are ANDed, entries of a field ORed, several intervals ORed; times are [start, end) in whole
// minutes of the local wall clock with 24:00 allowed; ranges are inclusive; days of month may count
// from the end and are clamped to the month. One difference, on purpose: an interval whose end is at
// or before its start crosses midnight and belongs to the day on which it starts.
//
// Pure: the only outside fact is the time-zone database of the machine. Safe from any thread.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::playbook {

// An interval as people write it; see `TimeInterval` in proto/tandem/v1/context.proto. An empty
// field holds always.
struct IntervalSpec {
  std::vector<std::string> times;          // "08:00-17:00"
  std::vector<std::string> weekdays;       // "monday", "monday:friday"
  std::vector<std::string> days_of_month;  // "1:5", "-3:-1"
  std::vector<std::string> months;         // "january", "5:8"
  std::vector<std::string> years;          // "2026", "2026:2028"
  friend bool operator==(const IntervalSpec&, const IntervalSpec&) = default;
};

struct CalendarSpec {
  std::string location;  // IANA zone; empty: UTC
  std::vector<IntervalSpec> intervals;
  friend bool operator==(const CalendarSpec&, const CalendarSpec&) = default;
};

// Immutable once compiled.
class Calendar {
 public:
  // INVALID_ARGUMENT; the field error's path is `location` or `intervals[1].times[0]`, so that a
  // caller with positions can point at it. At most 64 intervals of at most 64 entries a field.
  static absl::StatusOr<Calendar> Compile(const CalendarSpec& spec);

  bool IsOn(absl::Time now) const;

  // The first instant after `now` at which IsOn changes; nullopt when it does not within 5 years.
  std::optional<absl::Time> NextChange(absl::Time now) const;

  // "Mon 14:05 America/Chicago".
  std::string LocalTime(absl::Time now) const;

  const CalendarSpec& spec() const { return spec_; }

 private:
  struct Range {
    int first = 0;
    int last = 0;  // inclusive, but for minutes: exclusive
  };
  struct Interval {
    std::vector<Range> minutes, weekdays, days_of_month, months, years;
  };

  bool DayMatches(const Interval& interval, absl::CivilDay day) const;

  CalendarSpec spec_;
  absl::TimeZone zone_;
  std::vector<Interval> intervals_;
};

}  // namespace tandem::playbook
