// The intervals of a calendar: to minutes and bits, with a reason for each refusal.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <span>
#include <utility>

#include "router/base/text.h"
#include "router/playbook/calendar_compiler.h"

namespace tandem::playbook {
namespace {

constexpr int kYearFirst = 1970;
constexpr int kYearLast = 2999;
constexpr int kMinutesADay = 24 * 60;
constexpr int kDayMax = 31;

constexpr std::string_view kWeekdays[] = {"sunday",   "monday", "tuesday", "wednesday",
                                          "thursday", "friday", "saturday"};
constexpr std::string_view kMonths[] = {"january",   "february", "march",    "april",
                                        "may",       "june",     "july",     "august",
                                        "september", "october",  "november", "december"};

template <typename Words>
std::string Nearest(std::string_view word, const Words& words) {
  return NearestName(word, {std::begin(words), std::end(words)});
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::optional<int> ReadNumber(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// "08:30" → 510, "24:00" → 1440.
std::optional<int> ReadClock(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (const std::size_t i : {0, 1, 3, 4}) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
  }
  const int minutes =
      ((text[0] - '0') * 10 + (text[1] - '0')) * 60 + (text[3] - '0') * 10 + (text[4] - '0');
  if (text[3] > '5' || minutes > kMinutesADay) return std::nullopt;
  return minutes;
}

// The two ends of "a:b"; the same twice for "a".
std::pair<std::string_view, std::string_view> Ends(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return {text, text};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

std::string NamedHint(std::string_view bad, std::span<const std::string_view> names) {
  const std::string lower = Lower(bad);
  std::string nearest;
  for (const std::string_view name : names) {
    if (lower.size() >= 3 && name.substr(0, lower.size()) == lower) nearest = name;  // "mon".
  }
  if (nearest.empty()) nearest = Nearest(lower, names);
  return nearest.empty() ? fmt::format("expected a name such as {}", names[1])
                         : fmt::format("did you mean \"{}\"?", nearest);
}

// A range of named things, the first of which has the number `base`; months may be numbers too.
std::string AddNamed(std::string_view entry, std::span<const std::string_view> names, int base,
                     std::string_view what, std::uint64_t& bits) {
  const int last_number = base + static_cast<int>(names.size()) - 1;
  const auto read = [&](std::string_view text) -> std::optional<int> {
    const std::string lower = Lower(text);
    const auto found = std::find(names.begin(), names.end(), lower);
    if (found != names.end()) return base + static_cast<int>(found - names.begin());
    const std::optional<int> number = base == 1 ? ReadNumber(text) : std::nullopt;
    return number && *number >= base && *number <= last_number ? number : std::nullopt;
  };
  const auto [first_text, last_text] = Ends(entry);
  const auto first = read(first_text);
  const auto last = read(last_text);
  if (!first || !last) {
    const std::string_view bad = first ? last_text : first_text;
    return fmt::format("\"{}\" is not a {}; {}", Shown(bad), what, NamedHint(bad, names));
  }
  // One that ends before it starts goes on over the end.
  for (int i = *first;; i = i == last_number ? base : i + 1) {
    bits |= std::uint64_t{1} << i;
    if (i == *last) break;
  }
  return "";
}

std::string AddWeekdays(std::string_view entry, std::uint64_t& days) {
  return AddNamed(entry, kWeekdays, 0, "weekday", days);
}

std::string AddMonths(std::string_view entry, std::uint64_t& months) {
  return AddNamed(entry, kMonths, 1, "month", months);
}

}  // namespace

void CalendarCompiler::CompileIntervals(Calendar& calendar) {
  if (IsTooMany("intervals", {spec_.intervals.size(), kCalendarIntervalsMax})) return;
  for (std::size_t i = 0; i < spec_.intervals.size(); ++i) {
    where_ = fmt::format("intervals[{}]", i);
    calendar.intervals_.push_back(CompileInterval(spec_.intervals[i]));
  }
}

Calendar::Interval CalendarCompiler::CompileInterval(const IntervalSpec& spec) {
  Interval interval;
  const absl::Status before = status_;
  if (spec == IntervalSpec()) {
    Refuse(where_,
           "an interval that says nothing would always hold; give times, weekdays, "
           "days_of_month, months or years");
  }
  std::uint64_t weekdays = 0, months = 0;
  ForEach(spec.times, where_ + ".times", kCalendarEntriesMax,
          [&](std::string_view entry) { return AddTimes(entry, interval); });
  ForEach(spec.weekdays, where_ + ".weekdays", kCalendarEntriesMax,
          [&](std::string_view entry) { return AddWeekdays(entry, weekdays); });
  ForEach(spec.days_of_month, where_ + ".days_of_month", kCalendarEntriesMax,
          [&](std::string_view entry) { return AddDays(entry, interval); });
  ForEach(spec.months, where_ + ".months", kCalendarEntriesMax,
          [&](std::string_view entry) { return AddMonths(entry, months); });
  ForEach(spec.years, where_ + ".years", kCalendarEntriesMax,
          [&](std::string_view entry) { return AddYears(entry, interval); });
  interval.weekdays = static_cast<std::uint8_t>(spec.weekdays.empty() ? 0x7F : weekdays);
  interval.months = static_cast<std::uint16_t>(spec.months.empty() ? 0x1FFE : months);
  if (spec.times.empty()) interval.today = {{0, kMinutesADay}};
  if (spec.days_of_month.empty()) interval.days_of_month.fill(0xFFFFFFFE);
  Merge(interval.today);
  Merge(interval.tomorrow);
  if (before.ok() && status_.ok() && !EverHolds(interval)) {
    Refuse(where_,
           "no day has this weekday, day of month, month and year at once, so it would "
           "never hold");
  }
  return interval;
}

std::string CalendarCompiler::AddTimes(std::string_view entry, Interval& interval) {
  const std::string shown = Shown(entry);
  const std::size_t dash = entry.find('-');
  const auto first = ReadClock(entry.substr(0, dash));
  const auto last =
      dash == std::string_view::npos ? std::nullopt : ReadClock(entry.substr(dash + 1));
  if (!first || !last) {
    const std::string_view bad =
        first ? entry.substr(std::min(dash, entry.size() - 1) + 1) : entry.substr(0, dash);
    if (dash == std::string_view::npos) {
      return fmt::format("\"{}\" is not a range of times; expected a form such as 08:00-17:00",
                         shown);
    }
    return fmt::format(
        "\"{}\" in \"{}\" is not a time of day; expected two digits each, from 00:00 "
        "to 24:00",
        Shown(bad), shown);
  }
  if (*first == kMinutesADay) {
    return fmt::format(
        "\"{}\" starts at 24:00, which can only be an end; start at 00:00 of the next "
        "day",
        shown);
  }
  if (*first == *last) {
    return fmt::format("\"{}\" ends when it starts; write 00:00-24:00 for a whole day", shown);
  }
  if (*first < *last) {
    interval.today.push_back({*first, *last});
  } else {
    interval.today.push_back({*first, kMinutesADay});
    if (*last > 0) interval.tomorrow.push_back({0, *last});
  }
  return "";
}

std::string CalendarCompiler::AddDays(std::string_view entry, Interval& interval) {
  const auto [first_text, last_text] = Ends(entry);
  const auto first = ReadNumber(first_text);
  const auto last = ReadNumber(last_text);
  const auto valid = [](std::optional<int> day) {
    return day && *day != 0 && *day >= -kDayMax && *day <= kDayMax;
  };
  if (!valid(first) || !valid(last)) {
    return fmt::format(
        "\"{}\" is not a day of the month; expected 1 to 31, or -1 to -31 from the end",
        Shown(valid(first) ? last_text : first_text));
  }
  // One that ends before it starts, counted from one end, goes on over the end of the month; so
  // does one from its last days to its first ones.
  const bool wraps = (*first < 0) == (*last < 0) ? *first > *last : *first < 0;
  for (int length = 28; length <= kDayMax; ++length) {
    const auto from_start = [&](int day) { return day < 0 ? length + day + 1 : day; };
    const int begin = std::max(1, from_start(*first));
    const int end = std::min(length, from_start(*last));
    for (int day = 1; day <= length; ++day) {
      if (wraps ? day < begin && day > end : day < begin || day > end) continue;
      interval.days_of_month[static_cast<std::size_t>(length - 28)] |= std::uint32_t{1} << day;
    }
  }
  return "";
}

std::string CalendarCompiler::AddYears(std::string_view entry, Interval& interval) {
  const auto [first_text, last_text] = Ends(entry);
  const auto first = ReadNumber(first_text);
  const auto last = ReadNumber(last_text);
  const auto valid = [](std::optional<int> year) {
    return year && *year >= kYearFirst && *year <= kYearLast;
  };
  if (!valid(first) || !valid(last)) {
    return fmt::format("\"{}\" is not a year; expected {} to {}",
                       Shown(valid(first) ? last_text : first_text), kYearFirst, kYearLast);
  }
  if (*first > *last) return fmt::format("\"{}\" ends before it starts", Shown(entry));
  interval.years.push_back({*first, *last});
  return "";
}

// Sorts, and joins what touches.
void CalendarCompiler::Merge(std::vector<Range>& ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const Range& a, const Range& b) { return a.first < b.first; });
  std::vector<Range> merged;
  for (const Range& range : ranges) {
    if (!merged.empty() && range.first <= merged.back().last) {
      merged.back().last = std::max(merged.back().last, range.last);
    } else {
      merged.push_back(range);
    }
  }
  ranges = std::move(merged);
}

// Weekdays, month lengths and leap years repeat every 400 years.
bool CalendarCompiler::EverHolds(const Interval& interval) {
  if (interval.years.empty()) return HoldsWithin(interval, {2000, 2399});
  return std::any_of(interval.years.begin(), interval.years.end(), [&](const Range& years) {
    return HoldsWithin(interval, {years.first, std::min(years.last, years.first + 399)});
  });
}

bool CalendarCompiler::HoldsWithin(const Interval& interval, const Range& years) {
  const absl::CivilDay end(years.last + 1, 1, 1);
  for (absl::CivilDay day(years.first, 1, 1); day < end; ++day) {
    if (Calendar::DayMatches(interval, day)) return true;
  }
  return false;
}

}  // namespace tandem::playbook
