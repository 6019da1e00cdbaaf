// Calendars against the obvious way to read them: every minute looked at alone, in code that shares
// nothing with calendar.cc. TANDEM_PROPERTY_CASES sets the number of cases, TANDEM_PROPERTY_SEED
// repeats a run.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "router/playbook/calendar.h"

namespace tandem::playbook {
namespace {

constexpr const char* kZones[] = {"Europe/Vienna",       "America/Chicago",
                                  "Australia/Lord_Howe", "Asia/Kathmandu",
                                  "America/Sao_Paulo",   "Africa/Casablanca",
                                  "America/St_Johns",    "Pacific/Apia",
                                  "America/Santiago",    "UTC"};
constexpr const char* kWeekdays[] = {"sunday",   "monday", "tuesday", "wednesday",
                                     "thursday", "friday", "saturday"};
constexpr const char* kMonths[] = {"january",   "february", "march",    "april",
                                   "may",       "june",     "july",     "august",
                                   "september", "october",  "november", "december"};
constexpr const char* kRuleDays[] = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};
constexpr int kWalkMinutes = 4 * 60;
constexpr int kLongWalkMinutes = 26 * 60;  // One in twenty.

struct FromTo {
  int from = 0;
  int to = 0;
};

struct DayRange {
  absl::CivilDay from, to;
};

// What is written into a spec, as numbers.
struct PlainInterval {
  std::vector<FromTo> times, weekdays, days, months, years;
};

struct PlainRecurrence {
  absl::CivilDay first, last;
  int start_minute = 0;
  int minutes = 0;  // how long
  int every = 1;    // days, when there is no weekday and no day
  int weekday = -1;
  int ordinal = 0;  // of the weekday in its month; 0: each week
  int day = 0;      // of the month; 0: not by it
};

struct Plain {
  std::string zone_name;
  absl::TimeZone zone;
  std::vector<PlainInterval> intervals;
  std::vector<DayRange> dates, exceptions;
  std::vector<PlainRecurrence> recurring;
  std::vector<std::shared_ptr<Plain>> any_of, except;
};

// ---- The obvious way.

int WeekdayOf(absl::CivilDay day) {
  switch (absl::GetWeekday(day)) {
    case absl::Weekday::sunday:
      return 0;
    case absl::Weekday::monday:
      return 1;
    case absl::Weekday::tuesday:
      return 2;
    case absl::Weekday::wednesday:
      return 3;
    case absl::Weekday::thursday:
      return 4;
    case absl::Weekday::friday:
      return 5;
    case absl::Weekday::saturday:
      return 6;
  }
  return -1;
}

int LengthOfMonth(absl::CivilDay day) {
  absl::CivilDay last = day;
  while ((last + 1).month() == day.month()) ++last;
  return last.day();
}

// From the one on to the other, over the end of a circle where need be.
bool Circles(const std::vector<FromTo>& ranges, int value, int least, int most) {
  if (ranges.empty()) return true;
  for (const FromTo& range : ranges) {
    for (int i = range.from;; i = i == most ? least : i + 1) {
      if (i == value) return true;
      if (i == range.to) break;
    }
  }
  return false;
}

bool DayOfMonthHolds(const std::vector<FromTo>& ranges, absl::CivilDay day) {
  if (ranges.empty()) return true;
  const int length = LengthOfMonth(day);
  for (const FromTo& range : ranges) {
    const int from = range.from < 0 ? length + 1 + range.from : range.from;
    const int to = range.to < 0 ? length + 1 + range.to : range.to;
    const bool over_the_end = (range.from < 0 && range.to > 0) ||
                              ((range.from < 0) == (range.to < 0) && range.from > range.to);
    const bool behind = day.day() >= from, before = day.day() <= to;
    if (over_the_end ? behind || before : behind && before) return true;
  }
  return false;
}

bool InDays(const std::vector<DayRange>& ranges, absl::CivilDay day) {
  for (const DayRange& range : ranges) {
    if (range.from <= day && day <= range.to) return true;
  }
  return false;
}

bool IntervalStarts(const PlainInterval& interval, absl::CivilDay day) {
  bool year = interval.years.empty();
  for (const FromTo& range : interval.years) {
    year = year || (range.from <= day.year() && day.year() <= range.to);
  }
  return year && Circles(interval.weekdays, WeekdayOf(day), 0, 6) &&
         Circles(interval.months, day.month(), 1, 12) && DayOfMonthHolds(interval.days, day);
}

bool IntervalIsOn(const Plain& plain, const PlainInterval& interval, absl::CivilMinute local) {
  const absl::CivilDay today(local);
  const int minute = local.hour() * 60 + local.minute();
  const auto starts = [&](absl::CivilDay day) {
    return !InDays(plain.exceptions, day) && IntervalStarts(interval, day);
  };
  if (interval.times.empty()) return starts(today);
  for (const FromTo& time : interval.times) {
    if (time.from < time.to) {
      if (time.from <= minute && minute < time.to && starts(today)) return true;
    } else {
      if (time.from <= minute && starts(today)) return true;
      if (minute < time.to && starts(today - 1)) return true;
    }
  }
  return false;
}

bool RecurrenceStarts(const PlainRecurrence& recurrence, absl::CivilDay day) {
  if (day < recurrence.first || day > recurrence.last) return false;
  if (recurrence.day != 0) return day.day() == recurrence.day;
  if (recurrence.weekday < 0) return (day - recurrence.first) % recurrence.every == 0;
  if (WeekdayOf(day) != recurrence.weekday) return false;
  if (recurrence.ordinal == 0) return true;
  if (recurrence.ordinal > 0) return (day.day() + 6) / 7 == recurrence.ordinal;
  return (LengthOfMonth(day) - day.day()) / 7 + 1 == -recurrence.ordinal;
}

bool RecurrenceIsOn(const Plain& plain, const PlainRecurrence& recurrence, absl::Time at,
                    absl::CivilDay today) {
  const int back = recurrence.minutes / (24 * 60) + 2;
  for (absl::CivilDay day = today - back; day <= today + 1; ++day) {
    if (InDays(plain.exceptions, day) || !RecurrenceStarts(recurrence, day)) continue;
    const absl::CivilSecond start = absl::CivilSecond(day) + recurrence.start_minute * 60;
    const absl::Time begin = plain.zone.At(start).pre;
    absl::Time end = begin + absl::Minutes(recurrence.minutes);
    if (recurrence.minutes % (24 * 60) == 0) {
      end = plain.zone.At(start + recurrence.minutes * 60).pre;
    }
    if (begin <= at && at < end) return true;
  }
  return false;
}

bool PlainIsOn(const Plain& plain, absl::Time at) {
  const absl::CivilMinute local(plain.zone.At(at).cs);
  const absl::CivilDay today(local);
  bool on = InDays(plain.dates, today) && !InDays(plain.exceptions, today);
  for (const PlainInterval& interval : plain.intervals) {
    on = on || IntervalIsOn(plain, interval, local);
  }
  for (const PlainRecurrence& recurrence : plain.recurring) {
    on = on || RecurrenceIsOn(plain, recurrence, at, today);
  }
  for (const auto& other : plain.any_of) on = on || PlainIsOn(*other, at);
  for (const auto& other : plain.except) on = on && !PlainIsOn(*other, at);
  return on;
}

// ---- The same as a spec.

std::string TimeOf(int minute) { return fmt::format("{:02}:{:02}", minute / 60, minute % 60); }

std::string DateOf(absl::CivilDay day) { return absl::FormatCivilTime(day); }

template <typename Name>
std::vector<std::string> Written(const std::vector<FromTo>& ranges, const Name& name) {
  std::vector<std::string> texts;
  texts.reserve(ranges.size());
  for (const FromTo& range : ranges) {
    texts.push_back(range.from == range.to ? name(range.from)
                                           : name(range.from) + ":" + name(range.to));
  }
  return texts;
}

std::vector<std::string> Written(const std::vector<DayRange>& ranges) {
  std::vector<std::string> texts;
  texts.reserve(ranges.size());
  for (const DayRange& range : ranges) {
    texts.push_back(range.from == range.to ? DateOf(range.from)
                                           : DateOf(range.from) + ":" + DateOf(range.to));
  }
  return texts;
}

IntervalSpec SpecOf(const PlainInterval& interval) {
  const auto number = [](int n) { return std::to_string(n); };
  IntervalSpec spec;
  for (const FromTo& time : interval.times) {
    spec.times.push_back(TimeOf(time.from) + "-" + TimeOf(time.to));
  }
  spec.weekdays = Written(interval.weekdays, [](int n) { return std::string(kWeekdays[n]); });
  spec.months = Written(interval.months, [](int n) { return std::string(kMonths[n - 1]); });
  spec.days_of_month = Written(interval.days, number);
  spec.years = Written(interval.years, number);
  return spec;
}

RecurrenceSpec SpecOf(const PlainRecurrence& recurrence) {
  RecurrenceSpec spec;
  spec.start = DateOf(recurrence.first) + " " + TimeOf(recurrence.start_minute);
  spec.duration = fmt::format("{}m", recurrence.minutes);
  if (recurrence.day != 0) {
    spec.rule = fmt::format("FREQ=MONTHLY;BYMONTHDAY={}", recurrence.day);
  } else if (recurrence.weekday < 0) {
    spec.rule = fmt::format("FREQ=DAILY;INTERVAL={}", recurrence.every);
  } else if (recurrence.ordinal == 0) {
    spec.rule = fmt::format("FREQ=WEEKLY;BYDAY={}", kRuleDays[recurrence.weekday]);
  } else {
    spec.rule =
        fmt::format("FREQ=MONTHLY;BYDAY={}{}", recurrence.ordinal, kRuleDays[recurrence.weekday]);
  }
  const absl::CivilDay last = recurrence.last;
  spec.rule += fmt::format(";UNTIL={}{:02}{:02}", last.year(), last.month(), last.day());
  return spec;
}

CalendarSpec SpecOf(const Plain& plain) {
  CalendarSpec spec;
  spec.location = plain.zone_name;
  for (const PlainInterval& interval : plain.intervals) spec.intervals.push_back(SpecOf(interval));
  for (const PlainRecurrence& r : plain.recurring) spec.recurring.push_back(SpecOf(r));
  spec.dates = Written(plain.dates);
  spec.exceptions = Written(plain.exceptions);
  spec.any_of.assign(plain.any_of.size(), "other");
  spec.except.assign(plain.except.size(), "other");
  return spec;
}

// As it would stand in a playbook, for whoever looks at a case that went wrong.
std::string TextOf(const Plain& plain) {
  const CalendarSpec spec = SpecOf(plain);
  std::string text = fmt::format("{{location: {}", spec.location);
  for (const IntervalSpec& interval : spec.intervals) {
    text += fmt::format(", interval: [{}] [{}] [{}] [{}] [{}]", fmt::join(interval.times, " "),
                        fmt::join(interval.weekdays, " "), fmt::join(interval.days_of_month, " "),
                        fmt::join(interval.months, " "), fmt::join(interval.years, " "));
  }
  for (const RecurrenceSpec& rule : spec.recurring) {
    text += fmt::format(", recurring: {} {} {}", rule.start, rule.duration, rule.rule);
  }
  text += fmt::format(", dates: [{}], exceptions: [{}]", fmt::join(spec.dates, " "),
                      fmt::join(spec.exceptions, " "));
  for (const auto& other : plain.any_of) text += ", any_of: " + TextOf(*other);
  for (const auto& other : plain.except) text += ", except: " + TextOf(*other);
  return text + "}";
}

absl::StatusOr<Calendar> CompileOf(const Plain& plain) {
  Calendar::Others others;
  const auto add = [](const auto& plains, auto& to) {
    for (const auto& other : plains) {
      auto calendar = CompileOf(*other);
      if (!calendar.ok()) return calendar.status();
      to.push_back(std::make_shared<const Calendar>(*std::move(calendar)));
    }
    return absl::OkStatus();
  };
  for (const absl::Status& status :
       {add(plain.any_of, others.any_of), add(plain.except, others.except)}) {
    if (!status.ok()) return status;
  }
  return Calendar::Compile(SpecOf(plain), others);
}

// ---- Chance.

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}

  int Roll(int least, int most) { return std::uniform_int_distribution<int>(least, most)(random_); }
  bool Chance(int percent) { return Roll(1, 100) <= percent; }

  // A zone, and an instant that is often at a change of its clock or at its midnight.
  absl::Time Instant(const absl::TimeZone& zone) {
    absl::Time at = absl::FromCivil(
        absl::CivilMinute(Roll(1975, 2037), Roll(1, 12), Roll(1, 28), Roll(0, 23), Roll(0, 59)),
        zone);
    absl::TimeZone::CivilTransition transition;
    if (Chance(60) && zone.NextTransition(at, &transition)) {
      const auto info = zone.At(transition.to);
      at = (info.kind == absl::TimeZone::TimeInfo::UNIQUE ? info.pre : info.trans) +
           absl::Minutes(Chance(80) ? Roll(-5 * 60, 2 * 60) : Roll(-26 * 60, 4 * 60));
    }
    return absl::FromUnixSeconds(absl::ToUnixSeconds(at) / 60 * 60);
  }

  std::shared_ptr<Plain> Calendar(absl::Time around, int depth) {
    auto plain = std::make_shared<Plain>();
    plain->zone_name = kZones[Roll(0, std::size(kZones) - 1)];
    EXPECT_TRUE(absl::LoadTimeZone(plain->zone_name, &plain->zone));
    const absl::CivilDay day(plain->zone.At(around).cs);
    if (depth > 0 && Chance(40)) {
      for (int i = Roll(0, 2); i > 0; --i) plain->any_of.push_back(Calendar(around, depth - 1));
      for (int i = Roll(0, 1); i > 0; --i) plain->except.push_back(Calendar(around, depth - 1));
    }
    if (Chance(70) || plain->any_of.empty()) {
      for (int i = Roll(1, 2); i > 0; --i) plain->intervals.push_back(Interval(day));
    }
    if (Chance(25)) plain->dates = Days(day);
    if (Chance(25)) plain->exceptions = Days(day);
    if (Chance(30)) plain->recurring.push_back(Recurrence(day));
    return plain;
  }

 private:
  std::vector<FromTo> Ranges(int percent, int least, int most) {
    std::vector<FromTo> ranges;
    if (!Chance(percent)) return ranges;
    for (int i = Roll(1, 2); i > 0; --i) ranges.push_back({Roll(least, most), Roll(least, most)});
    return ranges;
  }

  // Often a minute at which clocks are changed.
  int Minute() {
    constexpr int kMinutes[] = {0, 1, 30, 60, 90, 120, 135, 150, 180, 210, 1380, 1410, 1439};
    return Chance(60) ? kMinutes[Roll(0, std::size(kMinutes) - 1)] : Roll(0, 1439);
  }

  PlainInterval Interval(absl::CivilDay around) {
    PlainInterval interval;
    for (int i = Roll(0, 2); i > 0; --i) {
      const FromTo time = {Minute(), Chance(10) ? 1440 : Minute()};
      if (time.from != time.to) interval.times.push_back(time);
    }
    interval.weekdays = Ranges(40, 0, 6);
    interval.months = Ranges(20, 1, 12);
    if (Chance(30)) {
      const int from = Roll(1, 31), to = Roll(1, 31);
      interval.days.push_back({Chance(30) ? -from : from, Chance(30) ? -to : to});
    }
    if (Chance(10) || interval.times.empty()) {
      const int year = static_cast<int>(around.year());
      interval.years.push_back({year - Roll(0, 1), year + Roll(0, 1)});
    }
    return interval;
  }

  std::vector<DayRange> Days(absl::CivilDay around) {
    std::vector<DayRange> days;
    for (int i = Roll(1, 3); i > 0; --i) {
      const absl::CivilDay from = around + Roll(-3, 3);
      days.push_back({from, from + Roll(0, 2)});
    }
    return days;
  }

  PlainRecurrence Recurrence(absl::CivilDay around) {
    PlainRecurrence recurrence;
    recurrence.first = around - Roll(0, 400);
    recurrence.last = around + Roll(0, 100);
    recurrence.start_minute = Minute();
    recurrence.minutes = Chance(30) ? Roll(1, 3) * 24 * 60 : Roll(1, 1500);
    const int kind = Roll(0, 3);
    if (kind == 0) {
      recurrence.every = Roll(1, 5);
    } else if (kind == 1) {
      recurrence.day = Roll(1, 31);
    } else {
      recurrence.weekday = WeekdayOf(around + Roll(-1, 1));
      if (kind == 3) recurrence.ordinal = Chance(30) ? -Roll(1, 4) : Roll(1, 5);
    }
    return recurrence;
  }

  std::mt19937_64 random_;
};

