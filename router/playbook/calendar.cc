#include "router/playbook/calendar.h"

#include <fmt/format.h>

#include <algorithm>

namespace tandem::playbook {
namespace {

constexpr int kMinutesADay = 24 * 60;
constexpr int kHorizonDays = 5 * 366;
constexpr std::string_view kDayNames[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

// 0: Sunday. absl counts from Monday.
std::size_t WeekdayOf(absl::CivilDay day) {
  return (static_cast<std::size_t>(absl::GetWeekday(day)) + 1) % 7;
}

// Of a month of 28, 29, 30, 31 days: 0, 1, 2, 3.
std::size_t MonthLengthIndex(absl::CivilDay day) {
  const absl::civil_year_t year = day.year();
  switch (day.month()) {
    case 2:
      return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 1 : 0;
    case 4:
    case 6:
    case 9:
    case 11:
      return 2;
    default:
      return 3;
  }
}

template <typename Ranges>
bool Contains(const Ranges& ranges, int minute) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const auto& range) {
    return range.first <= minute && minute < range.last;
  });
}

// Whether a sorted list of ranges of days has this one.
template <typename Ranges>
bool HoldsDay(const Ranges& ranges, absl::CivilDay day) {
  const std::int64_t number = day - absl::CivilDay(1970, 1, 1);
  const auto after =
      std::upper_bound(ranges.begin(), ranges.end(), number,
                       [](std::int64_t value, const auto& range) { return value < range.first; });
  return after != ranges.begin() && number <= std::prev(after)->last;
}

// The instants at which the wall clock shows `local`. A reading that occurs twice has two, and the
// clock's leap between them is a third place where the state may change; one that is skipped has
// only the leap.
void AppendInstants(const absl::TimeZone& zone, absl::CivilSecond local,
                    std::vector<absl::Time>& instants) {
  const absl::TimeZone::TimeInfo info = zone.At(local);
  if (info.kind != absl::TimeZone::TimeInfo::SKIPPED) instants.push_back(info.pre);
  if (info.kind != absl::TimeZone::TimeInfo::UNIQUE) instants.push_back(info.trans);
  if (info.kind == absl::TimeZone::TimeInfo::REPEATED) instants.push_back(info.post);
}

// The first instant at which the wall clock shows `local` or later.
absl::Time FirstInstant(const absl::TimeZone& zone, absl::CivilSecond local) {
  const absl::TimeZone::TimeInfo info = zone.At(local);
  return info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.pre;
}

bool IsFinite(absl::Time time) {
  return time != absl::InfiniteFuture() && time != absl::InfinitePast();
}

}  // namespace

bool Calendar::DayMatches(const Interval& interval, absl::CivilDay day) {
  if ((interval.weekdays >> WeekdayOf(day) & 1) == 0) return false;
  if ((interval.months >> day.month() & 1) == 0) return false;
  if ((interval.days_of_month[MonthLengthIndex(day)] >> day.day() & 1) == 0) return false;
  return interval.years.empty() ||
         std::any_of(interval.years.begin(), interval.years.end(), [&](const Range& years) {
           return years.first <= day.year() && day.year() <= years.last;
         });
}

bool Calendar::Starts(const Interval& interval, absl::CivilDay day) const {
  return DayMatches(interval, day) && !(!exceptions_.empty() && HoldsDay(exceptions_, day));
}

bool Calendar::IsOnByWallClock(absl::Time now) const {
  const absl::CivilSecond local = zone_.At(now).cs;
  const absl::CivilDay day(local);
  const int minute = local.hour() * 60 + local.minute();
  return std::any_of(intervals_.begin(), intervals_.end(),
                     [&](const Interval& interval) {
                       return (Contains(interval.today, minute) && Starts(interval, day)) ||
                              (Contains(interval.tomorrow, minute) && Starts(interval, day - 1));
                     }) ||
         (!dates_.empty() && HoldsDay(dates_, day));
}

bool Calendar::IsInSpan(absl::Time now) const {
  if (spans_ == nullptr) return false;
  const std::int64_t at = absl::ToUnixSeconds(now);
  const auto after =
      std::upper_bound(spans_->begin(), spans_->end(), at,
                       [](std::int64_t t, const Span& span) { return t < span.first; });
  return after != spans_->begin() && at < std::prev(after)->last;
}

bool Calendar::IsOn(absl::Time now) const {
  if (!IsFinite(now)) return false;
  if (wall_clock_only_) return IsOnByWallClock(now);
  const auto is_on = [&](const auto& calendar) { return calendar->IsOn(now); };
  const bool on = IsInSpan(now) || IsOnByWallClock(now) ||
                  std::any_of(others_.any_of.begin(), others_.any_of.end(), is_on);
  return on && std::none_of(others_.except.begin(), others_.except.end(), is_on);
}

