#include "router/playbook/icalendar.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "router/base/status.h"

namespace tandem::playbook {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A file of these lines; `head` stands before the events.
std::string File(const std::string& events, const std::string& head = "") {
  std::string text = "BEGIN:VCALENDAR\nVERSION:2.0\n" + head + events + "END:VCALENDAR\n";
  std::string crlf;
  for (const char c : text) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return crlf;
}

std::string Event(const std::string& lines) { return "BEGIN:VEVENT\n" + lines + "END:VEVENT\n"; }

ICalendarImport Import(const std::string& file, std::string_view location = "Europe/Vienna") {
  auto import = CalendarFromICalendar(file, location);
  EXPECT_TRUE(import.ok()) << import.status();
  return import.ok() ? *std::move(import) : ICalendarImport();
}

std::string Refusal(const std::string& file, std::string_view location = "") {
  const auto import = CalendarFromICalendar(file, location);
  EXPECT_EQ(ReasonOf(import.status()), "ICALENDAR_INVALID");
  return MessageOf(import.status());
}

std::vector<std::string> Notes(const ICalendarImport& import) {
  std::vector<std::string> notes;
  for (const ICalendarNote& note : import.notes) {
    notes.push_back(fmt::format("{} {}: {}", note.line, note.uid, note.text));
  }
  return notes;
}

std::vector<std::string> Recurring(const ICalendarImport& import) {
  std::vector<std::string> texts;
  for (const RecurrenceSpec& r : import.spec.recurring) {
    texts.push_back(fmt::format("{} {} {}{}{}", r.start, r.duration, r.rule,
                                r.exceptions.empty() ? "" : " but ", fmt::join(r.exceptions, ",")));
  }
  return texts;
}

TEST(ICalendar, MakesAllDayEventsDatesWithTitles) {
  const ICalendarImport import = Import(
      File(Event("UID:2\nSUMMARY:New Year\\, and\\n the day before\n"
                 "DTSTART;VALUE=DATE:20261231\nDTEND;VALUE=DATE:20270102\n") +
           Event("UID:1\nSUMMARY:Christ\n mas Eve\nDTSTART;VALUE=DATE:20261224\n"
                 "TRANSP:TRANSPARENT\nBEGIN:VALARM\nTRIGGER:-PT1H\nSUMMARY:x\nEND:VALARM\n") +
           Event("UID:3\nDTSTART;VALUE=DATE:20270506\nDURATION:P2D\n")));

  EXPECT_EQ(import.spec.location, "Europe/Vienna");
  EXPECT_THAT(import.spec.dates,
              ElementsAre("2026-12-24", "2026-12-31:2027-01-01", "2027-05-06:2027-05-07"));
  EXPECT_THAT(import.date_titles,
              ElementsAre("Christmas Eve", "New Year, and  the day before", ""));
  EXPECT_THAT(import.spec.recurring, IsEmpty());
  EXPECT_THAT(import.notes, IsEmpty());
  EXPECT_EQ(import.events, 3u);
}

TEST(ICalendar, MakesRulesRecurrencesWithTheirExceptions) {
  const ICalendarImport import = Import(
      File(Event("UID:a\nDTSTART;TZID=Europe/Vienna:20260113T220000\n"
                 "DTEND;TZID=Europe/Vienna:20260114T020000\nRRULE:FREQ=MONTHLY;BYDAY=2TU\n"
                 "EXDATE;TZID=Europe/Vienna:20261208T220000,20261110T220000\nEXDATE:20260714\n") +
           Event("UID:b\nDTSTART;VALUE=DATE:20201226\nRRULE:FREQ=YEARLY\n")));

  EXPECT_THAT(Recurring(import), ElementsAre("2026-01-13 22:00 4h FREQ=MONTHLY;BYDAY=2TU but "
                                             "2026-07-14,2026-11-10,2026-12-08",
                                             "2020-12-26 00:00 1d FREQ=YEARLY"));
  EXPECT_THAT(import.notes, IsEmpty());
}

TEST(ICalendar, ReplacesAnInstanceByTheEventThatNamesIt) {
  const std::string master =
      "UID:a\nDTSTART;TZID=Europe/Vienna:20260602T220000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY\n";
  const ICalendarImport import = Import(
      File(Event(master) +
           Event("UID:a\nRECURRENCE-ID;TZID=Europe/Vienna:20260609T220000\n"
                 "DTSTART;TZID=Europe/Vienna:20260610T200000\nDURATION:PT2H\n") +
           Event("UID:a\nRECURRENCE-ID;TZID=Europe/Vienna:20260616T220000\nSTATUS:CANCELLED\n"
                 "DTSTART;TZID=Europe/Vienna:20260616T220000\nDURATION:PT2H\n") +
           Event("UID:a\nRECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Vienna:20260623T220000\n"
                 "DTSTART;TZID=Europe/Vienna:20260624T220000\nDURATION:PT2H\n")));

  EXPECT_THAT(Recurring(import),
              ElementsAre("2026-06-02 22:00 1h FREQ=WEEKLY but 2026-06-09,2026-06-16,2026-06-23",
                          "2026-06-10 20:00 2h "));
  EXPECT_THAT(Notes(import),
              ElementsAre("15 a: it is cancelled",
                          "22 a: it changes all later instances of its event, which is not taken"));
}

TEST(ICalendar, ReadsZonesFromTheParameterAndConvertsWhatComesOnce) {
  const std::string lines =
      Event("UID:a\nDTSTART;TZID=\"W. Europe Standard Time\":20260601T220000\nDURATION:PT1H\n") +
      Event(
          "UID:b\nDTSTART;TZID=/freeassociation.sourceforge.net/America/Chicago:20260601T220000\n"
          "DURATION:PT1H\n") +
      Event("UID:c\nDTSTART:20260601T220000Z\nDTEND:20260601T235959Z\n") +
      Event("UID:d\nDTSTART:20260601T220000\nDURATION:PT1H\n") +
      Event("UID:e\nDTSTART;TZID=Mars/Olympus:20260601T220000\nDURATION:PT1H\n") +
      Event("UID:f\nDTSTART:20260601T220000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY\n");
  const ICalendarImport import = Import(File(lines), "");

  EXPECT_EQ(import.spec.location, "Europe/Berlin");
  EXPECT_THAT(Recurring(import), ElementsAre("2026-06-01 22:00 1h ", "2026-06-02 05:00 1h ",
                                             "2026-06-02 00:00 2h ", "2026-06-01 22:00 1h "));
  EXPECT_THAT(Notes(import),
              ElementsAre("23 e: the time-zone database has no \"Mars/Olympus\"",
                          "28 f: it recurs by the wall clock of UTC, not of Europe/Berlin; import "
                          "it as a calendar of its own in that zone"));
  EXPECT_EQ(Import(File(lines, "X-WR-TIMEZONE:America/New_York\n"), "").spec.location,
            "America/New_York");
  EXPECT_THAT(Notes(Import(File(Event("UID:a\nDTSTART;VALUE=DATE:20261224\n")), "")),
              ElementsAre(HasSubstr("the file names no time zone")));
}

TEST(ICalendar, CutsALongFreezeIntoPiecesThatMeet) {
  // Over the change of the clock, and a day of 25 hours that is written as 25 hours.
  const ICalendarImport import =
      Import(File(Event("UID:a\nDTSTART;TZID=Europe/Vienna:20261215T080000\n"
                        "DTEND;TZID=Europe/Vienna:20270201T080000\n") +
                  Event("UID:b\nDTSTART:20261024T100000Z\nDURATION:PT24H\n")));

  EXPECT_THAT(Recurring(import), ElementsAre("2026-12-15 08:00 31d ", "2027-01-15 08:00 17d ",
                                             "2026-10-24 12:00 23h59m ", "2026-10-25 10:59 1m "));
}

TEST(ICalendar, AddsFurtherDatesAndPeriods) {
  const ICalendarImport import = Import(
      File(Event("UID:a\nDTSTART;TZID=Europe/Vienna:20260601T220000\nDURATION:PT1H\n"
                 "RDATE;TZID=Europe/Vienna:20260603T220000,20260605T220000\n"
                 "RDATE;VALUE=PERIOD:20260607T200000Z/PT3H,20260608T200000Z/20260608T210000Z\n") +
           Event("UID:b\nDTSTART;VALUE=DATE:20261224\nRDATE;VALUE=DATE:20261226\n")));

  EXPECT_THAT(Recurring(import),
              ElementsAre("2026-06-01 22:00 1h ", "2026-06-03 22:00 1h ", "2026-06-05 22:00 1h ",
                          "2026-06-07 22:00 3h ", "2026-06-08 22:00 1h "));
  EXPECT_THAT(import.spec.dates, ElementsAre("2026-12-24", "2026-12-26"));
}

TEST(ICalendar, SaysWhatItLeavesOutAndWhy) {
  const std::string fine = Event("UID:ok\nDTSTART;VALUE=DATE:20261224\n");
  const auto why = [&](const std::string& lines) {
    const ICalendarImport import = Import(File(fine + Event("UID:x\n" + lines)));
    return import.notes.empty() ? std::string("taken") : import.notes.front().text;
  };
  EXPECT_EQ(why(""), "has no DTSTART");
  EXPECT_EQ(why("DTSTART:20260231\n"), "its DTSTART \"20260231\" is no time of 1970 to 2100");
  EXPECT_EQ(why("DTSTART:20260601T220000\n"), "it has no length");
  EXPECT_EQ(why("DTSTART:20260601T220000\nDTEND:20260601T210000\n"), "it has no length");
  EXPECT_EQ(why("DTSTART:20260601T220000\nDURATION:-PT1H\n"), "its DURATION \"-PT1H\" is none");
  EXPECT_EQ(why("DTSTART:20260601T220000\nDURATION:PT1H\nRRULE:FREQ=SECONDLY\n"),
            "its RRULE: FREQ: SECONDLY would switch more often than an alert is judged; the "
            "shortest is HOURLY, and BYMINUTE names minutes of it");
  EXPECT_EQ(why("DTSTART:20260601T220000\nDURATION:PT1H\nRRULE:FREQ=DAILY\nEXRULE:FREQ=DAILY\n"),
            "it has an EXRULE, which RFC 5545 has no more; write EXDATEs");
  EXPECT_EQ(why("DTSTART:20260601T220000\nDURATION:PT1H\nRRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY\n"),
            "it has more than one RRULE");
  EXPECT_EQ(why("DTSTART:20260601T220000\nDURATION:P32D\nRRULE:FREQ=YEARLY\n"),
            "it recurs, and is longer than 31 days");
  EXPECT_EQ(why("DTSTART;VALUE=DATE:20260601\nRRULE:FREQ=DAILY;COUNT=1\nEXDATE:20260601\n"),
            "every one of its instances is taken out");
  EXPECT_EQ(why("DTSTART:20260602T220000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;BYDAY=MO\n"),
            "its RRULE does not name its DTSTART; taken from 2026-06-08 22:00 on");
  EXPECT_EQ(why("DTSTART:20260602T220000\nDURATION:PT1M\nRRULE:FREQ=HOURLY\n"
                "EXDATE:20260603T000000\n"),
            "EXDATE 20260603T000000 would take out all instances of that day, and is not taken");
  EXPECT_THAT(Notes(Import(File("BEGIN:VTODO\nUID:t\nEND:VTODO\n" + fine))),
              ElementsAre("3 : VTODO is no event"));
}

TEST(ICalendar, HoldsTheLimitsOfACalendar) {
  std::string days, windows;
  for (int i = 0; i < 300; ++i) {
    windows += Event(fmt::format("UID:{}\nDTSTART:2026{:02}{:02}T{:02}0000Z\nDURATION:PT1H\n", i,
                                 i % 12 + 1, i / 12 % 28 + 1, i % 24));
  }
  const ICalendarImport import = Import(File(windows));
  EXPECT_THAT(import.spec.recurring, SizeIs(256));
  EXPECT_THAT(import.notes, SizeIs(44));
  EXPECT_EQ(import.notes.front().text, "a calendar takes at most 256 timed or recurring events");
}

TEST(ICalendar, RefusesWhatIsNoCalendar) {
  EXPECT_EQ(Refusal(""), "line 1: this is no iCalendar file; expected BEGIN:VCALENDAR");
  EXPECT_EQ(Refusal("<html>"), "line 1: this is no iCalendar file; expected BEGIN:VCALENDAR");
  EXPECT_EQ(Refusal("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n"),
            "line 3: the file ends before END:VEVENT");
  EXPECT_EQ(Refusal("BEGIN:VCALENDAR\nEND:VEVENT\n"),
            "line 2: END:VEVENT ends nothing that is open");
  EXPECT_EQ(Refusal(File("")), "the file has no events");
  EXPECT_EQ(Refusal(File(Event("UID:1\n")), "UTC"),
            "none of its 1 events can be taken; line 3: has no DTSTART");
  EXPECT_EQ(Refusal(File(""), "Europe/Wien"),
            "location: the time-zone database has no \"Europe/Wien\"; did you mean "
            "\"Europe/Vienna\"?");
  EXPECT_EQ(Refusal(std::string(1024 * 1024 + 1, 'x')), "1048577 bytes; at most 1048576 are taken");
  std::string many;
  for (int i = 0; i <= 10'000; ++i) many += "BEGIN:VEVENT\nEND:VEVENT\n";
  EXPECT_EQ(Refusal("BEGIN:VCALENDAR\n" + many), "line 20002: more than 10000 events");
}

}  // namespace
}  // namespace tandem::playbook
