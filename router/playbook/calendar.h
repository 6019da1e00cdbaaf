// Named sets of times in a time zone: production shift, change freeze, holidays, patch nights.
//
// Intervals have the fields and the meaning of Alertmanager's time intervals (prometheus/
// alertmanager, timeinterval.go): fields are ANDed, entries of a field ORed, several intervals
// ORed; times are [start, end) in whole minutes of the local wall clock with 24:00 allowed; ranges
// are inclusive; days of month may count from the end and are clamped to the month. Two
// differences, on purpose: an interval whose end is before its start crosses midnight and belongs
// to the day on which it starts, and its weekday, day, month and year are those of that day; and a
// range of weekdays, months or days of the month that ends before it starts goes on over the end of
// the week, year or month (`november:february`, `friday:monday`, `28:3`), where Alertmanager
// refuses it.
//
// Dates are whole local days. Recurrences are rules of RFC 5545 (recurrence.h): each occurrence
// starts by the wall clock, where a reading that is skipped is taken with the offset before the
// leap and one that occurs twice is its first (3.3.5); a duration of whole days ends at the same
// reading of the clock, any other after that much time (3.3.6). Exceptions are local days on which
// nothing starts: no interval, no date, no occurrence.
//
// Daylight saving: for intervals and dates what counts is the wall clock, so an hour that occurs
// twice is in or out both times, and one that is skipped is nowhere.
//
// Pure: the only outside fact is the time-zone database of the machine. Safe from any thread.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "router/base/status.h"

namespace tandem::playbook {

// Of a calendar: INVALID_ARGUMENT that names the field.
inline constexpr std::size_t kCalendarIntervalsMax = 64;
inline constexpr std::size_t kCalendarEntriesMax = 64;  // of one field of an interval
inline constexpr std::size_t kCalendarDatesMax = 2'000;
inline constexpr std::size_t kCalendarRecurringMax = 256;
inline constexpr std::size_t kCalendarExceptionsMax = 1'000;
inline constexpr std::size_t kCalendarOthersMax = 64;  // of each of any_of and except

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

// What comes back by a rule; see `Recurrence` there.
struct RecurrenceSpec {
  std::string start;                    // "2026-01-13 22:00"
  std::string duration;                 // "4h"; 1 minute to 31 days
  std::string rule;                     // "FREQ=MONTHLY;BYDAY=2TU"; empty: once
  std::vector<std::string> exceptions;  // days on which it does not start, as `dates`
  friend bool operator==(const RecurrenceSpec&, const RecurrenceSpec&) = default;
};

// On while an interval, a date, a recurrence or a calendar of `any_of` is, and none of `except`.
struct CalendarSpec {
  std::string location;  // IANA zone; empty: UTC
  std::vector<IntervalSpec> intervals;
  std::vector<std::string> dates;  // "2026-12-24", "2026-12-31:2027-01-02"
  std::vector<RecurrenceSpec> recurring;
  std::vector<std::string> exceptions;  // days on which nothing starts, as `dates`
  // Names of other calendars, of the same playbook.
  std::vector<std::string> any_of;
  std::vector<std::string> except;
  friend bool operator==(const CalendarSpec&, const CalendarSpec&) = default;
};

// Immutable once compiled. A copy shares what is large.
class Calendar {
 public:
  // The calendars that a spec names, in its order.
  struct Others {
    std::vector<std::shared_ptr<const Calendar>> any_of;
    std::vector<std::shared_ptr<const Calendar>> except;
  };

  // INVALID_ARGUMENT; each field error's path is `location`, `intervals[1].times[0]`,
  // `recurring[0].rule` or the like, so that a caller with positions can point at it. At most 64
  // intervals of at most 64 entries a field, 2,000 dates, 256 recurrences with 40,000 occurrences
  // in all, 1,000 exceptions; names of others at most 8 deep, and at most 1,000 of them are asked
  // in all. What says nothing or can never hold is refused. Without `others`, so are any_of and
  // except.
  static absl::StatusOr<Calendar> Compile(const CalendarSpec& spec);
  // REQUIRES: as many of each as `spec` names; none is nullptr.
  static absl::StatusOr<Calendar> Compile(const CalendarSpec& spec, const Others& others);

  bool IsOn(absl::Time now) const;

  // The first instant after `now` at which IsOn changes; nullopt when it does not within 5 years.
  std::optional<absl::Time> NextChange(absl::Time now) const;

  // "Mon 14:05 America/Chicago". A calendar of others that names no zone tells the time of its
  // first.
  std::string LocalTime(absl::Time now) const;

  const CalendarSpec& spec() const { return spec_; }

  // What was taken and is probably not meant, with paths as those of errors: a rule that goes on
  // behind its last known occurrence, a start that its rule does not name.
  const std::vector<FieldError>& warnings() const { return warnings_; }

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
  // Seconds since the epoch, [first, last).
  struct Span {
    std::int64_t first = 0;
    std::int64_t last = 0;
  };

  static bool DayMatches(const Interval& interval, absl::CivilDay day);
  // Whether `interval` starts on `day`.
  bool Starts(const Interval& interval, absl::CivilDay day) const;
  // Intervals and dates, by the wall clock.
  bool IsOnByWallClock(absl::Time now) const;
  bool IsInSpan(absl::Time now) const;
  // The minutes of `day` at which the calendar turns on or off by the wall clock, ascending.
  std::vector<int> TurningMinutes(absl::CivilDay day) const;
  // Whether the wall clock's parts are `on` whatever it shows on `day`. May be false where they
  // are.
  bool SaysAllDay(absl::CivilDay day, bool on) const;
  // As NextChange, each for its part.
  std::optional<absl::Time> NextWallChange(absl::Time now, absl::Time horizon) const;
  std::optional<absl::Time> NextSpanChange(absl::Time now) const;

  CalendarSpec spec_;
  absl::TimeZone zone_;
  std::string zone_name_;
  std::vector<Interval> intervals_;
  // Days since 1970-01-01, [first, last], disjoint and ascending; exceptions are taken out of
  // dates.
  std::vector<Range> dates_, exceptions_;
  // Disjoint and ascending; nullptr: none.
  std::shared_ptr<const std::vector<Span>> spans_;
  Others others_;
  bool wall_clock_only_ = true;  // no spans, no others
  int depth_ = 1;                // of calendars, this one included
  int asked_ = 1;                // how many calendars IsOn asks at most, this one included
  std::vector<FieldError> warnings_;
};

}  // namespace tandem::playbook