std::vector<int> Calendar::TurningMinutes(absl::CivilDay day) const {
  std::vector<Range> on;
  for (const Interval& interval : intervals_) {
    if (Starts(interval, day)) {
      on.insert(on.end(), interval.today.begin(), interval.today.end());
    }
    if (!interval.tomorrow.empty() && Starts(interval, day - 1)) {
      on.insert(on.end(), interval.tomorrow.begin(), interval.tomorrow.end());
    }
  }
  std::sort(on.begin(), on.end(), [](const Range& a, const Range& b) { return a.first < b.first; });
  std::vector<int> minutes = {0};  // What was on yesterday may be off today.
  int end = 0;
  for (const Range& range : on) {
    if (range.first > end) {
      minutes.push_back(end);
      minutes.push_back(range.first);
    }
    end = std::max(end, range.last);
  }
  if (end < kMinutesADay) minutes.push_back(end);
  return minutes;
}

bool Calendar::SaysAllDay(absl::CivilDay day, bool on) const {
  if (!dates_.empty() && HoldsDay(dates_, day)) return on;
  bool any = false;
  for (const Interval& interval : intervals_) {
    const bool starts = Starts(interval, day);
    if (starts && interval.today.size() == 1 && interval.today.front().first == 0 &&
        interval.today.front().last == kMinutesADay) {
      return on;
    }
    any = any || (starts && !interval.today.empty()) ||
          (!interval.tomorrow.empty() && Starts(interval, day - 1));
  }
  return !any && !on;
}

std::optional<absl::Time> Calendar::NextWallChange(absl::Time now, absl::Time horizon) const {
  if (intervals_.empty() && dates_.empty()) return std::nullopt;
  const bool on = IsOnByWallClock(now);
  const absl::CivilDay today(zone_.At(now).cs);
  // Instants at which the wall clock may pass from one state to the other. Between two of them
  // nothing changes, so the first with another state is the answer. Where the clock is put back
  // over midnight the instants of two days interleave: those behind the next midnight wait for the
  // next day's.
  std::vector<absl::Time> pending;
  for (int i = -1; i <= kHorizonDays + 1; ++i) {
    const absl::CivilDay day = today + i;
    // A clock that is put back over this midnight shows yesterday once more in the middle of today.
    const bool shows_one_day =
        zone_.At(absl::CivilSecond(day)).kind != absl::TimeZone::TimeInfo::REPEATED;
    if (shows_one_day && SaysAllDay(day, on)) {
      if (pending.empty()) continue;
    } else {
      for (const int minute : TurningMinutes(day)) {
        AppendInstants(zone_, absl::CivilSecond(day) + minute * 60, pending);
      }
    }
    std::sort(pending.begin(), pending.end());
    const absl::Time midnight = FirstInstant(zone_, absl::CivilSecond(day + 1));
    auto at = pending.begin();
    for (; at != pending.end() && *at < midnight; ++at) {
      if (*at > horizon) return std::nullopt;
      if (*at > now && IsOnByWallClock(*at) != on) return *at;
    }
    pending.erase(pending.begin(), at);
  }
  return std::nullopt;
}

std::optional<absl::Time> Calendar::NextSpanChange(absl::Time now) const {
  if (spans_ == nullptr) return std::nullopt;
  const std::int64_t at = absl::ToUnixSeconds(now);
  const auto open =
      std::upper_bound(spans_->begin(), spans_->end(), at,
                       [](std::int64_t t, const Span& span) { return t < span.last; });
  if (open == spans_->end()) return std::nullopt;
  return absl::FromUnixSeconds(at < open->first ? open->first : open->last);
}

std::optional<absl::Time> Calendar::NextChange(absl::Time now) const {
  if (!IsFinite(now)) return std::nullopt;
  const absl::Time horizon = now + absl::Hours(24) * kHorizonDays;
  if (wall_clock_only_) return NextWallChange(now, horizon);
  // Nothing changes but where a part does: step from one such instant to the next until the whole
  // has changed with it. A part is asked again only when its instant has passed.
  struct Part {
    const Calendar* other;
    std::optional<absl::Time> next;
  };
  std::vector<Part> parts;
  for (const auto& other : others_.any_of) parts.push_back({other.get(), now});
  for (const auto& other : others_.except) parts.push_back({other.get(), now});
  std::optional<absl::Time> wall = now, span = now;
  const bool on = IsOn(now);
  for (absl::Time at = now;;) {
    if (wall && *wall <= at) wall = NextWallChange(at, horizon);
    if (span && *span <= at) span = NextSpanChange(at);
    absl::Time next =
        std::min(wall.value_or(absl::InfiniteFuture()), span.value_or(absl::InfiniteFuture()));
    for (Part& part : parts) {
      if (part.next && *part.next <= at) part.next = part.other->NextChange(at);
      next = std::min(next, part.next.value_or(absl::InfiniteFuture()));
    }
    if (next > horizon) return std::nullopt;
    if (IsOn(next) != on) return next;
    at = next;
  }
}

std::string Calendar::LocalTime(absl::Time now) const {
  if (!IsFinite(now)) return "never";
  const absl::CivilSecond local = zone_.At(now).cs;
  return fmt::format("{} {:02}:{:02} {}", kDayNames[WeekdayOf(absl::CivilDay(local))], local.hour(),
                     local.minute(), zone_name_);
}

}  // namespace tandem::playbook
