// Dates, recurrences and exceptions of one calendar.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "router/base/status.h"
#include "router/playbook/calendar.h"

namespace tandem::playbook {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Calendar Make(const CalendarSpec& spec) {
  auto calendar = Calendar::Compile(spec);
  EXPECT_TRUE(calendar.ok()) << calendar.status();
  return calendar.ok() ? *std::move(calendar) : Calendar();
}

absl::Time At(std::string_view text, std::string_view zone = "UTC") {
  absl::TimeZone tz;
  EXPECT_TRUE(absl::LoadTimeZone(std::string(zone), &tz));
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime("%Y-%m-%d %H:%M", std::string(text), tz, &time, &error)) << error;
  return time;
}

std::vector<FieldError> Refusal(const CalendarSpec& spec) {
  return FieldsOf(Calendar::Compile(spec).status());
}

// The local times at which the calendar changes, from `from` on.
std::vector<std::string> Changes(const Calendar& calendar, absl::Time from, int count) {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone(
      calendar.spec().location.empty() ? "UTC" : calendar.spec().location, &zone));
  std::vector<std::string> changes;
  for (auto at = calendar.NextChange(from); at && count-- > 0; at = calendar.NextChange(*at)) {
    EXPECT_NE(calendar.IsOn(*at), calendar.IsOn(*at - absl::Seconds(1)));
    changes.push_back(absl::FormatTime("%Y-%m-%d %H:%M", *at, zone) +
                      (calendar.IsOn(*at) ? " on" : " off"));
  }
  return changes;
}

TEST(CalendarNextChange, SeesYesterdayOnceMoreWhenTheClockIsPutBackOverMidnight) {
  // In 2003 the clocks of St. John's went from Sunday 00:01 back to Saturday 23:01.
  const Calendar saturday =
      Make({.location = "America/St_Johns",
            .intervals = {{.times = {"01:30-24:00"}, .weekdays = {"wednesday:saturday"}}}});
  EXPECT_EQ(saturday.NextChange(At("2003-10-26 02:20")), At("2003-10-26 02:30"));
  EXPECT_EQ(saturday.NextChange(At("2003-10-26 02:30")), At("2003-10-26 02:31"));
  EXPECT_EQ(saturday.NextChange(At("2003-10-26 02:31")), At("2003-10-26 03:30"));
}

TEST(CalendarDates, AreWholeLocalDaysAloneAndInRanges) {
  const Calendar holidays = Make({.location = "Europe/Vienna",
                                  .dates = {"2027-05-06", "2026-12-24", "2026-12-31:2027-01-02"}});

  EXPECT_THAT(Changes(holidays, At("2026-01-01 00:00"), 9),
              ElementsAre("2026-12-24 00:00 on", "2026-12-25 00:00 off", "2026-12-31 00:00 on",
                          "2027-01-03 00:00 off", "2027-05-06 00:00 on", "2027-05-07 00:00 off"));
  EXPECT_FALSE(holidays.IsOn(At("2026-12-23 22:59")));
  EXPECT_TRUE(holidays.IsOn(At("2026-12-23 23:00")));
}

TEST(CalendarDates, JoinWhatOverlaps) {
  const Calendar freeze =
      Make({.dates = {"2026-12-24:2026-12-27", "2026-12-20:2026-12-25", "2026-12-28"}});

  EXPECT_THAT(Changes(freeze, At("2026-01-01 00:00"), 9),
              ElementsAre("2026-12-20 00:00 on", "2026-12-29 00:00 off"));
}

TEST(CalendarDates, AddToIntervals) {
  const Calendar both =
      Make({.intervals = {{.times = {"06:00-22:00"}, .weekdays = {"monday:friday"}}},
            .dates = {"2026-06-06"}});  // A Saturday.

  EXPECT_THAT(Changes(both, At("2026-06-05 12:00"), 3),
              ElementsAre("2026-06-05 22:00 off", "2026-06-06 00:00 on", "2026-06-07 00:00 off"));
}

TEST(CalendarExceptions, TakeOutWhatStartsOnTheirDays) {
  const Calendar night = Make({.intervals = {{.times = {"22:00-06:00"}}},
                               .dates = {"2026-12-30:2027-01-02"},
                               .exceptions = {"2026-12-31:2027-01-01"}});

  // The night that began on the 30th holds until 06:00; that of the 31st does not begin.
  EXPECT_THAT(Changes(night, At("2026-12-30 12:00"), 4),
              ElementsAre("2026-12-31 06:00 off", "2027-01-02 00:00 on", "2027-01-03 06:00 off",
                          "2027-01-03 22:00 on"));
}

