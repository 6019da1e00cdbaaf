#include "router/playbook/parse.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "router/playbook/digest.h"

namespace tandem::playbook {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kSource = R"(playbook: 1
tenant: harbor-mfg
defaults: {group_by: [alertname, site], group_wait: 20s, if_missing: skip}
contacts:
  noc-desk: {side: provider, webhook: {url: "https://hooks.example/noc", secret: noc-webhook}}
  plant-desk: {side: customer, webhook: {url: "https://hooks.example/plant"}}
teams:
  noc: {side: provider, contacts: [noc-desk]}
  plant-it: {side: customer, contacts: [plant-desk]}
calendars:
  holidays: {location: America/Chicago, intervals: [{months: [december], days_of_month: ["25"]}]}
escalations:
  noc-first: {steps: [{after: 0s, notify: [noc]}, {after: 10m, notify: [plant-it, noc]}], repeat: 2}
last_resort: plant-desk
rules:
  - name: mes-in-production
    match: ['service="mes"', 'site.kind="factory"']
    when: {in: [site.production], not_in: [holidays]}
    owner: plant-it
    handling: needs_decision
    escalation: noc-first
    group_by: [site, service]
    resolve_wait: 1m30s
    if_missing: match
    severity: critical
    runbook: https://wiki.example/mes
    reason: Stopping MES stops the line.
  - {name: rest, owner: noc, handling: autonomous, escalation: noc-first, reason: The NOC begins.}
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

TEST(CompilePlaybook, TakesWhatTheFileSays) {
  const Compiled compiled = CompilePlaybook(kSource);
  ASSERT_NE(compiled.playbook, nullptr) << ::testing::PrintToString(Texts(compiled));
  EXPECT_THAT(compiled.findings, IsEmpty());
  const Playbook& playbook = *compiled.playbook;

  EXPECT_EQ(playbook.tenant(), "harbor-mfg");
  EXPECT_EQ(playbook.source(), kSource);
  ASSERT_EQ(playbook.contacts().size(), 2u);
  EXPECT_EQ(playbook.contacts()[0].side, Side::kProvider);
  EXPECT_EQ(playbook.contacts()[0].channel, "webhook");
  EXPECT_EQ(playbook.contacts()[0].address, "https://hooks.example/noc");
  EXPECT_EQ(playbook.contacts()[0].secret_name, "noc-webhook");
  EXPECT_THAT(playbook.teams()[1].contacts, ElementsAre(1));
  EXPECT_NE(playbook.FindCalendar("holidays"), nullptr);
  EXPECT_EQ(playbook.FindCalendar("holiday"), nullptr);
  const Escalation& escalation = playbook.escalations()[0];
  EXPECT_EQ(escalation.repeat, 2u);
  EXPECT_EQ(escalation.steps[1].after, absl::Minutes(10));
  EXPECT_THAT(escalation.steps[1].teams, ElementsAre(1, 0));
  EXPECT_EQ(playbook.last_resort(), 1u);
}

TEST(CompilePlaybook, LetsARuleOverrideTheDefaults) {
  const auto playbook = CompilePlaybook(kSource).playbook;
  ASSERT_NE(playbook, nullptr);
  const Rule& rule = playbook->rules()[0];
  EXPECT_EQ(rule.line, 16u);
  EXPECT_THAT(rule.group_by, ElementsAre("service", "site"));
  EXPECT_EQ(rule.group_wait, absl::Seconds(20));
  EXPECT_EQ(rule.resolve_wait, absl::Seconds(90));
  EXPECT_EQ(rule.reopen_within, absl::Minutes(15));
  EXPECT_EQ(rule.ack_expires, absl::Hours(1));
  EXPECT_EQ(rule.if_missing, IfMissing::kMatch);
  EXPECT_EQ(rule.severity, Severity::kCritical);
  EXPECT_EQ(rule.runbook, "https://wiki.example/mes");
  EXPECT_EQ(rule.when.size(), 2u);
  EXPECT_EQ(rule.handling, Handling::kNeedsDecision);
  const Rule& rest = playbook->rules()[1];
  EXPECT_THAT(rest.group_by, ElementsAre("alertname", "site"));
  EXPECT_EQ(rest.if_missing, IfMissing::kSkip);
  EXPECT_EQ(rest.severity, std::nullopt);
}

TEST(CompilePlaybook, IsNamedByTheDigestOfItsBytes) {
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(CompilePlaybook(kSource).playbook->digest(), Sha256Hex(kSource));
}

TEST(CompilePlaybook, TellsAllMistakesAtOnceByLine) {
  EXPECT_THAT(
      Texts(CompilePlaybook("playbook: 2\nrules:\n  - {name: a b, owner: x}\nteamz: {}\n")),
      ElementsAre("1:1: \"tenant\" is missing; expected the tenant's id",
                  "1:11: playbook: \"2\" is not a version of the language that this program "
                  "reads; expected 1",
                  "3:5: rules[0]: \"handling\" is missing; expected autonomous, needs_input or "
                  "needs_decision",
                  "3:5: rules[0]: \"escalation\" is missing; expected who is told, and when",
                  "3:5: rules[0]: \"reason\" is missing; expected a sentence that says why",
                  "3:12: rules[0].name: \"a b\" is not a name; expected letters, digits, - and "
                  "_, at most 64 bytes",
                  "3:24: rules[0].owner: there is no team \"x\"",
                  "4:1: teamz: there is no such key; did you mean \"teams\"?"));
}

TEST(CompilePlaybook, IsAMap) {
  EXPECT_THAT(Texts(CompilePlaybook("- a\n")),
              ElementsAre("1:1: expected a map (`key: value`), found a list"));
  EXPECT_THAT(Texts(CompilePlaybook("hello\n")),
              ElementsAre("1:1: expected a map (`key: value`), found a text"));
}

TEST(CompilePlaybook, ChecksTheTenant) {
  EXPECT_THAT(
      With("tenant: harbor-mfg", "tenant: Harbor"),
      ElementsAre("2:9: tenant: \"Harbor\" is not a tenant's id; expected a-z, 0-9 and -, at "
                  "most 63 bytes"));
  EXPECT_THAT(With("tenant: harbor-mfg", "tenant: null"),
              ElementsAre("2:9: tenant: expected a text, found nothing"));
}

TEST(CompilePlaybook, ChecksContacts) {
  EXPECT_THAT(
      With("plant-desk: {side: customer,", "plant-desk: {side: custumer,"),
      ElementsAre("6:22: contacts.plant-desk.side: \"custumer\" is not known here; expected "
                  "provider or customer; did you mean \"customer\"?"));
  EXPECT_THAT(
      With("\"https://hooks.example/plant\"", "hooks.example/plant"),
      ElementsAre("6:47: contacts.plant-desk.webhook.url: \"hooks.example/plant\" is not a URL; "
                  "expected https://HOST/PATH"));
  EXPECT_THAT(With("https://hooks.example/plant", "https://me:pw@hooks.example/plant"),
              ElementsAre("6:47: contacts.plant-desk.webhook.url: a URL here holds no user and no "
                          "password; name a `secret` instead"));
  EXPECT_THAT(
      With("https://hooks.example/plant", "https://hooks.example/a b"),
      ElementsAre("6:47: contacts.plant-desk.webhook.url: \"https://hooks.example/a b\" has a "
                  "character that no URL has; write it as %XX"));
  EXPECT_THAT(With("plant-desk: {side: customer, webhook: {url: \"https://hooks.example/plant\"}}",
                   "plant-desk: {side: customer, email: {}}"),
              ElementsAre("6:15: contacts.plant-desk: \"webhook\" is missing; expected a channel: "
                          "`webhook: {url: https://…, secret: NAME}`",
                          "6:32: contacts.plant-desk.email: there is no such key; expected side or "
                          "webhook"));
}

TEST(CompilePlaybook, ChecksTeams) {
  EXPECT_THAT(
      With("contacts: [plant-desk]", "contacts: [plan-desk]"),
      ElementsAre("9:41: teams.plant-it.contacts[0]: there is no contact \"plan-desk\"; did you "
                  "mean \"plant-desk\"?"));
  EXPECT_THAT(
      With("contacts: [plant-desk]", "contacts: [plant-desk, plant-desk]"),
      ElementsAre("9:53: teams.plant-it.contacts[1]: \"plant-desk\" stands twice in this list"));
  EXPECT_THAT(With("contacts: [plant-desk]", "contacts: [plant-desk, noc-desk]"),
              ElementsAre("9:53: teams.plant-it.contacts[1]: the contact \"noc-desk\" is of the "
                          "provider, the team of the customer; a team is of one side"));
  EXPECT_THAT(
      With("{side: customer, contacts: [plant-desk]}", "{side: customer}"),
      ElementsAre(
          "9:13: warning: teams.plant-it: the team has neither contacts nor members: nobody is "
          "told, and steps that name only it are passed over"));
  EXPECT_THAT(
      With("contacts: [plant-desk]", "contacts: plant-desk"),
      ElementsAre(
          "9:13: warning: teams.plant-it: the team has neither contacts nor members: nobody is "
          "told, and steps that name only it are passed over",
          "9:40: teams.plant-it.contacts: expected a list (`[a, b]`), found a text"));
}

TEST(CompilePlaybook, ChecksCalendars) {
  EXPECT_THAT(With("America/Chicago", "America/Chicagoo"),
              ElementsAre("11:24: calendars.holidays.location: the time-zone database has no "
                          "\"America/Chicagoo\"; did you mean \"America/Chicago\"?"));
  EXPECT_THAT(
      With("months: [december]", "times: [\"25:00-26:00\"]"),
      ElementsAre("11:62: calendars.holidays.intervals[0].times[0]: \"25:00\" in "
                  "\"25:00-26:00\" is not a time of day; expected two digits each, from 00:00 "
                  "to 24:00"));
  EXPECT_THAT(
      With("months: [december], days_of_month: [\"25\"]", ""),
      ElementsAre("11:53: calendars.holidays.intervals[0]: an interval that says nothing would "
                  "always hold; give times, weekdays, days_of_month, months or years"));
  EXPECT_THAT(
      With("months: [december]", "months: []"),
      ElementsAre("11:62: calendars.holidays.intervals[0].months: an empty list would never "
                  "hold; leave it out, or say when"));
  EXPECT_THAT(
      With("months: [december]", "weekday: [monday]"),
      ElementsAre("11:54: calendars.holidays.intervals[0].weekday: there is no such key; did "
                  "you mean \"weekdays\"?"));
}

TEST(CompilePlaybook, ChecksEscalations) {
  EXPECT_THAT(
      With("after: 10m", "after: 10"),
      ElementsAre("13:59: escalations.noc-first.steps[1].after: \"10\" has no unit; write 10s "
                  "for seconds or 10m for minutes"));
  EXPECT_THAT(
      With("after: 10m", "after: soon"),
      ElementsAre("13:59: escalations.noc-first.steps[1].after: \"soon\" is not a duration; "
                  "expected a form such as 30s, 10m, 1h30m or 2d"));
  EXPECT_THAT(
      With("after: 10m", "after: 0s"),
      ElementsAre("13:59: escalations.noc-first.steps[1].after: steps rise in time, and the one "
                  "before comes after 0s; each counts from the opening"));
  EXPECT_THAT(With("after: 10m", "after: 31d"),
              ElementsAre("13:59: escalations.noc-first.steps[1].after: \"31d\" is out of bounds; "
                          "expected 0s to 30d"));
  EXPECT_THAT(
      With("notify: [plant-it, noc]", "notify: [plan-it, noc]"),
      ElementsAre("13:73: escalations.noc-first.steps[1].notify[0]: there is no team, schedule "
                  "or person \"plan-it\"; did you mean \"plant-it\"?"));
  EXPECT_THAT(With("notify: [plant-it, noc]", "notify: []"),
              ElementsAre("13:72: escalations.noc-first.steps[1].notify: a step tells at least one "
                          "team, schedule or person"));
  EXPECT_THAT(
      With("repeat: 2", "repeat: 010"),
      ElementsAre("13:99: escalations.noc-first.repeat: \"010\" is not a number from 0 to 100 "
                  "(write it without a leading 0)"));
  EXPECT_THAT(
      With("repeat: 2", "repeat: twice"),
      ElementsAre("13:99: escalations.noc-first.repeat: \"twice\" is not a number from 0 to "
                  "100"));
  EXPECT_THAT(
      With("steps: [{after: 0s, notify: [noc]}, {after: 10m, notify: [plant-it, noc]}]",
           "steps: []"),
      ElementsAre("13:22: escalations.noc-first.steps: an escalation needs a step: {after: 0s, "
                  "notify: [TEAM]}"));
  EXPECT_THAT(With("last_resort: plant-desk", "last_resort: plant-it"),
              ElementsAre("14:14: last_resort: there is no contact \"plant-it\""));
}

TEST(CompilePlaybook, ChecksDefaults) {
  EXPECT_THAT(
      With("if_missing: skip", "if_missing: skipp"),
      ElementsAre("3:70: defaults.if_missing: \"skipp\" is not known here; expected needs_input, "
                  "skip or match; did you mean \"skip\"?"));
  EXPECT_THAT(
      With("group_wait: 20s", "group_wait: 20"),
      ElementsAre("3:53: defaults.group_wait: \"20\" has no unit; write 20s for seconds or 20m "
                  "for minutes"));
  EXPECT_THAT(
      With("[alertname, site]", "[alertname, alertname, a-b, ...]"),
      ElementsAre("3:34: defaults.group_by[1]: \"alertname\" stands twice in this list",
                  "3:45: defaults.group_by[2]: \"a-b\" is not a label's name; expected letters, "
                  "digits and _, not beginning with a digit",
                  "3:50: defaults.group_by[3]: \"...\" means every label and stands alone"));
}

TEST(CompilePlaybook, ChecksWhatARuleAsks) {
  EXPECT_THAT(With("'service=\"mes\"'", "'service'"),
              ElementsAre("17:13: rules[0].match[0]: \"service\" has no operator; expected "
                          "NAME=\"VALUE\" with one of = != =~ !~"));
  EXPECT_THAT(
      With("'site.kind=\"factory\"'", "'sites.kind=\"factory\"'"),
      ElementsAre("17:30: rules[0].match[1]: \"sites.kind\" asks a \"sites\", which is no kind "
                  "of entity; expected site, service, device or application; did you mean "
                  "\"site\"?"));
  EXPECT_THAT(
      With("not_in: [holidays]", "not_in: [holiday]"),
      ElementsAre("18:44: rules[0].when.not_in[0]: there is no calendar \"holiday\"; did you "
                  "mean \"holidays\"?"));
  EXPECT_THAT(
      With("site.production", "sites.production"),
      ElementsAre("18:17: rules[0].when.in[0]: \"sites.production\" asks a calendar of a "
                  "\"sites\", which is no kind of entity; expected site, service, device or "
                  "application; did you mean \"site\"?"));
  EXPECT_THAT(
      With("site.production", "site."),
      ElementsAre("18:17: rules[0].when.in[0]: \"\" is not a name; expected letters, digits, - "
                  "and _, at most 64 bytes"));
  EXPECT_THAT(
      With("not_in: [holidays]", "unless: [holidays]"),
      ElementsAre("18:35: rules[0].when.unless: there is no such key; expected in or not_in"));
  EXPECT_THAT(
      With("not_in: [holidays]", "not_in: []"),
      ElementsAre("18:43: rules[0].when.not_in: an empty list of calendars; leave it out, or "
                  "name one"));
  EXPECT_THAT(With("match: ['service=\"mes\"', 'site.kind=\"factory\"']", "match: service=mes"),
              ElementsAre("17:12: rules[0].match: expected a list (`[a, b]`), found a text"));
}

TEST(CompilePlaybook, ChecksWhatARuleSays) {
  EXPECT_THAT(With("    owner: plant-it\n", ""),
              ElementsAre("16:5: rules[0]: \"owner\" is missing; expected the team that leads"));
  EXPECT_THAT(With("owner: plant-it", "owner: plantit"),
              ElementsAre("19:12: rules[0].owner: there is no team \"plantit\"; did you mean "
                          "\"plant-it\"?"));
  EXPECT_THAT(With("handling: needs_decision", "handling: need_decision"),
              ElementsAre("20:15: rules[0].handling: \"need_decision\" is not known here; expected "
                          "autonomous, needs_input or needs_decision; did you mean "
                          "\"needs_decision\"?"));
  EXPECT_THAT(
      With("escalation: noc-first\n    group", "escalation: noc-frist\n    group"),
      ElementsAre("21:17: rules[0].escalation: there is no escalation \"noc-frist\"; did you "
                  "mean \"noc-first\"?"));
  EXPECT_THAT(With("severity: critical", "severity: sev1"),
              ElementsAre("25:15: rules[0].severity: \"sev1\" is not known here; expected info, "
                          "warning, major or critical"));
  EXPECT_THAT(
      With("    reason: Stopping MES stops the line.\n", ""),
      ElementsAre("16:5: rules[0]: \"reason\" is missing; expected a sentence that says why"));
  EXPECT_THAT(With("reason: Stopping MES stops the line.", "reason: ''"),
              ElementsAre("27:13: rules[0].reason: expected a text, found an empty one"));
  EXPECT_THAT(
      With("resolve_wait: 1m30s", "resolve_wait: 25h"),
      ElementsAre("23:19: rules[0].resolve_wait: \"25h\" is out of bounds; expected 0s to 1d"));
  EXPECT_THAT(With("runbook: https://wiki.example/mes", "runbook: the blue folder"),
              ElementsAre("26:14: rules[0].runbook: \"the blue folder\" is not a URL; expected "
                          "https://HOST/PATH"));
  EXPECT_THAT(With("{name: rest,", "{name: mes-in-production,"),
              ElementsAre("28:12: rules[1].name: another rule is called \"mes-in-production\" too; "
                          "reports need names that differ"));
  EXPECT_THAT(
      With("severity: critical", "serverity: critical"),
      ElementsAre("25:5: rules[0].serverity: there is no such key; did you mean \"severity\"?"));
}

TEST(CompilePlaybook, WarnsOfAStepThatNobodyHears) {
  EXPECT_THAT(
      With("{side: customer, contacts: [plant-desk]}", "{side: customer, contacts: []}"),
      ElementsAre(
          "9:13: warning: teams.plant-it: the team has neither contacts nor members: nobody is "
          "told, and steps that name only it are passed over"));
  std::string source(kSource);
  source.replace(source.find("notify: [plant-it, noc]"), 23, "notify: [plant-it]");
  source.replace(source.find("contacts: [plant-desk]}"), 23, "contacts: []}");
  EXPECT_THAT(
      Texts(CompilePlaybook(source)),
      ::testing::Contains("13:72: warning: escalations.noc-first.steps[1].notify: no team of this "
                          "step has a contact: nobody is told, and the next step follows at once"));
}

TEST(CompilePlaybook, WarnsOfPlainHttpBeyondThisMachine) {
  constexpr std::string_view kPlain =
      "plain http shows incidents to whoever is on the way, and a notifier refuses it unless "
      "notifier.allow_http is set; expected https://HOST/PATH";
  const auto warnings = [](const std::string& url) {
    std::string source(kSource);
    const std::size_t at = source.find("https://");
    source.replace(at, source.find('"', at) - at, url);
    return Texts(CompilePlaybook(source));
  };
  for (const char* url : {"http://127.0.0.1:8080/hook", "http://localhost/hook",
                          "http://[::1]:80/hook", "https://hooks.example/a"}) {
    EXPECT_THAT(warnings(url), IsEmpty()) << url;
  }
  for (const char* url : {"http://hooks.example/a", "http://127.0.0.1.example/a",
                          "http://localhost.example/", "http://10.0.0.7/a"}) {
    EXPECT_THAT(warnings(url), ::testing::Contains(::testing::HasSubstr(kPlain))) << url;
  }
}

TEST(CompilePlaybook, SaysWhereASecretStands) {
  const Compiled compiled = CompilePlaybook(kSource);
  ASSERT_NE(compiled.playbook, nullptr);
  const Contact& contact = compiled.playbook->contacts()[0];

  ASSERT_FALSE(contact.secret_name.empty());
  std::string_view line = kSource;
  for (std::uint32_t i = 1; i < contact.secret_line; ++i) line = line.substr(line.find('\n') + 1);
  EXPECT_TRUE(line.substr(contact.secret_column - 1).starts_with(contact.secret_name));
}

TEST(CompilePlaybook, WarnsWhenTheOwnerIsNeverTold) {
  EXPECT_THAT(With("notify: [plant-it, noc]", "notify: [noc]"),
              ElementsAre("21:17: warning: rules[0].escalation: no step of \"noc-first\" tells the "
                          "owner \"plant-it\""));
}

TEST(CompilePlaybook, WantsOneCatchAllAtTheEnd) {
  EXPECT_THAT(
      With("{name: rest, owner", "{name: rest, match: ['a=b'], owner"),
      ElementsAre("28:5: rules[1]: the last rule must take every alert that is left; add at the "
                  "end: - {name: everything-else, owner: noc, handling: needs_input, "
                  "escalation: noc-first, reason: \"No other rule fits.\"}"));
  EXPECT_THAT(
      With("    match: ['service=\"mes\"', 'site.kind=\"factory\"']\n    when: {in: "
           "[site.production], "
           "not_in: [holidays]}\n",
           ""),
      ElementsAre(
          "26:5: rules[1]: never reached: the rule on line 16 takes every alert; move that one "
          "to the end, or give it conditions"));
  EXPECT_THAT(
      Texts(CompilePlaybook("playbook: 1\ntenant: a\nrules: []\n")),
      ElementsAre("3:8: rules: a playbook needs a rule; the last takes every alert that is left"));
}

}  // namespace
}  // namespace tandem::playbook
