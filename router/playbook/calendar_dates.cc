// The dates, recurrences and exceptions of a calendar: to days and instants, with a reason for each
// refusal.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "router/base/text.h"
#include "router/playbook/calendar_compiler.h"
#include "router/playbook/recurrence.h"

namespace tandem::playbook {
namespace {

constexpr std::size_t kOccurrencesMax = 20'000;  // Of one rule.
// Of all rules of a calendar: 40,000 spans × 16 B ≈ 640 KiB.
constexpr std::size_t kAllOccurrencesMax = 40'000;
constexpr int kYearFirst = 1970;
constexpr absl::Duration kDurationLeast = absl::Minutes(1);
constexpr absl::Duration kDurationMost = absl::Hours(24 * 31);
constexpr std::size_t kFieldMaxBytes = 64;

std::optional<int> Digits(std::string_view text, std::size_t count) {
  int number = 0;
  if (text.size() != count || text.front() < '0' || text.front() > '9') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + count, number);
  if (error != std::errc() || end != text.data() + count) return std::nullopt;
  return number;
}

// "2026-12-24", or why it is none.
struct ReadDay {
  absl::CivilDay day;
  std::string why;
};

ReadDay ReadDate(std::string_view text) {
  const bool form = text.size() == 10 && text[4] == '-' && text[7] == '-';
  const auto year = form ? Digits(text.substr(0, 4), 4) : std::nullopt;
  const auto month = form ? Digits(text.substr(5, 2), 2) : std::nullopt;
  const auto day = form ? Digits(text.substr(8, 2), 2) : std::nullopt;
  if (!year || !month || !day) {
    return {{},
            fmt::format("\"{}\" is not a date; expected a form such as 2026-12-24", Shown(text))};
  }
  if (*year < kYearFirst || *year > kRuleYearLast) {
    return {{},
            fmt::format("the year of \"{}\" is out of bounds; expected {} to {}", Shown(text),
                        kYearFirst, kRuleYearLast)};
  }
  if (*month < 1 || *month > 12) {
    return {{}, fmt::format("\"{}\" has no month {}; expected 01 to 12", Shown(text), *month)};
  }
  const absl::CivilMonth its_month(*year, *month);
  const auto length = absl::CivilDay(its_month + 1) - absl::CivilDay(its_month);
  if (*day < 1 || *day > length) {
    return {{}, fmt::format("there is no day \"{}\"; that month has {} days", Shown(text), length)};
  }
  return {absl::CivilDay(*year, *month, *day), ""};
}

int NumberOf(absl::CivilDay day) { return static_cast<int>(day - absl::CivilDay(1970, 1, 1)); }

// "2026-01-13 22:00", or why it is none.
struct ReadStart {
  absl::CivilSecond start;
  std::string why;
};

ReadStart ReadStartText(const std::string& text) {
  const std::string_view view = text;
  if (view.size() != 16 || view[10] != ' ' || view[13] != ':' || !Digits(view.substr(11, 2), 2) ||
      !Digits(view.substr(14, 2), 2)) {
    return {{},
            fmt::format("\"{}\" is not a start; expected a form such as 2026-01-13 22:00",
                        Shown(text))};
  }
  const ReadDay day = ReadDate(view.substr(0, 10));
  if (!day.why.empty()) return {{}, day.why};
  const int hour = *Digits(view.substr(11, 2), 2);
  const int minute = *Digits(view.substr(14, 2), 2);
  if (hour == 24 && minute == 0) {
    return {{},
            fmt::format("\"{}\" starts at 24:00, which can only be an end; start at 00:00 of "
                        "the next day",
                        Shown(text))};
  }
  if (hour > 23 || minute > 59) {
    return {{},
            fmt::format("\"{}\" is not a time of day; expected 00:00 to 23:59",
                        Shown(view.substr(11)))};
  }
  return {absl::CivilSecond(day.day) + (hour * 60 + minute) * 60, ""};
}

struct ReadLength {
  absl::Duration length;
  std::string why;
};

ReadLength ReadLengthText(const std::string& text) {
  const auto length = ReadDuration(text);
  if (text.size() > kFieldMaxBytes || !length.ok()) {
    return {{},
            fmt::format("\"{}\" is not a duration; expected a form such as 30m, 4h, 1h30m or 2d",
                        Shown(text))};
  }
  if (*length < kDurationLeast || *length > kDurationMost) {
    return {{}, fmt::format("\"{}\" is out of bounds; expected 1m to 31d", Shown(text))};
  }
  return {*length, ""};
}

std::string TextOf(absl::CivilSecond at) {
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", at.year(), at.month(), at.day(), at.hour(),
                     at.minute());
}

}  // namespace

