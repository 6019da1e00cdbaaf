// `tandem schedule show` and `tandem oncall`: the real program and a playbook's file, no router.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tools/tandem/program.h"

namespace tandem::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Json = nlohmann::json;

constexpr const char* kPlaybook = R"(playbook: 1
tenant: acme
contacts:
  tom-hook: {side: provider, webhook: {url: "https://hooks.example/tom"}}
  eva-phone: {side: provider, webhook: {url: "https://hooks.example/eva"}}
people:
  tom: {side: provider, contacts: [tom-hook]}
  eva: {side: provider, name: "Eva Huber", contacts: [eva-phone]}
teams:
  noc: {side: provider, members: [tom, eva]}
calendars:
  office: {location: Europe/Vienna, intervals: [{weekdays: ["monday:friday"], times: ["08:00-17:00"]}]}
schedules:
  noc-rota:
    team: noc
    time_zone: Europe/Vienna
    layers:
      - {name: week, start: "2026-01-05", rotate: 1w, hand_over: "monday 09:00", people: [tom, eva]}
    overrides:
      - {from: "2026-12-24 09:00", to: "2026-12-27 09:00", person: tom, reason: "Christmas swap"}
  desk:
    team: noc
    time_zone: Europe/Vienna
    layers:
      - {name: day, start: "2026-01-05", rotate: 1d, hand_over: "08:00", people: [eva], only: {calendar: office}}
escalations:
  e: {steps: [{after: 0s, notify: [noc-rota]}]}
rules:
  - {name: rest, owner: noc, handling: autonomous, escalation: e, reason: r}
)";

class SchedulePrograms : public ::testing::Test {
 protected:
  Outcome Run(const std::vector<std::string>& arguments) {
    return RunProgram(arguments, folder_.path(), "");
  }
  // Of `schedule show playbook.yaml NAME --from … --to …`.
  Outcome Show(const std::string& name, const std::string& from, const std::string& to,
               std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"schedule", "show", file_, name, "--from", from, "--to", to});
    return Run(more);
  }

  TemporaryFolder folder_;
  std::string file_ = folder_.Write("playbook.yaml", kPlaybook);
};

TEST_F(SchedulePrograms, ShowShiftsInTheZoneOfTheSchedule) {
  const Outcome outcome = Show("noc-rota", "2026-12-21T08:00:00Z", "2026-12-28T08:00:00Z");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out,
            "noc-rota: team noc (provider), Europe/Vienna\n"
            "\n"
            "FROM                      TO                        FOR  WHO  BY\n"
            "Mon 2026-12-21 09:00 CET  Thu 2026-12-24 09:00 CET   3d  tom  layer week\n"
            "Thu 2026-12-24 09:00 CET  Sun 2026-12-27 09:00 CET   3d  tom  override 1 "
            "(Christmas swap)\n"
            "Sun 2026-12-27 09:00 CET  Mon 2026-12-28 09:00 CET   1d  tom  layer week\n"
            "\n"
            "Somebody is on call all the time.\n");
}

TEST_F(SchedulePrograms, ShowGapsLoudly) {
  const Outcome outcome = Show("desk", "2026-01-05T07:00:00Z", "2026-01-07T07:00:00Z");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("Mon 2026-01-05 08:00 CET  Mon 2026-01-05 17:00 CET"));
  EXPECT_THAT(outcome.out, HasSubstr("eva (Eva Huber)  layer day"));
  EXPECT_THAT(outcome.out, HasSubstr("15h  nobody"));
  EXPECT_THAT(outcome.out, HasSubstr("Nobody is on call in 2 gaps, 1d6h in all.\n"));
}

TEST_F(SchedulePrograms, ShowTheSameAsJson) {
  const Outcome outcome = Show("desk", "2026-01-05T07:00:00Z", "2026-01-06T07:00:00Z", {"--json"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["timeZone"], "Europe/Vienna");
  EXPECT_EQ(json["shifts"],
            Json::parse(R"([{"start": "2026-01-05T07:00:00Z", "end": "2026-01-05T16:00:00Z",
                             "person": "eva", "personName": "Eva Huber", "contact": "eva-phone",
                             "layer": "day"}])"));
  EXPECT_EQ(json["gaps"],
            Json::parse(R"([{"start": "2026-01-05T16:00:00Z", "end": "2026-01-06T07:00:00Z"}])"));
}

TEST_F(SchedulePrograms, ShowTheSameAsACalendarFile) {
  const Outcome outcome =
      Show("noc-rota", "2026-01-06T00:00:00Z", "2026-01-07T00:00:00Z", {"--ics"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, StartsWith("BEGIN:VCALENDAR\r\n"));
  EXPECT_THAT(outcome.out, HasSubstr("DTSTART:20260105T080000Z\r\n"));
  EXPECT_EQ(
      Show("noc-rota", "2026-01-06T00:00:00Z", "2026-01-07T00:00:00Z", {"--ics", "--json"}).code,
      2);
}

TEST_F(SchedulePrograms, NameTheNearestSchedule) {
  const Outcome outcome = Show("noc-rotta", "2026-01-06T00:00:00Z", "2026-01-07T00:00:00Z");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("has no schedule \"noc-rotta\"; did you mean \"noc-rota\"?"));
}

TEST_F(SchedulePrograms, RefuseARangeThatIsNone) {
  const Outcome back = Show("desk", "2026-01-06T00:00:00Z", "2026-01-05T00:00:00Z");
  EXPECT_EQ(back.code, 2);
  EXPECT_THAT(back.err, HasSubstr("--to 2026-01-05T00:00:00Z is not after --from"));
  EXPECT_EQ(Show("desk", "2026-01-06T00:00:00Z", "2028-01-05T00:00:00Z").code, 2);
}

TEST_F(SchedulePrograms, SayWhoIsOnCallAtATime) {
  const Outcome outcome = Run({"oncall", file_, "--at", "2026-12-25T12:00:00Z"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("noc-rota  noc   tom              tom-hook   Sun 2026-12-27 "
                                     "09:00 CET  override 1 (Christmas swap)\n"));
  EXPECT_THAT(outcome.out, HasSubstr("desk      noc   eva (Eva Huber)  eva-phone  Fri 2026-12-25 "
                                     "17:00 CET  layer day\n"));
  const Outcome json = Run({"oncall", file_, "--at", "2026-12-26T12:00:00Z", "--json"});
  const Json list = Json::parse(json.out)["schedules"];
  EXPECT_EQ(list[0]["person"], "tom");
  EXPECT_EQ(list[0]["override"], 1);
  EXPECT_EQ(list[0]["since"], "2026-12-24T08:00:00Z");
  EXPECT_FALSE(list[1].contains("person"));
  EXPECT_EQ(list[1]["until"], "2026-12-28T07:00:00Z");
}

TEST_F(SchedulePrograms, ShowTheMistakesOfAPlaybook) {
  const std::string file = folder_.Write("bad.yaml", "playbook: 1\ntenant: acme\nno_key: 1\n");
  const Outcome outcome = Run({"oncall", file});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("bad.yaml:3:1: error: no_key: there is no such key"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("error")));
}

}  // namespace
}  // namespace tandem::cli