// How far a case goes.
struct Walk {
  int minutes = 0;
  // Whether NextChange is asked, too, where the walk meets no change: it looks through years then.
  bool ask_far = false;
};

// "" when the calendar says what a walk over every minute from `from` on says.
std::string Disagreement(const Plain& plain, const Calendar& calendar, absl::Time from, Walk walk) {
  const bool on = PlainIsOn(plain, from);
  if (calendar.IsOn(from) != on) return "IsOn";
  for (int minute = 1; minute <= walk.minutes; ++minute) {
    const absl::Time at = from + absl::Minutes(minute);
    const bool changed = PlainIsOn(plain, at) != on;
    if (calendar.IsOn(at) != (changed ? !on : on)) return "IsOn " + absl::FormatTime(at);
    if (!changed) continue;
    const auto next = calendar.NextChange(from);
    if (next == at) return "";
    return fmt::format("NextChange, which is {} and not {}", absl::FormatTime(at),
                       next ? absl::FormatTime(*next) : "never");
  }
  if (!walk.ask_far) return "";
  const std::optional<absl::Time> next = calendar.NextChange(from);
  return !next || *next > from + absl::Minutes(walk.minutes) ? "" : "NextChange, which is later";
}

std::uint64_t NumberOf(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(CalendarProperty, SaysWhatAWalkOverEveryMinuteSays) {
  const std::uint64_t seed = NumberOf("TANDEM_PROPERTY_SEED", std::random_device()());
  const std::uint64_t cases = NumberOf("TANDEM_PROPERTY_CASES", 20'000);
  std::cout << "seed " << seed << ", " << cases << " cases" << std::endl;
  Dice dice(seed);
  std::uint64_t done = 0, on = 0, refused = 0;
  while (done < cases) {
    absl::TimeZone zone;
    ASSERT_TRUE(absl::LoadTimeZone(kZones[dice.Roll(0, std::size(kZones) - 1)], &zone));
    const absl::Time around = dice.Instant(zone);
    const std::shared_ptr<Plain> plain = dice.Calendar(around, 2);
    const auto calendar = CompileOf(*plain);
    if (!calendar.ok()) {  // One that never holds; the texts of refusals have tests of their own.
      ++refused;
      continue;
    }
    for (int i = 0; i < 8 && done < cases; ++i, ++done) {
      const absl::Time from = i == 0   ? around
                              : i == 7 ? dice.Instant(plain->zone)
                                       : around + absl::Minutes(dice.Roll(-2'000, 2'000));
      on += calendar->IsOn(from) ? 1 : 0;
      const std::string wrong = Disagreement(
          *plain, *calendar, from,
          {.minutes = dice.Chance(5) ? kLongWalkMinutes : kWalkMinutes, .ask_far = dice.Chance(3)});
      ASSERT_EQ(wrong, "") << "case " << done << " from " << absl::FormatTime(from) << " in "
                           << plain->zone_name << "\n"
                           << TextOf(*plain);
    }
  }
  std::cout << on << " of them on at their start; " << refused << " calendars refused\n";
  EXPECT_GT(on, cases / 10);
  EXPECT_LT(on, cases - cases / 10);
}

}  // namespace
}  // namespace tandem::playbook