void CalendarCompiler::MergeDays(std::vector<Range>& days) {
  for (Range& range : days) ++range.last;  // [first, last) as Merge takes them.
  Merge(days);
  for (Range& range : days) --range.last;
}

std::vector<Calendar::Range> CalendarCompiler::Without(const std::vector<Range>& days,
                                                       const std::vector<Range>& without) {
  std::vector<Range> left;
  auto cut = without.begin();
  for (Range range : days) {
    while (cut != without.end() && cut->last < range.first) ++cut;
    for (auto next = cut; next != without.end() && next->first <= range.last; ++next) {
      if (next->first > range.first) left.push_back({range.first, next->first - 1});
      range.first = next->last + 1;
    }
    if (range.first <= range.last) left.push_back(range);
  }
  return left;
}

std::vector<Calendar::Range> CalendarCompiler::CompileDays(const std::vector<std::string>& entries,
                                                           std::string_view field,
                                                           std::size_t most) {
  std::vector<Range> days;
  ForEach(entries, field, most, [&](std::string_view entry) -> std::string {
    const std::size_t colon = entry.find(':');
    const ReadDay first = ReadDate(entry.substr(0, colon));
    if (!first.why.empty()) return first.why;
    const ReadDay last =
        colon == std::string_view::npos ? first : ReadDate(entry.substr(colon + 1));
    if (!last.why.empty()) return last.why;
    if (last.day < first.day) {
      return fmt::format("\"{}\" ends before it starts; write the earlier day first", Shown(entry));
    }
    days.push_back({NumberOf(first.day), NumberOf(last.day)});
    return "";
  });
  MergeDays(days);
  return days;
}

void CalendarCompiler::CompileDates(Calendar& calendar) {
  const bool fine = status_.ok();
  calendar.exceptions_ = CompileDays(spec_.exceptions, "exceptions", kCalendarExceptionsMax);
  calendar.dates_ =
      Without(CompileDays(spec_.dates, "dates", kCalendarDatesMax), calendar.exceptions_);
  if (fine && status_.ok() && !spec_.dates.empty() && calendar.dates_.empty()) {
    Refuse("exceptions", "they take out every one of the dates");
  }
}

std::vector<absl::CivilSecond> CalendarCompiler::StartsOf(const RecurrenceSpec& spec,
                                                          const std::string& where,
                                                          absl::CivilSecond start,
                                                          const absl::TimeZone& zone) {
  if (spec.rule.empty()) return {start};
  const auto rule = ParseRecurrenceRule(spec.rule);
  if (!rule.ok()) {
    Refuse(where + ".rule", MessageOf(rule.status()));
    return {};
  }
  Occurrences found = Expand(*rule, start, zone, kOccurrencesMax);
  if (found.starts.empty()) {
    Refuse(where + ".rule", fmt::format("\"{}\" names no time from {} until the end of {}, so it "
                                        "would never hold",
                                        Shown(spec.rule), TextOf(start), kRuleYearLast));
    return {};
  }
  if (found.cut) {
    warnings_.push_back(
        {where + ".rule",
         fmt::format("the rule is known for {} occurrences, the last of them at {}; it does not "
                     "hold after that. Intervals have no such end",
                     kOccurrencesMax, TextOf(found.starts.back()))});
  }
  if (found.starts.front() != start) {
    warnings_.push_back(
        {where + ".start", fmt::format("the rule does not name its start; the first occurrence is "
                                       "at {}",
                                       TextOf(found.starts.front()))});
  }
  return std::move(found.starts);
}

