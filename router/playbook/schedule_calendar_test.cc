#include "router/playbook/schedule_calendar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "router/playbook/parse.h"

namespace tandem::playbook {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kSource = R"(playbook: 1
tenant: harbor-mfg
contacts:
  hook: {side: provider, webhook: {url: "https://hooks.example/noc"}}
people:
  eva: {side: provider, name: "Eva; Huber, née Straßmaier-Österreicher, Leitung Netzbetrieb Österreich-Süd", contacts: [hook]}
  tom: {side: provider, contacts: [hook]}
teams:
  noc: {side: provider, members: [eva, tom]}
schedules:
  rota:
    team: noc
    time_zone: Europe/Vienna
    layers:
      - {name: week, start: "2026-01-05", rotate: 1w, hand_over: "monday 09:00", people: [tom, eva]}
    overrides:
      - {from: "2026-01-20 09:00", to: "2026-01-21 09:00", person: eva, reason: 'a\b'}
  alone:
    team: noc
    time_zone: UTC
    layers:
      - {name: all, start: "2026-01-01", rotate: 1d, hand_over: "00:00", people: [tom]}
escalations:
  e: {steps: [{after: 0s, notify: [rota]}]}
rules:
  - {name: rest, owner: noc, handling: autonomous, escalation: e, reason: r}
)";

absl::Time Utc(int month, int day, int hour = 0) {
  return absl::FromCivil(absl::CivilHour(2026, month, day, hour), absl::UTCTimeZone());
}

std::string Export(const std::string& name, absl::Time from, absl::Time to) {
  const auto playbook = CompilePlaybook(kSource).playbook;
  if (playbook == nullptr) return "";
  return ScheduleToICalendar(*playbook, *playbook->FindSchedule(name),
                             {.range = {from, to}, .stamp = Utc(1, 1, 12)});
}

TEST(ScheduleToICalendar, WritesOneEventForEachShift) {
  EXPECT_EQ(Export("rota", Utc(1, 6), Utc(1, 7)),
            "BEGIN:VCALENDAR\r\n"
            "VERSION:2.0\r\n"
            "PRODID:-//Tandem//On-call schedule//EN\r\n"
            "CALSCALE:GREGORIAN\r\n"
            "X-WR-CALNAME:rota\r\n"
            "BEGIN:VEVENT\r\n"
            "UID:20260105T080000Z.layer-week.rota@harbor-mfg\r\n"
            "DTSTAMP:20260101T120000Z\r\n"
            "DTSTART:20260105T080000Z\r\n"
            "DTEND:20260112T080000Z\r\n"
            "SUMMARY:tom is on call\r\n"
            "DESCRIPTION:tom by rota\\, layer week\r\n"
            "TRANSP:TRANSPARENT\r\n"
            "END:VEVENT\r\n"
            "END:VCALENDAR\r\n");
}

TEST(ScheduleToICalendar, GivesAShiftTheSameIdInEveryRange) {
  const std::string_view event =
      "UID:20260119T080000Z.layer-week.rota@harbor-mfg\r\n"
      "DTSTAMP:20260101T120000Z\r\n"
      "DTSTART:20260119T080000Z\r\n"
      "DTEND:20260120T080000Z\r\n";
  EXPECT_THAT(Export("rota", Utc(1, 1), Utc(2, 1)), HasSubstr(std::string(event)));
  EXPECT_THAT(Export("rota", Utc(1, 20), Utc(1, 20, 3)), HasSubstr(std::string(event)));
}

TEST(ScheduleToICalendar, CutsAShiftWithoutEndAtTheEndOfTheRange) {
  const std::string text = Export("alone", Utc(3, 1), Utc(4, 1));
  EXPECT_THAT(text, HasSubstr("DTSTART:20260101T000000Z\r\nDTEND:20260401T000000Z\r\n"));
}

TEST(ScheduleToICalendar, OfARangeWithoutShiftsHasNoEvent) {
  EXPECT_THAT(Export("rota", Utc(1, 1), Utc(1, 2)), Not(HasSubstr("VEVENT")));
}

TEST(ScheduleToICalendar, EscapesTextAndFoldsLinesAtSeventyFiveOctets) {
  const std::string text = Export("rota", Utc(1, 20, 9), Utc(1, 20, 10));
  std::string unfolded;
  std::size_t folds = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find("\r\n", at);
    ASSERT_NE(end, std::string::npos) << "every line ends with CRLF";
    std::string line = text.substr(at, end - at);
    EXPECT_LE(line.size(), 75u) << line;
    EXPECT_EQ(line.find_first_of("\r\n"), std::string::npos) << line;
    if (line.starts_with(' ')) {
      ++folds;
      EXPECT_NE(static_cast<unsigned char>(line[1]) & 0xC0, 0x80) << "cut within a character";
      line.erase(0, 1);
    } else if (at > 0) {
      unfolded += '\n';
    }
    unfolded += line;
    at = end + 2;
  }
  EXPECT_GE(folds, 1u);
  EXPECT_THAT(unfolded,
              HasSubstr("\nSUMMARY:Eva\\; Huber\\, née Straßmaier-Österreicher\\, Leitung "
                        "Netzbetrieb Österreich-Süd is on call\n"));
  EXPECT_THAT(unfolded, HasSubstr("\nDESCRIPTION:eva by rota\\, override 1 (a\\\\b)\n"));
  EXPECT_THAT(unfolded, HasSubstr("\nUID:20260120T080000Z.override.rota@harbor-mfg\n"));
}

}  // namespace
}  // namespace tandem::playbook
