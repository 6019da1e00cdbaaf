// The calendars of a playbook: how they are written, and how they name each other.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "router/playbook/parse.h"

namespace tandem::playbook {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The calendars begin in line 9.
Compiled With(std::string_view calendars) {
  return CompilePlaybook(fmt::format(R"(playbook: 1
tenant: t
contacts: {{c: {{side: provider, webhook: {{url: "https://hooks.example/c"}}}}}}
teams: {{noc: {{side: provider, contacts: [c]}}}}
escalations: {{e: {{steps: [{{after: 0s, notify: [noc]}}]}}}}
rules:
  - {{name: rest, owner: noc, handling: autonomous, escalation: e, reason: All of it.}}
calendars:
{})",
                                     calendars));
}

std::vector<std::string> Findings(std::string_view calendars) {
  std::vector<std::string> texts;
  for (const Finding& finding : With(calendars).findings) {
    texts.push_back(fmt::format("{}:{}: {}{}", finding.line, finding.column,
                                finding.level == Finding::Level::kWarning ? "warning: " : "",
                                finding.message));
  }
  return texts;
}

absl::Time At(std::string_view text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime("%Y-%m-%d %H:%M", std::string(text), &time, &error)) << error;
  return time;
}

TEST(PlaybookCalendars, TakeAllThatACalendarCanSay) {
  const Compiled compiled = With(R"(
  bank-quiet:
    any_of: [year-end, quarter-end]
    except: [holidays]
  winter-freeze: {location: Europe/Vienna, intervals: [{months: ["november:february"]}]}
  holidays: {location: Europe/Vienna, dates: ["2026-12-24", "2026-12-31:2027-01-02"]}
  year-end: {location: Europe/Vienna, dates: ["2026-12-20:2027-01-10"]}
  quarter-end: {location: America/Chicago, intervals: [{days_of_month: ["28:3"], months: ["march:april"]}]}
  patch-night:
    location: America/Chicago
    recurring:
      - {start: "2026-01-13 22:00", duration: 4h, rule: "FREQ=MONTHLY;BYDAY=2TU", exceptions: ["2026-11-10"]}
    exceptions: ["2026-12-08"]
)");
  ASSERT_NE(compiled.playbook, nullptr) << compiled.findings[0].message;
  EXPECT_THAT(compiled.findings, IsEmpty());

  const Calendar& quiet = *compiled.playbook->FindCalendar("bank-quiet");
  EXPECT_FALSE(quiet.IsOn(At("2026-12-19 22:59")));
  EXPECT_TRUE(quiet.IsOn(At("2026-12-19 23:00")));
  EXPECT_FALSE(quiet.IsOn(At("2026-12-24 12:00")));
  EXPECT_EQ(quiet.NextChange(At("2026-12-20 12:00")), At("2026-12-23 23:00"));
  EXPECT_EQ(quiet.NextChange(At("2026-12-23 23:00")), At("2026-12-24 23:00"));
  // Each keeps its own zone: midnight in Chicago.
  EXPECT_EQ(quiet.NextChange(At("2027-02-01 00:00")), At("2027-03-01 06:00"));
  EXPECT_EQ(quiet.LocalTime(At("2026-12-20 12:00")), "Sun 13:00 Europe/Vienna");

  const Calendar& patch = *compiled.playbook->FindCalendar("patch-night");
  EXPECT_EQ(patch.NextChange(At("2026-11-01 00:00")), At("2027-01-13 04:00"));
}

TEST(PlaybookCalendars, WithoutAreOnWhenTheirOwnTimesAreAndTheOthersAreNot) {
  const Compiled compiled = With(R"(
  work: {intervals: [{times: ["08:00-16:00"]}], except: [lunch]}
  lunch: {intervals: [{times: ["12:00-13:00"]}]}
)");
  ASSERT_NE(compiled.playbook, nullptr) << compiled.findings[0].message;
  const Calendar& work = *compiled.playbook->FindCalendar("work");

  EXPECT_EQ(work.NextChange(At("2026-06-01 00:00")), At("2026-06-01 08:00"));
  EXPECT_EQ(work.NextChange(At("2026-06-01 08:00")), At("2026-06-01 12:00"));
  EXPECT_EQ(work.NextChange(At("2026-06-01 12:00")), At("2026-06-01 13:00"));
  EXPECT_EQ(work.NextChange(At("2026-06-01 13:00")), At("2026-06-01 16:00"));
  EXPECT_EQ(work.NextChange(absl::InfiniteFuture()), std::nullopt);
}

TEST(PlaybookCalendars, NeverNameEachOtherInACircle) {
  EXPECT_THAT(
      Findings(R"(  a: {any_of: [b]}
  b: {any_of: [d], except: [c]}
  c: {any_of: [d, a]}
  d: {intervals: [{times: ["08:00-16:00"]}]}
)"),
      ElementsAre("11:19: calendars.c.any_of[1]: calendars name each other in a circle: a names b "
                  "(9:16), b names c (10:29), c names a (11:19); take one of these names out"));
  EXPECT_THAT(Findings("  a: {any_of: [a]}\n"),
              ElementsAre("9:16: calendars.a.any_of[0]: calendars name each other in a circle: a "
                          "names a (9:16); take one of these names out"));
}

