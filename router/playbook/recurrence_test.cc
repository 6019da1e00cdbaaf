#include "router/playbook/recurrence.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "router/base/status.h"

namespace tandem::playbook {
namespace {

using ::testing::IsEmpty;

// "1997-09-02 09:00" or with a T.
absl::CivilSecond Civil(const std::string& text) {
  return absl::CivilSecond(std::stoi(text.substr(0, 4)), std::stoi(text.substr(5, 2)),
                           std::stoi(text.substr(8, 2)), std::stoi(text.substr(11, 2)),
                           std::stoi(text.substr(14, 2)));
}

Occurrences Of(const std::string& rule, const std::string& start, std::size_t max = 20'000,
               const char* zone_name = "America/New_York") {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone(zone_name, &zone));
  const auto parsed = ParseRecurrenceRule(rule);
  EXPECT_TRUE(parsed.ok()) << rule << ": " << parsed.status();
  if (!parsed.ok()) return {};
  return Expand(*parsed, Civil(start), zone, max);
}

std::string Text(absl::CivilSecond at) { return absl::FormatCivilTime(at).substr(0, 16); }

struct Example {
  const char* start;
  const char* rule;
  const char* first;  // its first occurrences, or all there are
};

TEST(Recurrence, NamesWhatTheExamplesOfTheRfcName) {
  // RFC 5545, 3.8.5.3 (times are those of New York), and corners that calendars get wrong.
  const Example examples[] = {
      {"1997-09-02 09:00", "FREQ=DAILY;COUNT=10",
       "1997-09-02T09:00 1997-09-03T09:00 1997-09-04T09:00 1997-09-05T09:00"},
      {"1997-09-02 09:00", "FREQ=DAILY;UNTIL=19971224T000000Z",
       "1997-09-02T09:00 1997-09-03T09:00 1997-09-04T09:00 1997-09-05T09:00"},
      {"1997-09-02 09:00", "FREQ=DAILY;INTERVAL=10;COUNT=5",
       "1997-09-02T09:00 1997-09-12T09:00 1997-09-22T09:00 1997-10-02T09:00"},
      {"1997-09-02 09:00", "FREQ=WEEKLY;INTERVAL=2;WKST=SU",
       "1997-09-02T09:00 1997-09-16T09:00 1997-09-30T09:00 1997-10-14T09:00"},
      {"1997-09-02 09:00", "FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH",
       "1997-09-02T09:00 1997-09-04T09:00 1997-09-09T09:00 1997-09-11T09:00"},
      {"1997-09-02 09:00", "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
       "1997-09-02T09:00 1997-09-04T09:00 1997-09-16T09:00 1997-09-18T09:00"},
      {"1997-09-02 09:00", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
       "1997-09-02T09:00 1997-09-15T09:00 1997-10-02T09:00 1997-10-15T09:00"},
      {"1997-09-02 09:00", "FREQ=MONTHLY;BYDAY=TU,WE,TH;BYSETPOS=3",
       "1997-09-04T09:00 1997-10-07T09:00 1997-11-06T09:00 1997-12-04T09:00"},
      {"1997-09-02 09:00", "FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40",
       "1997-09-02T09:00 1997-09-02T09:20 1997-09-02T09:40 1997-09-02T10:00"},
      {"1997-09-02 09:00", "FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T210000Z",
       "1997-09-02T09:00 1997-09-02T12:00 1997-09-02T15:00"},
      {"1997-09-02 09:00", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
       "1998-02-13T09:00 1998-03-13T09:00 1998-11-13T09:00 1999-08-13T09:00"},
      {"1997-09-02 09:00", "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU",
       "1997-09-02T09:00 1997-09-09T09:00 1997-09-16T09:00 1997-09-23T09:00"},
      {"1998-01-01 09:00",
       "FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA",
       "1998-01-01T09:00 1998-01-02T09:00 1998-01-03T09:00 1998-01-04T09:00"},
      {"1997-09-05 09:00", "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
       "1997-09-05T09:00 1997-10-03T09:00 1997-11-07T09:00 1997-12-05T09:00"},
      {"1997-09-07 09:00", "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
       "1997-09-07T09:00 1997-09-28T09:00 1997-11-02T09:00 1997-11-30T09:00"},
      {"1997-09-22 09:00", "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO",
       "1997-09-22T09:00 1997-10-20T09:00 1997-11-17T09:00 1997-12-22T09:00"},
      {"1997-09-28 09:00", "FREQ=MONTHLY;BYMONTHDAY=-3",
       "1997-09-28T09:00 1997-10-29T09:00 1997-11-28T09:00 1997-12-29T09:00"},
      {"1997-09-30 09:00", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
       "1997-09-30T09:00 1997-10-01T09:00 1997-10-31T09:00 1997-11-01T09:00"},
      {"1997-06-10 09:00", "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
       "1997-06-10T09:00 1997-07-10T09:00 1998-06-10T09:00 1998-07-10T09:00"},
      {"1997-01-01 09:00", "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
       "1997-01-01T09:00 1997-04-10T09:00 1997-07-19T09:00 2000-01-01T09:00"},
      {"1997-05-19 09:00", "FREQ=YEARLY;BYDAY=20MO",
       "1997-05-19T09:00 1998-05-18T09:00 1999-05-17T09:00 2000-05-15T09:00"},
      {"1997-05-12 09:00", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
       "1997-05-12T09:00 1998-05-11T09:00 1999-05-17T09:00 2000-05-15T09:00"},
      {"1997-03-13 09:00", "FREQ=YEARLY;BYMONTH=3;BYDAY=TH",
       "1997-03-13T09:00 1997-03-20T09:00 1997-03-27T09:00 1998-03-05T09:00"},
      {"1997-09-13 09:00", "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
       "1997-09-13T09:00 1997-10-11T09:00 1997-11-08T09:00 1997-12-13T09:00"},
      {"1996-11-05 09:00", "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
       "1996-11-05T09:00 2000-11-07T09:00 2004-11-02T09:00 2008-11-04T09:00"},
      {"1997-09-29 09:00", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
       "1997-09-29T09:00 1997-10-30T09:00 1997-11-27T09:00 1997-12-30T09:00"},
      {"1997-08-05 09:00", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
       "1997-08-05T09:00 1997-08-10T09:00 1997-08-19T09:00 1997-08-24T09:00"},
      {"1997-08-05 09:00", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
       "1997-08-05T09:00 1997-08-17T09:00 1997-08-19T09:00 1997-08-31T09:00"},
      {"2007-01-15 09:00", "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5",
       "2007-01-15T09:00 2007-01-30T09:00 2007-02-15T09:00 2007-03-15T09:00"},
      {"2026-01-31 22:00", "FREQ=MONTHLY",
       "2026-01-31T22:00 2026-03-31T22:00 2026-05-31T22:00 2026-07-31T22:00"},
      {"2024-02-29 00:00", "FREQ=YEARLY",
       "2024-02-29T00:00 2028-02-29T00:00 2032-02-29T00:00 2036-02-29T00:00"},
      {"2026-01-01 00:00", "FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO",
       "2027-01-04T00:00 2028-01-03T00:00 2029-01-01T00:00 2029-12-31T00:00"},
      {"2026-01-01 00:00", "FREQ=YEARLY;BYWEEKNO=-1;BYDAY=SU",
       "2027-01-03T00:00 2028-01-02T00:00 2028-12-31T00:00 2029-12-30T00:00"},
      {"2026-01-01 08:00", "FREQ=DAILY;BYHOUR=9,10;BYMINUTE=0,30;BYSETPOS=-1",
       "2026-01-01T10:30 2026-01-02T10:30 2026-01-03T10:30 2026-01-04T10:30"},
      {"2026-01-31 08:00", "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31",
       "2026-01-31T08:00 2027-01-31T08:00 2028-01-31T08:00 2029-01-31T08:00"},
      {"2026-06-01 08:00", "FREQ=HOURLY;INTERVAL=7;BYDAY=MO",
       "2026-06-01T08:00 2026-06-01T15:00 2026-06-01T22:00 2026-06-08T01:00"},
      {"2026-01-01 00:00", "FREQ=YEARLY;BYYEARDAY=-366",
       "2028-01-01T00:00 2032-01-01T00:00 2036-01-01T00:00 2040-01-01T00:00"},
  };
  for (const Example& example : examples) {
    std::string first;
    for (const absl::CivilSecond& at : Of(example.rule, example.start, 4).starts) {
      first += (first.empty() ? "" : " ") + Text(at);
    }
    EXPECT_EQ(first, example.first) << example.rule;
  }
}

TEST(Recurrence, EndsByCountByUntilAndAtTheEndOf2100) {
  const auto last = [](const char* rule) {
    const Occurrences found = Of(rule, "1997-09-02 09:00", 50'000);
    EXPECT_FALSE(found.cut) << rule;
    return fmt::format("{} of {}", Text(found.starts.back()), found.starts.size());
  };
  EXPECT_EQ(last("FREQ=DAILY;COUNT=10"), "1997-09-11T09:00 of 10");
  EXPECT_EQ(last("FREQ=DAILY;UNTIL=19971224T000000Z"), "1997-12-23T09:00 of 113");
  // In UTC the day's occurrence is at 13:00; by the wall clock of New York at 09:00.
  EXPECT_EQ(last("FREQ=DAILY;UNTIL=19970910T125959Z"), "1997-09-09T09:00 of 8");
  EXPECT_EQ(last("FREQ=DAILY;UNTIL=19970910T130000Z"), "1997-09-10T09:00 of 9");
  EXPECT_EQ(last("FREQ=DAILY;UNTIL=19970910T090000"), "1997-09-10T09:00 of 9");
  EXPECT_EQ(last("FREQ=DAILY;UNTIL=19970910"), "1997-09-10T09:00 of 9");
  EXPECT_EQ(last("FREQ=DAILY"), "2100-12-31T09:00 of 37741");
}

TEST(Recurrence, SaysWhetherItWasCut) {
  EXPECT_TRUE(Of("FREQ=DAILY", "2026-01-01 00:00", 3).cut);
  EXPECT_FALSE(Of("FREQ=DAILY;COUNT=3", "2026-01-01 00:00", 3).cut);
  EXPECT_EQ(Of("FREQ=DAILY", "2026-01-01 00:00", 3).starts.size(), 3u);
}

TEST(Recurrence, FindsNothingInWhatNeverComes) {
  for (const char* never :
       {"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=7", "FREQ=MONTHLY;BYDAY=6TU", "FREQ=DAILY;UNTIL=20251231",
        "FREQ=HOURLY;INTERVAL=24;BYHOUR=5", "FREQ=YEARLY;BYWEEKNO=20;BYMONTH=1"}) {
    EXPECT_THAT(Of(never, "2026-01-01 00:00").starts, IsEmpty()) << never;
  }
}

TEST(Recurrence, TakesSmallLettersAndAnEndingSemicolon) {
  EXPECT_EQ(Of("freq=weekly;byday=mo,we;", "2026-06-01 08:00", 4).starts.size(), 4u);
}

TEST(RecurrenceRefusal, NamesThePart) {
  const std::pair<const char*, const char*> refusals[] = {
      {"MONTHLY", "\"MONTHLY\" is no part of a rule; expected NAME=VALUE, such as FREQ=MONTHLY"},
      {"RRULE:FREQ=DAILY", "leave \"RRULE:\" out and begin with FREQ="},
      {"BYDAY=MO", "FREQ is missing; expected FREQ=YEARLY, MONTHLY, WEEKLY, DAILY or HOURLY"},
      {"FREQ=MINUTELY",
       "FREQ: MINUTELY would switch more often than an alert is judged; the shortest is HOURLY, "
       "and BYMINUTE names minutes of it"},
      {"FREQ=MONTLY", "FREQ: \"MONTLY\" is not known; did you mean MONTHLY?"},
      {"FREQ=DAILY;FREQ=DAILY", "FREQ: stands twice"},
      {"FREQ=DAILY;BYDAYS=MO", "\"BYDAYS\" is no part of a rule; did you mean BYDAY?"},
      {"FREQ=DAILY;RSCALE=HEBREW",
       "RSCALE: only the Gregorian calendar is known here; leave it out"},
      {"FREQ=DAILY;INTERVAL=0", "INTERVAL: \"0\" is not a number from 1 to 10000"},
      {"FREQ=DAILY;COUNT=0", "COUNT: \"0\" is not a number from 1"},
      {"FREQ=DAILY;COUNT=3;UNTIL=20261231", "COUNT: a rule ends by COUNT or by UNTIL, not by both"},
      {"FREQ=DAILY;UNTIL=20260231",
       "UNTIL: \"20260231\" is not a date; expected a form such as 20261231, 20261231T220000 or "
       "20261231T220000Z"},
      {"FREQ=DAILY;BYHOUR=24", "BYHOUR: \"24\" is not a number from 0 to 23"},
      {"FREQ=MONTHLY;BYMONTHDAY=0",
       "BYMONTHDAY: \"0\" is not a number from 1 to 31, or -31 to -1 from the end"},
      {"FREQ=MONTHLY;BYMONTHDAY=1,,2",
       "BYMONTHDAY: \"\" is not a number from 1 to 31, or -31 to -1 from the end"},
      {"FREQ=WEEKLY;BYDAY=MON",
       "BYDAY: \"MON\" is not a weekday; expected MO, TU, WE, TH, FR, SA or SU"},
      {"FREQ=MONTHLY;BYDAY=54MO",
       "BYDAY: \"54MO\" is not the place of a weekday; expected a form such as 2TU or -1FR"},
      {"FREQ=WEEKLY;BYDAY=2TU",
       "BYDAY: a place such as 2TU counts in a month or year; only FREQ=MONTHLY and FREQ=YEARLY "
       "take one"},
      {"FREQ=YEARLY;BYWEEKNO=2;BYDAY=2TU",
       "BYDAY: within BYWEEKNO each weekday is there once; leave its place out"},
      {"FREQ=MONTHLY;BYWEEKNO=2",
       "BYWEEKNO: weeks are counted in a year; only FREQ=YEARLY takes it"},
      {"FREQ=DAILY;BYYEARDAY=2", "BYYEARDAY: only FREQ=YEARLY and FREQ=HOURLY take it"},
      {"FREQ=WEEKLY;BYMONTHDAY=2",
       "BYMONTHDAY: FREQ=WEEKLY does not take it; write FREQ=DAILY with BYDAY"},
      {"FREQ=MONTHLY;BYSETPOS=2",
       "BYSETPOS: picks among what another BY part names, and there is none"},
  };
  for (const auto& [rule, why] : refusals) {
    EXPECT_EQ(MessageOf(ParseRecurrenceRule(rule).status()), why) << rule;
  }
  EXPECT_EQ(MessageOf(ParseRecurrenceRule("FREQ=DAILY;BYHOUR=" + std::string(600, '1')).status()),
            "618 bytes; at most 512 are taken");
}

}  // namespace
}  // namespace tandem::playbook
