// People, members of teams and schedules in the text of a playbook.
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

constexpr std::string_view kSource = R"(playbook: 1
tenant: harbor-mfg
contacts:
  noc-desk: {side: provider, webhook: {url: "https://hooks.example/noc"}}
  tom-hook: {side: provider, webhook: {url: "https://hooks.example/tom"}}
  ann-hook: {side: provider, webhook: {url: "https://hooks.example/ann"}}
  eva-phone: {side: customer, webhook: {url: "https://hooks.example/eva"}}
  eva-mail: {side: customer, webhook: {url: "https://hooks.example/eva-mail"}}
people:
  eva: {side: customer, name: "Eva Huber", contacts: [eva-phone, eva-mail]}
  tom: {side: provider, contacts: [tom-hook]}
  ann: {side: provider, contacts: [ann-hook]}
teams:
  noc: {side: provider, contacts: [noc-desk], members: [tom]}
calendars:
  night-hours: {location: Europe/Vienna, intervals: [{times: ["20:00-06:00"]}]}
schedules:
  noc-rota:
    team: noc
    time_zone: Europe/Vienna
    layers:
      - name: week
        start: "2026-01-05"
        rotate: 1w
        hand_over: "monday 09:00"
        people: [tom, ann]
      - name: nights
        start: "2026-01-05"
        rotate: 1d
        hand_over: "20:00"
        people: [ann]
        only: {calendar: night-hours}
    overrides:
      - {from: "2026-12-24 09:00", to: "2026-12-27 09:00", person: ann, reason: "swap"}
      - {from: "2026-12-27 09:00", to: "2026-12-28 09:00", person: tom}
escalations:
  e: {steps: [{after: 0s, notify: [noc-rota, eva, noc]}]}
rules:
  - {name: rest, owner: noc, handling: autonomous, escalation: e, reason: r}
)";

std::vector<std::string> Texts(const Compiled& compiled) {
  std::vector<std::string> texts;
  for (const Finding& finding : compiled.findings) {
    texts.push_back(fmt::format("{}:{}: {}{}", finding.line, finding.column,
                                finding.level == Finding::Level::kWarning ? "warning: " : "",
                                finding.message));
  }
  return texts;
}

// What is found when `from`, which occurs once in kSource, reads `to`.
std::vector<std::string> With(std::string_view from, std::string_view to) {
  std::string source(kSource);
  const std::size_t at = source.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  EXPECT_EQ(source.find(from, at + 1), std::string::npos) << from << " is not unique";
  return Texts(CompilePlaybook(source.replace(at, from.size(), to)));
}