TEST(PlaybookCalendars, NameOnlyWhatThereIsAndOnlyOnce) {
  EXPECT_THAT(
      Findings(R"(  a: {any_of: [workk, work, work], except: [work]}
  work: {intervals: [{times: ["08:00-16:00"]}]}
  none: {any_of: []}
)"),
      ElementsAre("9:16: calendars.a.any_of[0]: there is no calendar \"workk\"; did you mean "
                  "\"work\"?",
                  "9:29: calendars.a.any_of[2]: \"work\" stands twice in this list",
                  "9:45: calendars.a.except[0]: \"work\" is in any_of too, where it would never "
                  "count",
                  "11:18: calendars.none.any_of: an empty list of calendars; leave it out, or name "
                  "one"));
}

TEST(PlaybookCalendars, AreAtMostEightDeepAndAskAtMostAThousand) {
  std::string deep = "  c1: {intervals: [{times: [\"08:00-16:00\"]}]}\n";
  for (int i = 2; i <= 8; ++i) deep += fmt::format("  c{}: {{any_of: [c{}]}}\n", i, i - 1);
  EXPECT_THAT(Findings(deep), IsEmpty());
  EXPECT_THAT(Findings(deep + "  c9: {except: [c8], dates: [\"2026-12-24\"]}\n"),
              ElementsAre("17:17: calendars.c9.except[0]: calendars within calendars are 9 deep "
                          "here; at most 8 are taken"));

  std::string wide, names;
  for (int i = 0; i < 11; ++i) {
    wide += fmt::format("  a{}: {{intervals: [{{times: [\"08:00-16:00\"]}}]}}\n", i);
    names += fmt::format("{}a{}", i == 0 ? "" : ", ", i);
  }
  std::string row;
  for (int i = 0; i < 11; ++i) {
    wide += fmt::format("  b{}: {{any_of: [{}]}}\n", i, names);
    row += fmt::format("{}b{}", i == 0 ? "" : ", ", i);
  }
  std::string top;
  for (int i = 0; i < 8; ++i) {
    wide += fmt::format("  d{}: {{any_of: [{}]}}\n", i, row);
    top += fmt::format("{}d{}", i == 0 ? "" : ", ", i);
  }
  EXPECT_THAT(Findings(wide), IsEmpty());
  EXPECT_THAT(Findings(wide + fmt::format("  e: {{any_of: [{}]}}\n", top)),
              ElementsAre(HasSubstr("more than 1000 calendars would be asked in all")));
}

TEST(PlaybookCalendars, PointAtEachMistake) {
  EXPECT_THAT(
      Findings(R"(  patch:
    locations: UTC
    recurring:
      - {start: "2026-01-13 24:00", duration: 0m, rule: "FREQ=MONTHLY;BYDAY=2TX"}
      - {start: "2026-01-13 22:00", rul: x}
    dates: ["2026-02-31"]
  never: {}
  list: [a]
)"),
      ElementsAre(
          "10:5: calendars.patch.locations: there is no such key; did you mean \"location\"?",
          "13:9: calendars.patch.recurring[1]: \"duration\" is missing; expected how long each one "
          "is, such as 4h",
          "13:37: calendars.patch.recurring[1].rul: there is no such key; did you mean \"rule\"?",
          HasSubstr("15:10: calendars.never: nothing says when this calendar is on"),
          HasSubstr("16:9: calendars.list: expected a map")));
  EXPECT_THAT(
      Findings(R"(  patch:
    recurring:
      - {start: "2026-01-13 24:00", duration: 0m, rule: "FREQ=MONTHLY;BYDAY=2TX"}
      - {start: "2026-01-13 22:00", duration: 5m, rule: "FREQ=HOURLY"}
    dates: ["2026-12-24", "2026-02-31"]
)"),
      ElementsAre(
          "11:17: calendars.patch.recurring[0].start: \"2026-01-13 24:00\" starts at 24:00, which "
          "can only be an end; start at 00:00 of the next day",
          "11:47: calendars.patch.recurring[0].duration: \"0m\" is out of bounds; expected 1m to "
          "31d",
          "11:57: calendars.patch.recurring[0].rule: BYDAY: \"2TX\" is not a weekday; expected MO, "
          "TU, WE, TH, FR, SA or SU",
          "13:27: calendars.patch.dates[1]: there is no day \"2026-02-31\"; that month has 28 "
          "days"));
  EXPECT_THAT(Findings("  h: {recurring: [{start: \"2026-01-13 22:00\", duration: 5m, rule: "
                       "\"FREQ=HOURLY\"}]}\n"),
              ElementsAre(HasSubstr("9:67: warning: calendars.h.recurring[0].rule: the rule is "
                                    "known for 20000 occurrences")));
}

}  // namespace
}  // namespace tandem::playbook
