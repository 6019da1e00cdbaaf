// From what people write about a calendar to minutes, days and instants; see Calendar::Compile.
//
// Pure; compiles one calendar. calendar_spec.cc has the whole, calendar_intervals.cc the intervals,
// calendar_dates.cc dates, recurrences and exceptions.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "router/playbook/calendar.h"

namespace tandem::playbook {

// Gathers every mistake of a calendar, not just the first.
class CalendarCompiler {
 public:
  // Both outlive it.
  CalendarCompiler(const CalendarSpec& spec, const Calendar::Others& others)
      : spec_(spec), others_(others) {}

  absl::StatusOr<Calendar> Compile();

 private:
  using Range = Calendar::Range;
  using Interval = Calendar::Interval;
  using Span = Calendar::Span;
  // Why an entry is refused, or "".
  using AddEntry = std::function<std::string(std::string_view)>;
  struct Bound {
    std::size_t entries = 0;
    std::size_t most = 0;
  };

  void Refuse(std::string_view field, std::string_view description);
  // True, with a mistake, when there are more entries than are taken.
  bool IsTooMany(std::string_view field, Bound bound);
  // Calls `add` for each entry below `field`.
  void ForEach(const std::vector<std::string>& entries, std::string_view field, std::size_t most,
               const AddEntry& add);
  void CompileOthers(Calendar& calendar);

  // calendar_intervals.cc
  void CompileIntervals(Calendar& calendar);
  Interval CompileInterval(const IntervalSpec& spec);
  static std::string AddTimes(std::string_view entry, Interval& interval);
  static std::string AddDays(std::string_view entry, Interval& interval);
  static std::string AddYears(std::string_view entry, Interval& interval);
  static void Merge(std::vector<Range>& ranges);
  static bool EverHolds(const Interval& interval);
  static bool HoldsWithin(const Interval& interval, const Range& years);

  // calendar_dates.cc
  void CompileDates(Calendar& calendar);
  std::vector<Range> CompileDays(const std::vector<std::string>& entries, std::string_view field,
                                 std::size_t most);
  static void MergeDays(std::vector<Range>& days);
  // What of `days` is not in `without`; both disjoint and ascending.
  static std::vector<Range> Without(const std::vector<Range>& days,
                                    const std::vector<Range>& without);
  void CompileRecurring(Calendar& calendar);
  // The occurrences of one entry, in no order.
  std::vector<Span> CompileRecurrence(const RecurrenceSpec& spec, const std::string& where,
                                      const Calendar& calendar);
  std::vector<absl::CivilSecond> StartsOf(const RecurrenceSpec& spec, const std::string& where,
                                          absl::CivilSecond start, const absl::TimeZone& zone);

  const CalendarSpec& spec_;
  const Calendar::Others& others_;
  absl::Status status_;
  std::string where_;  // `intervals[1]`
  std::vector<FieldError> warnings_;
};

}  // namespace tandem::playbook