TEST(CalendarRecurring, HoldsFromEachStartForTheDuration) {
  const Calendar patch_night = Make({.location = "America/Chicago",
                                     .recurring = {{.start = "2026-01-13 22:00",
                                                    .duration = "4h",
                                                    .rule = "FREQ=MONTHLY;BYDAY=2TU"}},
                                     .exceptions = {"2026-12-08"}});

  EXPECT_THAT(Changes(patch_night, At("2026-10-01 00:00"), 6),
              ElementsAre("2026-10-13 22:00 on", "2026-10-14 02:00 off", "2026-11-10 22:00 on",
                          "2026-11-11 02:00 off", "2027-01-12 22:00 on", "2027-01-13 02:00 off"));
  EXPECT_THAT(patch_night.warnings(), IsEmpty());
}

TEST(CalendarRecurring, HasExceptionsOfItsOwn) {
  const RecurrenceSpec early = {.start = "2026-06-01 04:00",
                                .duration = "1h",
                                .rule = "FREQ=DAILY;COUNT=2",
                                .exceptions = {"2026-06-02"}};
  const RecurrenceSpec late = {
      .start = "2026-06-01 20:00", .duration = "1h", .rule = "FREQ=DAILY;COUNT=2"};

  EXPECT_THAT(Changes(Make({.recurring = {early, late}}), At("2026-06-01 05:00"), 9),
              ElementsAre("2026-06-01 20:00 on", "2026-06-01 21:00 off", "2026-06-02 20:00 on",
                          "2026-06-02 21:00 off"));
}

TEST(CalendarRecurring, JoinsWhatOverlapsAndTakesWhatComesOnce) {
  const Calendar window = Make({.recurring = {{.start = "2026-06-01 22:00", .duration = "31d"},
                                              {.start = "2026-06-30 22:00", .duration = "2d12h"},
                                              {.start = "2026-07-03 10:00", .duration = "1m"}}});

  EXPECT_THAT(Changes(window, At("2026-01-01 00:00"), 9),
              ElementsAre("2026-06-01 22:00 on", "2026-07-03 10:01 off"));
}

TEST(CalendarRecurring, TakesTheOffsetBeforeALeapAndTheFirstOfAnHourThatOccursTwice) {
  // Vienna, 2026-03-29: 02:00 to 03:00 is skipped. 2026-10-25: it occurs at 00:00 and 01:00 UTC.
  const auto night = [](std::string start, std::string duration) {
    return Make({.location = "Europe/Vienna",
                 .recurring = {{.start = std::move(start), .duration = std::move(duration)}}});
  };
  EXPECT_EQ(night("2026-03-29 02:30", "1h").NextChange(At("2026-03-28 00:00")),
            At("2026-03-29 01:30"));
  EXPECT_EQ(night("2026-10-25 02:30", "1h").NextChange(At("2026-10-24 00:00")),
            At("2026-10-25 00:30"));
  // An hour is an hour: the second 02:30 is out.
  EXPECT_FALSE(night("2026-10-25 02:30", "1h").IsOn(At("2026-10-25 01:30")));
  // A day is one of the wall clock, of 25 hours here; 25 hours are 25 hours everywhere.
  EXPECT_EQ(night("2026-10-24 12:00", "1d").NextChange(At("2026-10-24 11:00")),
            At("2026-10-25 11:00"));
  EXPECT_EQ(night("2026-10-24 12:00", "25h").NextChange(At("2026-10-24 11:00")),
            At("2026-10-25 11:00"));
  EXPECT_EQ(night("2026-10-24 12:00", "23h").NextChange(At("2026-10-24 11:00")),
            At("2026-10-25 09:00"));
}

TEST(CalendarRecurring, WarnsOfAnEndOfWhatIsKnownAndOfAStartThatTheRuleDoesNotName) {
  const Calendar hourly =
      Make({.recurring = {{.start = "2026-01-01 00:00", .duration = "5m", .rule = "FREQ=HOURLY"}}});
  EXPECT_THAT(
      hourly.warnings(),
      ElementsAre(FieldError{"recurring[0].rule",
                             "the rule is known for 20000 occurrences, the last of them at "
                             "2028-04-13 07:00; it does not hold after that. Intervals have "
                             "no such end"}));
  EXPECT_TRUE(hourly.IsOn(At("2028-04-13 07:04")));
  EXPECT_EQ(hourly.NextChange(At("2028-04-13 07:05")), std::nullopt);

  const Calendar late = Make(
      {.recurring = {
           {.start = "2026-01-14 22:00", .duration = "4h", .rule = "FREQ=MONTHLY;BYDAY=2TU"}}});
  EXPECT_THAT(late.warnings(),
              ElementsAre(FieldError{"recurring[0].start",
                                     "the rule does not name its start; the first occurrence is at "
                                     "2026-02-10 22:00"}));
}

