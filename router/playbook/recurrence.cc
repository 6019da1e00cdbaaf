#include "router/playbook/recurrence.h"

#include <algorithm>
#include <array>

namespace tandem::playbook {
namespace {

using Frequency = RecurrenceRule::Frequency;

constexpr int kHoursADay = 24;

bool Has(const std::vector<int>& values, int value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// Whether a list names the place `from_start` of `length`, counted from either end.
bool Names(const std::vector<int>& places, int from_start, int length) {
  return Has(places, from_start) || Has(places, from_start - length - 1);
}

bool IsLeap(absl::civil_year_t year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int MonthLength(absl::civil_year_t year, int month) {
  constexpr std::array kLengths = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeap(year) ? 29 : kLengths[static_cast<std::size_t>(month - 1)];
}

// A day with all that rules ask about it; the next one costs a few additions.
struct Day {
  explicit Day(absl::CivilDay day)
      : number(day - absl::CivilDay(1970, 1, 1)),
        year(day.year()),
        month(day.month()),
        day_of_month(day.day()),
        day_of_year(absl::GetYearDay(day)),
        weekday(static_cast<int>(absl::GetWeekday(day))),
        month_length(MonthLength(year, month)) {}

  void Advance() {
    ++number;
    weekday = (weekday + 1) % 7;
    ++day_of_year;
    if (++day_of_month <= month_length) return;
    day_of_month = 1;
    if (++month > 12) {
      month = 1;
      day_of_year = 1;
      ++year;
    }
    month_length = MonthLength(year, month);
  }

  int year_length() const { return IsLeap(year) ? 366 : 365; }
  absl::CivilDay civil() const { return absl::CivilDay(year, month, day_of_month); }

  std::int64_t number;  // days since 1970-01-01
  absl::civil_year_t year;
  int month;         // 1 to 12
  int day_of_month;  // from 1
  int day_of_year;   // from 1
  int weekday;       // as absl::Weekday: monday is 0
  int month_length;
};

class Expansion {
 public:
  Expansion(const RecurrenceRule& rule, absl::CivilSecond start, const absl::TimeZone& zone,
            std::size_t max)
      : rule_(Completed(rule, start)), start_(start), zone_(zone), max_(max) {}

  Occurrences Run() {
    if (rule_.frequency != Frequency::kHourly) {
      AppendTimes(rule_.hours.empty() ? std::vector<int>{start_.hour()} : rule_.hours);
    }
    const Day first(FirstDayOfPeriod());
    std::int64_t period = PeriodOf(first);
    const std::int64_t first_period = period;
    for (Day day = first; day.year <= kRuleYearLast && !ended_; day.Advance()) {
      if (const std::int64_t its = PeriodOf(day); its != period) {
        EndPeriod();
        period = its;
      }
      if ((period - first_period) % rule_.interval != 0 && !hourly()) continue;
      if (!Matches(day)) continue;
      if (hourly()) {
        Hours(day);
      } else {
        days_.push_back(day.civil());
      }
    }
    EndPeriod();
    return std::move(found_);
  }

 private:
  bool hourly() const { return rule_.frequency == Frequency::kHourly; }

  // The rule with what it leaves to the start written out.
  static RecurrenceRule Completed(RecurrenceRule rule, absl::CivilSecond start) {
    const absl::CivilDay day(start);
    const bool no_day = rule.weekdays.empty() && rule.month_days.empty() && rule.year_days.empty();
    const RecurrenceRule::Weekday weekday = {0, absl::GetWeekday(day)};
    if (rule.frequency == Frequency::kWeekly && rule.weekdays.empty()) rule.weekdays = {weekday};
    if (rule.frequency == Frequency::kMonthly && no_day) rule.month_days = {day.day()};
    if (rule.frequency == Frequency::kYearly && no_day) {
      if (!rule.weeks.empty()) {
        rule.weekdays = {weekday};
      } else {
        rule.month_days = {day.day()};
        if (rule.months.empty()) rule.months = {day.month()};
      }
    }
    if (rule.minutes.empty()) rule.minutes = {start.minute()};
    if (rule.seconds.empty()) rule.seconds = {start.second()};
    return rule;
  }

  absl::CivilDay FirstDayOfPeriod() const {
    const absl::CivilDay day(start_);
    switch (rule_.frequency) {
      case Frequency::kYearly:
        return absl::CivilDay(absl::CivilYear(start_));
      case Frequency::kMonthly:
        return absl::CivilDay(absl::CivilMonth(start_));
      case Frequency::kWeekly:
        return day - (Day(day).weekday - static_cast<int>(rule_.week_start) + 7) % 7;
      case Frequency::kDaily:
      case Frequency::kHourly:
        break;
    }
    return day;
  }

  std::int64_t PeriodOf(const Day& day) const {
    switch (rule_.frequency) {
      case Frequency::kYearly:
        return day.year;
      case Frequency::kMonthly:
        return day.year * 12 + day.month;
      case Frequency::kWeekly:
        // 1970-01-01 was a Thursday. Far from 0, so that the division never meets its sign.
        return (day.number + 3 - static_cast<int>(rule_.week_start) + 7 * 100'000) / 7;
      case Frequency::kDaily:
      case Frequency::kHourly:
        break;
    }
    return day.number;
  }

  bool Matches(const Day& day) const {
    if (!rule_.months.empty() && !Has(rule_.months, day.month)) return false;
    if (!rule_.month_days.empty() && !Names(rule_.month_days, day.day_of_month, day.month_length)) {
      return false;
    }
    if (!rule_.year_days.empty() && !Names(rule_.year_days, day.day_of_year, day.year_length())) {
      return false;
    }
    if (!rule_.weekdays.empty() &&
        std::none_of(rule_.weekdays.begin(), rule_.weekdays.end(),
                     [&](const auto& weekday) { return IsWeekday(day, weekday); })) {
      return false;
    }
    return rule_.weeks.empty() || IsInWeek(day);
  }

  bool IsWeekday(const Day& day, const RecurrenceRule::Weekday& weekday) const {
    if (static_cast<int>(weekday.day) != day.weekday) return false;
    if (weekday.ordinal == 0) return true;
    const bool of_month = rule_.frequency == Frequency::kMonthly || !rule_.months.empty();
    const int place = of_month ? day.day_of_month : day.day_of_year;
    const int length = of_month ? day.month_length : day.year_length();
    return weekday.ordinal > 0 ? (place - 1) / 7 + 1 == weekday.ordinal
                               : -((length - place) / 7 + 1) == weekday.ordinal;
  }

  // A week is of the year that has four of its days, and so its fourth.
  bool IsInWeek(const Day& day) const {
    const auto fourth = [&](absl::CivilDay of) {
      return of -
             (static_cast<int>(absl::GetWeekday(of)) - static_cast<int>(rule_.week_start) + 7) % 7 +
             3;
    };
    const auto number = [](absl::CivilDay of) { return (absl::GetYearDay(of) - 1) / 7 + 1; };
    const absl::CivilDay middle = fourth(day.civil());
    // The 28th of December is always in the last week.
    const int weeks = number(fourth(absl::CivilDay(middle.year(), 12, 28)));
    return Names(rule_.weeks, number(middle), weeks);
  }

  void Hours(const Day& day) {
    const std::int64_t start_hour = Day(absl::CivilDay(start_)).number * kHoursADay + start_.hour();
    for (int hour = 0; hour < kHoursADay && !ended_; ++hour) {
      const std::int64_t since = day.number * kHoursADay + hour - start_hour;
      if (since < 0 || since % rule_.interval != 0) continue;
      if (!rule_.hours.empty() && !Has(rule_.hours, hour)) continue;
      days_ = {day.civil()};
      times_.clear();
      AppendTimes({hour});
      EndPeriod();
    }
  }

  void AppendTimes(const std::vector<int>& hours) {
    for (const int hour : hours) {
      for (const int minute : rule_.minutes) {
        for (const int second : rule_.seconds) times_.push_back((hour * 60 + minute) * 60 + second);
      }
    }
  }

  // Takes over what the period has: each of its days at each of the times, or the places among
  // them that BYSETPOS names.
  void EndPeriod() {
    const std::size_t size = days_.size() * times_.size();
    const auto take = [&](std::size_t place) {
      Take(absl::CivilSecond(days_[place / times_.size()]) + times_[place % times_.size()]);
    };
    if (rule_.positions.empty()) {
      for (std::size_t place = 0; place < size && !ended_; ++place) take(place);
    } else {
      std::vector<std::size_t> places;
      for (const int position : rule_.positions) {
        const auto from_end = static_cast<std::size_t>(std::abs(position));
        if (from_end <= size) places.push_back(position > 0 ? from_end - 1 : size - from_end);
      }
      std::sort(places.begin(), places.end());
      places.erase(std::unique(places.begin(), places.end()), places.end());
      for (std::size_t i = 0; i < places.size() && !ended_; ++i) take(places[i]);
    }
    days_.clear();
  }

  void Take(absl::CivilSecond at) {
    if (at < start_) return;
    if (IsOver(at)) {
      ended_ = true;
    } else if (found_.starts.size() == max_) {
      ended_ = true;
      found_.cut = true;
    } else {
      found_.starts.push_back(at);
    }
  }

  bool IsOver(absl::CivilSecond at) const {
    if (rule_.count && found_.starts.size() >= *rule_.count) return true;
    if (!rule_.until) return false;
    if (!rule_.until->utc) return at > rule_.until->at;
    return zone_.At(at).pre > absl::FromCivil(rule_.until->at, absl::UTCTimeZone());
  }

  const RecurrenceRule rule_;
  const absl::CivilSecond start_;
  const absl::TimeZone& zone_;
  const std::size_t max_;
  std::vector<absl::CivilDay> days_;  // of the period, so far
  std::vector<int> times_;            // seconds of the day, ascending
  Occurrences found_;
  bool ended_ = false;
};

}  // namespace

Occurrences Expand(const RecurrenceRule& rule, absl::CivilSecond start, const absl::TimeZone& zone,
                   std::size_t max) {
  return Expansion(rule, start, zone, max).Run();
}

}  // namespace tandem::playbook
