// What comes back by a rule of RFC 5545, 3.3.10: "FREQ=MONTHLY;BYDAY=2TU".
//
// All BY parts, INTERVAL, COUNT, UNTIL and WKST; FREQ from YEARLY to HOURLY. Where the RFC leaves
// something open: the start counts only when the rule names it; what a rule does not say comes from
// the start (with BYWEEKNO alone, its weekday); a week at the turn of a year belongs with its days
// to the calendar year in which they lie, which only INTERVAL can tell apart.
//
// Pure. Expanding visits every day until the end of 2100 once at most, whatever the rule says, so
// that a rule that never holds costs no more than one that always does (see decisions/0016).
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace tandem::playbook {

// Rules are expanded until the end of this year.
inline constexpr int kRuleYearLast = 2100;

struct RecurrenceRule {
  enum class Frequency { kHourly, kDaily, kWeekly, kMonthly, kYearly };
  // "-1FR" is {-1, friday}, "FR" {0, friday}.
  struct Weekday {
    int ordinal = 0;
    absl::Weekday day = absl::Weekday::monday;
  };
  struct Until {
    absl::CivilSecond at;  // included
    bool utc = false;      // else by the wall clock of the calendar
  };

  Frequency frequency = Frequency::kDaily;
  std::int64_t interval = 1;
  std::optional<std::uint64_t> count;
  std::optional<Until> until;
  absl::Weekday week_start = absl::Weekday::monday;

  // An empty list says nothing.
  std::vector<int> months, month_days, year_days, weeks;
  std::vector<Weekday> weekdays;
  std::vector<int> hours, minutes, seconds;  // ascending
  std::vector<int> positions;                // BYSETPOS
};

// INVALID_ARGUMENT: the message begins with the part that is wrong, such as `BYDAY: `.
absl::StatusOr<RecurrenceRule> ParseRecurrenceRule(std::string_view text);

struct Occurrences {
  std::vector<absl::CivilSecond> starts;  // by the wall clock, ascending, each once
  bool cut = false;                       // the rule goes on behind the last of them
};

// The first `max` occurrences from `start` on. `zone` is asked for an UNTIL in UTC alone.
Occurrences Expand(const RecurrenceRule& rule, absl::CivilSecond start, const absl::TimeZone& zone,
                   std::size_t max);

}  // namespace tandem::playbook