TEST(CalendarDatesRefusal, ExplainsDates) {
  EXPECT_THAT(
      Refusal({.dates = {"2026-02-31", "2026-13-01", "24.12.2026", "2026-12-31:2026-12-24",
                         "1969-12-31", "2026-12-24:"},
               .exceptions = {"2101-01-01"}}),
      ElementsAre(
          FieldError{"exceptions[0]",
                     "the year of \"2101-01-01\" is out of bounds; expected 1970 to "
                     "2100"},
          FieldError{"dates[0]", "there is no day \"2026-02-31\"; that month has 28 days"},
          FieldError{"dates[1]", "\"2026-13-01\" has no month 13; expected 01 to 12"},
          FieldError{"dates[2]",
                     "\"24.12.2026\" is not a date; expected a form such as 2026-12-24"},
          FieldError{
              "dates[3]",
              "\"2026-12-31:2026-12-24\" ends before it starts; write the earlier day first"},
          FieldError{"dates[4]",
                     "the year of \"1969-12-31\" is out of bounds; expected 1970 to 2100"},
          FieldError{"dates[5]", "\"\" is not a date; expected a form such as 2026-12-24"}));
  EXPECT_THAT(Refusal({.dates = {"2026-12-24"}, .exceptions = {"2026-12-01:2026-12-31"}}),
              ElementsAre(FieldError{"exceptions", "they take out every one of the dates"}));
}

TEST(CalendarDatesRefusal, ExplainsRecurrences) {
  const auto why = [](RecurrenceSpec recurrence) {
    return Refusal({.recurring = {std::move(recurrence)}});
  };
  EXPECT_THAT(
      why({.start = "2026-01-13 24:00", .duration = "0s", .rule = "FREQ=FORTNIGHTLY"}),
      ElementsAre(
          FieldError{"recurring[0].start",
                     "\"2026-01-13 24:00\" starts at 24:00, which can only be an end; start at "
                     "00:00 of the next day"},
          FieldError{"recurring[0].duration", "\"0s\" is out of bounds; expected 1m to 31d"},
          FieldError{"recurring[0].rule",
                     "FREQ: \"FORTNIGHTLY\" is not known; expected YEARLY, MONTHLY, WEEKLY, DAILY, "
                     "HOURLY"}));
  EXPECT_THAT(
      why({.start = "2026-01-13", .duration = "4 hours", .rule = ""}),
      ElementsAre(FieldError{"recurring[0].start",
                             "\"2026-01-13\" is not a start; expected a form "
                             "such as 2026-01-13 22:00"},
                  FieldError{"recurring[0].duration",
                             "\"4 hours\" is not a duration; expected a form such as 30m, 4h, "
                             "1h30m or 2d"}));
  EXPECT_THAT(why({.start = "2026-01-13 25:00", .duration = "32d"}),
              ElementsAre(FieldError{"recurring[0].start",
                                     "\"25:00\" is not a time of day; expected 00:00 to 23:59"},
                          FieldError{"recurring[0].duration",
                                     "\"32d\" is out of bounds; expected 1m to 31d"}));
  EXPECT_THAT(why({.start = "2026-01-13 22:00",
                   .duration = "4h",
                   .rule = "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30"}),
              ElementsAre(FieldError{"recurring[0].rule",
                                     "\"FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30\" names no time from "
                                     "2026-01-13 22:00 until the end of 2100, so it would never "
                                     "hold"}));
  EXPECT_THAT(why({.start = "2026-01-13 22:00", .duration = "4h", .exceptions = {"2026-01-13"}}),
              ElementsAre(FieldError{"recurring[0].exceptions", "they take out every occurrence"}));
}

TEST(CalendarDatesRefusal, HoldsTheLimits) {
  EXPECT_THAT(Refusal({.dates = std::vector<std::string>(2'001, "2026-12-24")}),
              ElementsAre(FieldError{"dates", "2001 entries; at most 2000 are taken"}));
  const RecurrenceSpec daily = {
      .start = "2026-01-13 22:00", .duration = "4h", .rule = "FREQ=DAILY"};
  EXPECT_THAT(Refusal({.recurring = {daily, daily, daily}}),
              ElementsAre(FieldError{"recurring",
                                     "more than 40000 occurrences in all; end rules by UNTIL or "
                                     "COUNT, or write intervals"}));
  EXPECT_THAT(Refusal({.recurring = std::vector<RecurrenceSpec>(257, daily)}),
              ElementsAre(FieldError{"recurring", "257 entries; at most 256 are taken"}));
  EXPECT_THAT(Refusal({.intervals = {{.times = {"06:00-22:00"}}}, .any_of = {"others"}}),
              ElementsAre(FieldError{"any_of",
                                     "this calendar stands alone; only the calendars of a playbook "
                                     "can name each other"}));
}

}  // namespace
}  // namespace tandem::playbook
