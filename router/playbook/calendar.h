// Named sets of time intervals in a time zone: production shift, change freeze, business hours.
//
// Fields and meaning are Alertmanager's time intervals (prometheus/alertmanager, timeinterval.go):
// fields are ANDed, entries of a field ORed, several intervals ORed; times are [start, end) in
// whole minutes of the local wall clock with 24:00 allowed; ranges are inclusive; days of month may
// count from the end and are clamped to the month. One difference, on purpose: an interval whose
// end is before its start crosses midnight and belongs to the day on which it starts, and its
// weekday, day, month and year are those of that day. Daylight saving: what counts is the wall
// clock, so an hour that occurs twice is in or out both times, and one that is skipped is nowhere.
//
// Pure: the only outside fact is the time-zone database of the machine. Safe from any thread.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <array>
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
  // INVALID_ARGUMENT; each field error's path is `location`, `intervals[1]` or
  // `intervals[1].times[0]`, so that a caller with positions can point at it. 1 to 64 intervals of
  // at most 64 entries a field; an interval that says nothing or can never hold is refused.
  static absl::StatusOr<Calendar> Compile(const CalendarSpec& spec);

  bool IsOn(absl::Time now) const;

  // The first instant after `now` at which IsOn changes; nullopt when it does not within 5 years.
  std::optional<absl::Time> NextChange(absl::Time now) const;

  // "Mon 14:05 America/Chicago".
  std::string LocalTime(absl::Time now) const;

  const CalendarSpec& spec() const { return spec_; }

 private:
  friend class CalendarCompiler;

  struct Range {
    int first = 0;
    int last = 0;
  };
  struct Interval {
    // Minutes of the day [first, last), disjoint and ascending, on the day itself and, for what
    // crosses midnight, on the day after.
    std::vector<Range> today, tomorrow;
    std::uint8_t weekdays = 0;  // bit 0: Sunday
    std::uint16_t months = 0;   // bit 1: January
    std::array<std::uint32_t, 4>
        days_of_month{};       // for months of 28, 29, 30, 31 days; bit 1: the 1st
    std::vector<Range> years;  // inclusive; empty: all
  };

  static bool DayMatches(const Interval& interval, absl::CivilDay day);
  // The minutes of `day` at which the calendar turns on or off by the wall clock, ascending.
  std::vector<int> TurningMinutes(absl::CivilDay day) const;

  CalendarSpec spec_;
  absl::TimeZone zone_;
  std::vector<Interval> intervals_;
};

}  // namespace tandem::playbook
