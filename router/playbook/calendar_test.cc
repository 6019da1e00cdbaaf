#include "router/playbook/calendar.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <string>
#include <utility>
#include <vector>

#include "router/base/status.h"

namespace tandem::playbook {
namespace {

using ::testing::ElementsAre;

Calendar Make(std::string location, IntervalSpec interval) {
  CalendarSpec spec;
  spec.location = std::move(location);
  spec.intervals.push_back(std::move(interval));
  auto calendar = Calendar::Compile(spec);
  EXPECT_TRUE(calendar.ok()) << calendar.status();
  return *std::move(calendar);
}

IntervalSpec Times(std::vector<std::string> times) {
  IntervalSpec interval;
  interval.times = std::move(times);
  return interval;
}

absl::Time At(std::string_view text, std::string_view zone = "UTC") {
  absl::TimeZone tz;
  EXPECT_TRUE(absl::LoadTimeZone(std::string(zone), &tz));
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime("%Y-%m-%d %H:%M:%S", std::string(text), tz, &time, &error)) << error;
  return time;
}

// The field errors of a calendar of one interval in UTC.
std::vector<FieldError> Refusal(const IntervalSpec& interval) {
  CalendarSpec spec;
  spec.intervals.push_back(interval);
  return FieldsOf(Calendar::Compile(spec).status());
}

TEST(Calendar, IncludesTheStartAndExcludesTheEnd) {
  const Calendar calendar = Make("", Times({"08:00-17:00"}));

  EXPECT_FALSE(calendar.IsOn(At("2026-06-01 07:59:59")));
  EXPECT_TRUE(calendar.IsOn(At("2026-06-01 08:00:00")));
  EXPECT_TRUE(calendar.IsOn(At("2026-06-01 16:59:59")));
  EXPECT_FALSE(calendar.IsOn(At("2026-06-01 17:00:00")));
}

TEST(Calendar, LetsADayEndAtTwentyFour) {
  const Calendar calendar = Make("", Times({"22:00-24:00"}));

  EXPECT_TRUE(calendar.IsOn(At("2026-06-01 23:59:59")));
  EXPECT_FALSE(calendar.IsOn(At("2026-06-02 00:00:00")));
}

TEST(Calendar, CrossesMidnightAsPartOfTheDayOnWhichItStarts) {
  IntervalSpec night = Times({"22:00-06:00"});
  night.weekdays = {"friday"};
  const Calendar calendar = Make("", night);  // 2026-06-05 is a Friday.

  EXPECT_FALSE(calendar.IsOn(At("2026-06-05 05:00:00")));
  EXPECT_TRUE(calendar.IsOn(At("2026-06-05 22:00:00")));
  EXPECT_TRUE(calendar.IsOn(At("2026-06-06 05:59:59")));
  EXPECT_FALSE(calendar.IsOn(At("2026-06-06 06:00:00")));
  EXPECT_FALSE(calendar.IsOn(At("2026-06-06 22:00:00")));
}

TEST(Calendar, TestsTheMonthAndYearOfANightOnItsStartingDay) {
  IntervalSpec night = Times({"22:00-06:00"});
  night.months = {"december"};
  night.days_of_month = {"-1"};
  night.years = {"2026"};
  const Calendar calendar = Make("", night);

  EXPECT_TRUE(calendar.IsOn(At("2027-01-01 05:00:00")));
  EXPECT_FALSE(calendar.IsOn(At("2026-01-01 05:00:00")));
}

TEST(Calendar, AndsFieldsAndOrsTheirEntriesAndIntervals) {
  IntervalSpec first = Times({"06:00-08:00", "20:00-22:00"});
  first.weekdays = {"Monday:Wednesday", "saturday"};
  CalendarSpec spec;
  spec.intervals = {first, Times({"12:00-13:00"})};
  const auto calendar = Calendar::Compile(spec);
  ASSERT_TRUE(calendar.ok());

  EXPECT_TRUE(calendar->IsOn(At("2026-06-01 07:00:00")));   // Monday
  EXPECT_TRUE(calendar->IsOn(At("2026-06-06 21:00:00")));   // Saturday
  EXPECT_FALSE(calendar->IsOn(At("2026-06-04 07:00:00")));  // Thursday
  EXPECT_TRUE(calendar->IsOn(At("2026-06-04 12:30:00")));
}

TEST(Calendar, CountsDaysFromTheEndAndClampsThemToTheMonth) {
  IntervalSpec month_end;
  month_end.days_of_month = {"-3:-1"};
  const Calendar last_three = Make("", month_end);
  EXPECT_FALSE(last_three.IsOn(At("2026-02-25 12:00:00")));
  EXPECT_TRUE(last_three.IsOn(At("2026-02-26 12:00:00")));
  EXPECT_TRUE(last_three.IsOn(At("2028-02-29 12:00:00")));

  IntervalSpec late;
  late.days_of_month = {"28:31"};
  EXPECT_TRUE(Make("", late).IsOn(At("2026-02-28 12:00:00")));
  EXPECT_FALSE(Make("", late).IsOn(At("2026-03-01 12:00:00")));

  IntervalSpec from_end;
  from_end.days_of_month = {"-31:-30"};
  EXPECT_FALSE(Make("", from_end).IsOn(At("2026-02-01 12:00:00")));
  EXPECT_TRUE(Make("", from_end).IsOn(At("2026-04-01 12:00:00")));

  IntervalSpec mixed;
  mixed.days_of_month = {"15:-1"};
  EXPECT_TRUE(Make("", mixed).IsOn(At("2026-02-28 12:00:00")));
  EXPECT_FALSE(Make("", mixed).IsOn(At("2026-02-14 12:00:00")));
}

TEST(Calendar, TakesMonthsByNameAndByNumber) {
  IntervalSpec summer;
  summer.months = {"june:8", "12"};
  const Calendar calendar = Make("", summer);

  EXPECT_TRUE(calendar.IsOn(At("2026-07-15 12:00:00")));
  EXPECT_TRUE(calendar.IsOn(At("2026-12-15 12:00:00")));
  EXPECT_FALSE(calendar.IsOn(At("2026-09-15 12:00:00")));
}

TEST(Calendar, GoesOnOverTheEndOfTheYearTheWeekAndTheMonth) {
  IntervalSpec winter;
  winter.months = {"november:february"};
  const Calendar freeze = Make("Europe/Vienna", winter);
  EXPECT_FALSE(freeze.IsOn(At("2026-10-31 22:59:59")));
  EXPECT_TRUE(freeze.IsOn(At("2026-10-31 23:00:00")));
  EXPECT_EQ(freeze.NextChange(At("2026-12-01 00:00:00")), At("2027-02-28 23:00:00"));

  IntervalSpec weekend;
  weekend.weekdays = {"friday:monday"};
  const Calendar long_weekend = Make("", weekend);  // 2026-06-05 is a Friday.
  EXPECT_EQ(long_weekend.NextChange(At("2026-06-03 00:00:00")), At("2026-06-05 00:00:00"));
  EXPECT_EQ(long_weekend.NextChange(At("2026-06-05 00:00:00")), At("2026-06-09 00:00:00"));

  for (const std::string turn : {"28:3", "-1:3"}) {
    IntervalSpec month_turn;
    month_turn.days_of_month = {turn};
    month_turn.months = {"february:march"};
    const Calendar calendar = Make("", month_turn);
    EXPECT_FALSE(calendar.IsOn(At("2026-02-27 12:00:00"))) << turn;
    EXPECT_TRUE(calendar.IsOn(At("2026-02-28 12:00:00"))) << turn;
    EXPECT_TRUE(calendar.IsOn(At("2026-03-03 12:00:00"))) << turn;
    EXPECT_FALSE(calendar.IsOn(At("2026-03-04 12:00:00"))) << turn;
  }
  IntervalSpec whole;  // Each month from the 31st last day to the 5th: all of it.
  whole.days_of_month = {"-31:5"};
  EXPECT_EQ(Make("", whole).NextChange(At("2026-03-04 12:00:00")), std::nullopt);
}

TEST(Calendar, JudgesByTheWallClockOfItsZone) {
  const Calendar calendar = Make("America/Chicago", Times({"06:00-22:00"}));

  EXPECT_TRUE(calendar.IsOn(At("2026-06-01 11:00:00")));   // 06:00 in summer
  EXPECT_FALSE(calendar.IsOn(At("2026-12-01 11:00:00")));  // 05:00 in winter
  EXPECT_EQ(calendar.LocalTime(At("2026-06-01 19:05:00")), "Mon 14:05 America/Chicago");
  EXPECT_EQ(Make("", Times({"06:00-22:00"})).LocalTime(At("2026-06-07 19:05:00")), "Sun 19:05 UTC");
}

TEST(Calendar, IsOnInBothPassesOfAnHourThatOccursTwice) {
  // Berlin, 2026-10-25: 02:00 to 03:00 occurs at 00:00 and at 01:00 UTC.
  const Calendar calendar = Make("Europe/Berlin", Times({"02:15-02:45"}));

  EXPECT_TRUE(calendar.IsOn(At("2026-10-25 00:30:00")));
  EXPECT_FALSE(calendar.IsOn(At("2026-10-25 00:50:00")));
  EXPECT_TRUE(calendar.IsOn(At("2026-10-25 01:30:00")));
  EXPECT_EQ(calendar.NextChange(At("2026-10-25 00:45:00")), At("2026-10-25 01:15:00"));
}

TEST(Calendar, FindsNoChangeInWhatIsAlwaysOnOrLongOver) {
  IntervalSpec past;
  past.years = {"2001:2002"};
  EXPECT_EQ(Make("", past).NextChange(At("2026-06-01 00:00:00")), std::nullopt);
  EXPECT_EQ(Make("Europe/Berlin", Times({"00:00-24:00"})).NextChange(At("2026-06-01 00:00:00")),
            std::nullopt);
  EXPECT_EQ(Make("", Times({"08:00-17:00"})).NextChange(absl::InfiniteFuture()), std::nullopt);
}

TEST(Calendar, FindsTheNextChangeYearsAhead) {
  IntervalSpec leap;
  leap.months = {"february"};
  leap.days_of_month = {"29"};
  const Calendar calendar = Make("Europe/Berlin", leap);

  EXPECT_EQ(calendar.NextChange(At("2024-03-01 12:00:00")),
            At("2028-02-29 00:00:00", "Europe/Berlin"));
  EXPECT_EQ(calendar.NextChange(At("2028-02-29 12:00:00")),
            At("2028-03-01 00:00:00", "Europe/Berlin"));
}

// The obvious way: look at every minute.
std::vector<absl::Time> ChangesByScan(const Calendar& calendar, absl::Time from, absl::Time to) {
  std::vector<absl::Time> changes;
  for (absl::Time at = from + absl::Minutes(1); at <= to; at += absl::Minutes(1)) {
    if (calendar.IsOn(at) != calendar.IsOn(at - absl::Minutes(1))) changes.push_back(at);
  }
  return changes;
}

std::vector<absl::Time> ChangesByQuestion(const Calendar& calendar, absl::Time from,
                                          absl::Time to) {
  std::vector<absl::Time> changes;
  for (auto next = calendar.NextChange(from); next && *next <= to;
       next = calendar.NextChange(*next)) {
    changes.push_back(*next);
  }
  return changes;
}

struct ClockChange {
  const char* zone;
  const char* around;  // UTC
};

class CalendarAtClockChange : public ::testing::TestWithParam<ClockChange> {};

TEST_P(CalendarAtClockChange, FindsTheChangesThatAScanOfEveryMinuteFinds) {
  const absl::Time around = At(GetParam().around);
  const std::vector<std::vector<std::string>> shifts = {
      {"06:00-22:00"},
      {"22:00-06:00"},
      {"02:15-02:45"},
      {"01:30-02:30"},
      {"02:00-03:00"},
      {"23:45-00:15"},
      {"00:00-00:30", "01:50-01:55", "23:31-23:59"},
      {"03:00-02:00"},
      {"02:30-02:15"},
      {"23:30-23:15"}};
  const std::vector<std::vector<std::string>> days = {
      {}, {"sunday"}, {"saturday"}, {"monday:friday"}, {"thursday"}};
  for (const auto& times : shifts) {
    for (const auto& weekdays : days) {
      IntervalSpec interval = Times(times);
      interval.weekdays = weekdays;
      const Calendar calendar = Make(GetParam().zone, interval);
      const absl::Time from = around - absl::Hours(40);
      const absl::Time to = around + absl::Hours(40);
      EXPECT_EQ(ChangesByQuestion(calendar, from, to), ChangesByScan(calendar, from, to))
          << times[0] << " " << (weekdays.empty() ? "" : weekdays[0]);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Zones, CalendarAtClockChange,
    ::testing::Values(ClockChange{"Europe/Berlin", "2026-03-29 01:00:00"},
                      ClockChange{"Europe/Berlin", "2026-10-25 01:00:00"},
                      ClockChange{"America/Chicago", "2026-03-08 08:00:00"},
                      ClockChange{"America/Chicago", "2026-11-01 07:00:00"},
                      // By half an hour.
                      ClockChange{"Australia/Lord_Howe", "2026-04-04 15:00:00"},
                      ClockChange{"Australia/Lord_Howe", "2026-10-03 15:30:00"},
                      // Put back at 00:01 to 23:01 of the day before.
                      ClockChange{"America/St_Johns", "2010-11-07 02:31:00"},
                      // At midnight, either way.
                      ClockChange{"America/Santiago", "2026-09-06 04:00:00"},
                      ClockChange{"America/Santiago", "2026-04-05 03:00:00"},
                      // A day that never was.
                      ClockChange{"Pacific/Apia", "2011-12-30 10:00:00"}),
    [](const auto& change) {
      std::string name = fmt::format("{}_{}", change.param.zone, change.param.around);
      for (char& c : name) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
      }
      return name;
    });

TEST(CalendarRefusal, PointsAtEachMistake) {
  CalendarSpec spec;
  spec.location = "europe/berlin";
  spec.intervals = {Times({"06:00-22:00", "25:00-26:00"}), Times({"24:00-06:00"})};

  EXPECT_THAT(
      FieldsOf(Calendar::Compile(spec).status()),
      ElementsAre(
          FieldError{"location",
                     "the time-zone database has no \"europe/berlin\"; did you mean "
                     "\"Europe/Berlin\"?"},
          FieldError{"intervals[0].times[1]",
                     "\"25:00\" in \"25:00-26:00\" is not a time of day; expected two digits "
                     "each, from 00:00 to 24:00"},
          FieldError{"intervals[1].times[0]",
                     "\"24:00-06:00\" starts at 24:00, which can only be an end; start at 00:00 "
                     "of the next day"}));
}

TEST(CalendarRefusal, ExplainsTimes) {
  const auto why = [](std::string entry) {
    return Refusal(Times({std::move(entry)})).at(0).description;
  };
  for (const std::string equal : {"08:00-08:00", "00:00-00:00"}) {
    EXPECT_EQ(why(equal),
              "\"" + equal + "\" ends when it starts; write 00:00-24:00 for a whole day");
  }
  EXPECT_EQ(why("0800"), "\"0800\" is not a range of times; expected a form such as 08:00-17:00");
  EXPECT_EQ(
      why("8:00-17:00"),
      "\"8:00\" in \"8:00-17:00\" is not a time of day; expected two digits each, from 00:00 to "
      "24:00");
  EXPECT_EQ(
      why("08:00-17:60"),
      "\"17:60\" in \"08:00-17:60\" is not a time of day; expected two digits each, from 00:00 to "
      "24:00");
  EXPECT_EQ(
      why("08:00-24:01"),
      "\"24:01\" in \"08:00-24:01\" is not a time of day; expected two digits each, from 00:00 to "
      "24:00");
  EXPECT_EQ(
      why("08:00-"),
      "\"\" in \"08:00-\" is not a time of day; expected two digits each, from 00:00 to 24:00");
}

TEST(CalendarRefusal, ExplainsWeekdaysAndMonths) {
  const auto weekday = [](std::string entry) {
    IntervalSpec interval;
    interval.weekdays = {std::move(entry)};
    return Refusal(interval).at(0).description;
  };
  EXPECT_EQ(weekday("mon"), "\"mon\" is not a weekday; did you mean \"monday\"?");
  EXPECT_EQ(weekday("1"), "\"1\" is not a weekday; expected a name such as monday");
  IntervalSpec months;
  months.months = {"13", "febuary"};
  EXPECT_THAT(Refusal(months),
              ElementsAre(FieldError{"intervals[0].months[0]",
                                     "\"13\" is not a month; expected a name such as february"},
                          FieldError{"intervals[0].months[1]",
                                     "\"febuary\" is not a month; did you mean \"february\"?"}));
}

TEST(CalendarRefusal, ExplainsDaysAndYears) {
  IntervalSpec interval;
  interval.days_of_month = {"0", "32"};
  interval.years = {"26", "2027:2026"};
  EXPECT_THAT(
      Refusal(interval),
      ElementsAre(
          FieldError{
              "intervals[0].days_of_month[0]",
              "\"0\" is not a day of the month; expected 1 to 31, or -1 to -31 from the end"},
          FieldError{"intervals[0].days_of_month[1]",
                     "\"32\" is not a day of the month; expected 1 to 31, or -1 to -31 from the "
                     "end"},
          FieldError{"intervals[0].years[0]", "\"26\" is not a year; expected 1970 to 2999"},
          FieldError{"intervals[0].years[1]", "\"2027:2026\" ends before it starts"}));
}

TEST(CalendarRefusal, RefusesWhatNeverHoldsAndWhatSaysNothing) {
  IntervalSpec never;
  never.months = {"february"};
  never.days_of_month = {"30:31"};
  EXPECT_THAT(
      Refusal(never),
      ElementsAre(FieldError{"intervals[0]",
                             "no day has this weekday, day of month, month and year at once, so "
                             "it would never hold"}));
  never.days_of_month = {"29"};
  EXPECT_THAT(Refusal(never), ElementsAre());
  never.years = {"2025:2027"};
  EXPECT_EQ(Refusal(never).size(), 1u);

  EXPECT_THAT(Refusal(IntervalSpec()),
              ElementsAre(FieldError{"intervals[0]",
                                     "an interval that says nothing would always hold; give times, "
                                     "weekdays, days_of_month, months or years"}));
  EXPECT_THAT(FieldsOf(Calendar::Compile(CalendarSpec()).status()),
              ElementsAre(FieldError{"intervals",
                                     "nothing says when this calendar is on; give intervals, dates "
                                     "or recurring. One that is always on has the interval times: "
                                     "[\"00:00-24:00\"]"}));
}

TEST(CalendarRefusal, TakesZonesFromTheDatabaseOnly) {
  const auto why = [](std::string zone) {
    CalendarSpec spec;
    spec.location = std::move(zone);
    spec.intervals = {Times({"06:00-22:00"})};
    return FieldsOf(Calendar::Compile(spec).status()).at(0).description;
  };
  EXPECT_EQ(
      why("America/New York"),
      "the time-zone database has no \"America/New York\"; did you mean \"America/New_York\"?");
  EXPECT_EQ(why("Berlin"),
            "the time-zone database has no \"Berlin\"; did you mean \"Europe/Berlin\"?");
  EXPECT_EQ(why("Local"),
            "\"Local\" differs from machine to machine; name the zone, such as Europe/Berlin");
  EXPECT_EQ(why("localtime"),
            "\"localtime\" differs from machine to machine; name the zone, such as Europe/Berlin");
  EXPECT_EQ(why("/etc/localtime"),
            "the time-zone database has no \"/etc/localtime\"; expected an IANA name such as "
            "Europe/Berlin");
  EXPECT_EQ(
      why("../../../etc/localtime"),
      "the time-zone database has no \"../../../etc/localtime\"; expected an IANA name such as "
      "Europe/Berlin");
}

}  // namespace
}  // namespace tandem::playbook