std::vector<Calendar::Span> CalendarCompiler::CompileRecurrence(const RecurrenceSpec& spec,
                                                                const std::string& where,
                                                                const Calendar& calendar) {
  const ReadStart start = ReadStartText(spec.start);
  if (!start.why.empty()) Refuse(where + ".start", start.why);
  const ReadLength length = ReadLengthText(spec.duration);
  if (!length.why.empty()) Refuse(where + ".duration", length.why);
  std::vector<Range> exceptions =
      CompileDays(spec.exceptions, where + ".exceptions", kCalendarExceptionsMax);
  if (!start.why.empty() || !length.why.empty()) {
    if (const auto rule = ParseRecurrenceRule(spec.rule); !spec.rule.empty() && !rule.ok()) {
      Refuse(where + ".rule", MessageOf(rule.status()));
    }
    return {};
  }
  exceptions.insert(exceptions.end(), calendar.exceptions_.begin(), calendar.exceptions_.end());
  MergeDays(exceptions);
  const std::vector<absl::CivilSecond> starts = StartsOf(spec, where, start.start, calendar.zone_);
  const auto whole_days = length.length / absl::Hours(24);
  const bool by_days = length.length == whole_days * absl::Hours(24);
  std::vector<Span> spans;
  auto exception = exceptions.begin();
  for (const absl::CivilSecond& at : starts) {
    const int day = NumberOf(absl::CivilDay(at));
    while (exception != exceptions.end() && exception->last < day) ++exception;
    if (exception != exceptions.end() && exception->first <= day) continue;
    const absl::Time first = calendar.zone_.At(at).pre;
    const absl::Time last = by_days ? calendar.zone_
                                          .At(absl::CivilSecond(absl::CivilDay(at) + whole_days) +
                                              (at - absl::CivilSecond(absl::CivilDay(at))))
                                          .pre
                                    : first + length.length;
    if (first < last) spans.push_back({absl::ToUnixSeconds(first), absl::ToUnixSeconds(last)});
  }
  if (spans.empty() && !starts.empty()) {
    Refuse(spec.exceptions.empty() ? std::string("exceptions") : where + ".exceptions",
           "they take out every occurrence");
  }
  return spans;
}

void CalendarCompiler::CompileRecurring(Calendar& calendar) {
  if (spec_.recurring.empty()) return;
  if (IsTooMany("recurring", {spec_.recurring.size(), kCalendarRecurringMax})) return;
  std::vector<Span> all;
  for (std::size_t i = 0; i < spec_.recurring.size(); ++i) {
    const std::vector<Span> spans =
        CompileRecurrence(spec_.recurring[i], fmt::format("recurring[{}]", i), calendar);
    all.insert(all.end(), spans.begin(), spans.end());
    if (all.size() > kAllOccurrencesMax) {
      Refuse("recurring", fmt::format("more than {} occurrences in all; end rules by UNTIL or "
                                      "COUNT, or write intervals",
                                      kAllOccurrencesMax));
      return;
    }
  }
  std::sort(all.begin(), all.end(), [](const Span& a, const Span& b) { return a.first < b.first; });
  auto merged = std::make_shared<std::vector<Span>>();
  for (const Span& span : all) {
    if (!merged->empty() && span.first <= merged->back().last) {
      merged->back().last = std::max(merged->back().last, span.last);
    } else {
      merged->push_back(span);
    }
  }
  merged->shrink_to_fit();
  calendar.spans_ = std::move(merged);
}

}  // namespace tandem::playbook