TEST(CompilePeople, TakesWhatTheFileSays) {
  const Compiled compiled = CompilePlaybook(kSource);
  ASSERT_NE(compiled.playbook, nullptr) << ::testing::PrintToString(Texts(compiled));
  EXPECT_THAT(compiled.findings, IsEmpty());
  const Playbook& playbook = *compiled.playbook;
  ASSERT_EQ(playbook.people().size(), 3u);
  EXPECT_EQ(playbook.people()[0].name, "eva");
  EXPECT_EQ(playbook.people()[0].display_name, "Eva Huber");
  EXPECT_EQ(playbook.people()[0].side, Side::kCustomer);
  EXPECT_THAT(playbook.people()[0].contacts, ElementsAre(3, 4));
  EXPECT_THAT(playbook.teams()[0].members, ElementsAre(1));
  const Step& step = playbook.escalations()[0].steps[0];
  EXPECT_THAT(step.teams, ElementsAre(0));
  EXPECT_THAT(step.schedules, ElementsAre(0));
  EXPECT_THAT(step.people, ElementsAre(0));
  const Schedule* schedule = playbook.FindSchedule("noc-rota");
  ASSERT_NE(schedule, nullptr);
  EXPECT_EQ(playbook.FindSchedule("noc"), nullptr);
  EXPECT_EQ(schedule->spec().layers[1].only, playbook.FindCalendar("night-hours"));
  const auto duty = schedule->OnCall(absl::FromUnixSeconds(1'768'000'000));  // a Friday, 00:06
  ASSERT_TRUE(duty.has_value());
  EXPECT_EQ(duty->person, 2u);
  EXPECT_EQ(duty->index, 1u);
}

TEST(CompilePeople, ChecksAPerson) {
  EXPECT_THAT(With("contacts: [eva-phone, eva-mail]", "contacts: []"),
              ElementsAre("10:54: people.eva.contacts: a person needs a contact, or nobody could "
                          "tell her anything"));
  EXPECT_THAT(With(", contacts: [ann-hook]", ""),
              ElementsAre("12:8: people.ann: \"contacts\" is missing; expected her contacts in "
                          "the order in which they are tried"));
  EXPECT_THAT(With("[tom-hook]", "[tim-hook]"),
              ElementsAre("11:36: people.tom.contacts[0]: there is no contact \"tim-hook\"; did "
                          "you mean \"tom-hook\"?"));
  EXPECT_THAT(With("[tom-hook]", "[eva-mail]"),
              ElementsAre("11:36: people.tom.contacts[0]: the contact \"eva-mail\" is of the "
                          "customer, the person of the provider; a person is of one side"));
}

TEST(CompilePeople, ChecksTheMembersOfATeam) {
  EXPECT_THAT(With("members: [tom]", "members: [tim]"),
              ElementsAre("14:57: teams.noc.members[0]: there is no person \"tim\"; did you mean "
                          "\"tom\"?"));
  EXPECT_THAT(With("members: [tom]", "members: [eva]"),
              ElementsAre("14:57: teams.noc.members[0]: the person \"eva\" is of the customer, "
                          "the team of the provider; a team is of one side"));
}

TEST(CompilePeople, HasOneNamespaceForWhatStepsName) {
  EXPECT_THAT(With("teams:\n", "teams:\n  eva: {side: customer, contacts: [eva-mail]}\n"),
              ElementsAre("14:3: teams.eva: \"eva\" is the name of a person too (line 10, column "
                          "3); steps name teams, schedules and people alike, so give one of the "
                          "two another name"));
  EXPECT_THAT(With("  noc-rota:\n", "  noc:\n"),
              ::testing::Contains("18:3: schedules.noc: \"noc\" is the name of a team too (line "
                                  "14, column 3); steps name teams, schedules and people alike, "
                                  "so give one of the two another name"));
  EXPECT_THAT(With("notify: [noc-rota, eva, noc]", "notify: [noc-rotta]"),
              ElementsAre("37:36: escalations.e.steps[0].notify[0]: there is no team, schedule or "
                          "person \"noc-rotta\"; did you mean \"noc-rota\"?"));
}

TEST(CompileSchedules, NamesAZoneThatDoesNotExist) {
  EXPECT_THAT(With("time_zone: Europe/Vienna", "time_zone: Europe/Viena"),
              ElementsAre("20:16: schedules.noc-rota.time_zone: the time-zone database has no "
                          "\"Europe/Viena\"; did you mean \"Europe/Vienna\"?"));
  EXPECT_THAT(With("    time_zone: Europe/Vienna\n", ""),
              ElementsAre("19:5: schedules.noc-rota: \"time_zone\" is missing; expected an IANA "
                          "name such as Europe/Berlin"));
}

TEST(CompileSchedules, ChecksThePeopleOfARotation) {
  EXPECT_THAT(With("people: [tom, ann]", "people: [tom, eva]"),
              ElementsAre("26:23: schedules.noc-rota.layers[0].people[1]: the person \"eva\" is of "
                          "the customer, the schedule of the provider; a schedule is of one "
                          "side"));
  EXPECT_THAT(With("people: [tom, ann]", "people: [tom, anne]"),
              ElementsAre("26:23: schedules.noc-rota.layers[0].people[1]: there is no person "
                          "\"anne\"; did you mean \"ann\"?"));
  EXPECT_THAT(With("people: [tom, ann]", "people: []"),
              ElementsAre("26:17: schedules.noc-rota.layers[0].people: the rotation is empty; name "
                          "at least one person"));
  for (const std::string text : {"~", "nobody"}) {
    EXPECT_THAT(With("people: [tom, ann]", "people: [tom, " + text + "]"),
                ElementsAre("26:23: schedules.noc-rota.layers[0].people[1]: nobody takes no turn; "
                            "for hours without anybody give the layer a calendar: `only: "
                            "{calendar: NAME}`"));
  }
}

TEST(CompileSchedules, ChecksTheRotation) {
  EXPECT_THAT(With("        hand_over: \"monday 09:00\"\n", ""),
              ElementsAre("22:9: schedules.noc-rota.layers[0]: \"hand_over\" is missing; expected "
                          "when the next person takes over, such as \"monday 09:00\""));
  EXPECT_THAT(With("rotate: 1w", "rotate: 0w"),
              ElementsAre("24:17: schedules.noc-rota.layers[0].rotate: \"0w\" would never hand "
                          "over; expected 1w to 26w"));
  EXPECT_THAT(With("name: nights", "name: week"),
              ElementsAre("27:15: schedules.noc-rota.layers[1].name: another layer is called "
                          "\"week\" too"));
  EXPECT_THAT(With("calendar: night-hours", "calendar: night-hour"),
              ElementsAre("32:26: schedules.noc-rota.layers[1].only.calendar: there is no calendar "
                          "\"night-hour\"; did you mean \"night-hours\"?"));
}

TEST(CompileSchedules, ChecksOverrides) {
  EXPECT_THAT(With("to: \"2026-12-27 09:00\"", "to: \"2026-12-24 09:00\""),
              ElementsAre("34:40: schedules.noc-rota.overrides[0].to: the end \"2026-12-24 "
                          "09:00\" is not after the start \"2026-12-24 09:00\""));
  EXPECT_THAT(With("from: \"2026-12-27 09:00\"", "from: \"2026-12-27 08:59\""),
              ElementsAre("35:9: schedules.noc-rota.overrides[1]: overlaps overrides[0], "
                          "2026-12-24 09:00 to 2026-12-27 09:00; at most one person is on call"));
  EXPECT_THAT(With("from: \"2026-12-24 09:00\"", "from: \"24.12.2026\""),
              ElementsAre("34:16: schedules.noc-rota.overrides[0].from: \"24.12.2026\" is not a "
                          "local time; expected a form such as \"2026-12-24 09:00\""));
  EXPECT_THAT(With("person: tom}", "person: eva}"),
              ElementsAre("35:68: schedules.noc-rota.overrides[1].person: the person \"eva\" is "
                          "of the customer, the schedule of the provider; a schedule is of one "
                          "side"));
}

TEST(CompileSchedules, TellsAllMistakesOfAScheduleAtOnce) {
  const auto texts = With("    layers:\n", "    layer:\n");
  EXPECT_THAT(texts, ElementsAre("19:5: schedules.noc-rota: \"layers\" is missing; expected a list "
                                 "of layers; a later one covers those before it",
                                 "21:5: schedules.noc-rota.layer: there is no such key; did you "
                                 "mean \"layers\"?"));
  std::string source(kSource);
  const auto put = [&source](std::string_view from, std::string_view to) {
    source.replace(source.find(from), from.size(), to);
  };
  put("time_zone: Europe/Vienna", "time_zone: Vienna/Europe");
  put("rotate: 1w", "rotate: weekly");
  put("hand_over: \"20:00\"", "hand_over: 8pm");
  put("[ann]", "[annn]");
  EXPECT_THAT(Texts(CompilePlaybook(source)),
              ElementsAre(HasSubstr("20:16: "), HasSubstr("24:17: "), HasSubstr("30:20: "),
                          HasSubstr("31:18: ")));
}

TEST(CompileSchedules, CountsAnOwnerWhoIsOnCallAsTold) {
  EXPECT_THAT(With("notify: [noc-rota, eva, noc]", "notify: [noc-rota]"), IsEmpty());
  EXPECT_THAT(With("notify: [noc-rota, eva, noc]", "notify: [tom]"), IsEmpty());
  EXPECT_THAT(With("notify: [noc-rota, eva, noc]", "notify: [eva]"),
              ElementsAre("39:64: warning: rules[0].escalation: no step of \"e\" tells the owner "
                          "\"noc\""));
}

TEST(CompileSchedules, WarnsOfAStepWhosePeopleAreAllAtPlainHttp) {
  std::string source(kSource);
  for (const char* host : {"https://hooks.example/tom", "https://hooks.example/ann"}) {
    const std::string url = host;
    source.replace(source.find(url), url.size(), "http://" + url.substr(8));
  }
  const std::string notify = "notify: [noc-rota, eva, noc]";
  source.replace(source.find(notify), notify.size(), "notify: [noc-rota]");
  EXPECT_THAT(Texts(CompilePlaybook(source)),
              ::testing::Contains("37:35: warning: escalations.e.steps[0].notify: every contact of "
                                  "this step is at plain http, which a notifier refuses unless "
                                  "notifier.allow_http is set"));
}

}  // namespace
}  // namespace tandem::playbook
