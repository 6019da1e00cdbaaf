// What people see: tables, pages, explanations, feed lines, errors. Golden texts, because the look
// is the contract.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "router/base/status.h"
#include "tools/tandem/age.h"
#include "tools/tandem/context_view.h"
#include "tools/tandem/doctor.h"
#include "tools/tandem/doctor_probes.h"
#include "tools/tandem/explain_view.h"
#include "tools/tandem/failure.h"
#include "tools/tandem/feed_view.h"
#include "tools/tandem/finding_view.h"
#include "tools/tandem/incident_view.h"
#include "tools/tandem/json.h"
#include "tools/tandem/table.h"

namespace tandem::cli {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'795'442'400);  // Mon 2026-11-23 14:00:00 UTC

Look Plain(std::size_t columns = 0) {
  return {.colour = false, .columns = columns, .now = kNow, .zone = absl::UTCTimeZone()};
}

v1::Incident MesIncident() {
  v1::Incident incident;
  incident.set_name("tenants/acme/incidents/12");
  incident.set_state(v1::OPEN);
  incident.set_severity(v1::CRITICAL);
  incident.set_title("MES of plant 7 does not answer");
  incident.set_owner_team("plant-it");
  incident.set_owner_side(v1::CUSTOMER);
  incident.set_handling(v1::NEEDS_DECISION);
  incident.set_rule("mes-in-production");
  incident.set_playbook_digest("0123456789abcdef0123456789abcdef");
  incident.set_firing_alerts(3);
  incident.set_total_alerts(5);
  incident.set_steps_taken(1);
  *incident.mutable_open_time() = ToStamp(kNow - absl::Minutes(7));
  *incident.mutable_next_step_time() = ToStamp(kNow + absl::Minutes(8));
  v1::Label& label = *incident.add_group_labels();
  label.set_name("site");
  label.set_value("plant-7");
  return incident;
}

v1::Incident DiskIncident() {
  v1::Incident incident;
  incident.set_name("tenants/globex/incidents/4");
  incident.set_state(v1::RESOLVED);
  incident.set_severity(v1::WARNING);
  incident.set_title("Disk of web-3 is 91 % full");
  incident.set_owner_team("noc");
  incident.set_owner_side(v1::PROVIDER);
  incident.set_total_alerts(1);
  *incident.mutable_open_time() = ToStamp(kNow - absl::Hours(50));
  return incident;
}

TEST(IncidentTable, HasALineForEachIncident) {
  const std::vector<v1::Incident> incidents = {MesIncident(), DiskIncident()};

  EXPECT_EQ(
      IncidentTable(incidents, Plain()),
      "INCIDENT  SEVERITY    STATE     OWNER               AGE  FIRINGS  TITLE\n"
      "acme/12   ▲ critical  open      customer/plant-it    7m      3/5  MES of plant 7 does "
      "not answer\n"
      "globex/4  ◆ warning   resolved  provider/noc       2d2h      0/1  Disk of web-3 is 91 % "
      "full\n");
}

TEST(IncidentTable, CutsTheTitleOnANarrowTerminal) {
  const std::vector<v1::Incident> incidents = {MesIncident()};

  EXPECT_EQ(IncidentTable(incidents, Plain(80)),
            "INCIDENT  SEVERITY    STATE  OWNER              AGE  FIRINGS  TITLE\n"
            "acme/12   ▲ critical  open   customer/plant-it   7m      3/5  MES of plant 7 do…\n");
}

TEST(IncidentTable, GivesTheTitleALineOfItsOwnWhereItWouldBeCutTooShort) {
  const std::vector<v1::Incident> incidents = {MesIncident(), DiskIncident()};

  EXPECT_EQ(IncidentTable(incidents, Plain(80)),
            "INCIDENT  SEVERITY    STATE     OWNER               AGE  FIRINGS\n"
            "  TITLE\n"
            "acme/12   ▲ critical  open      customer/plant-it    7m      3/5\n"
            "  MES of plant 7 does not answer\n"
            "globex/4  ◆ warning   resolved  provider/noc       2d2h      0/1\n"
            "  Disk of web-3 is 91 % full\n");
}

TEST(IncidentTable, RunsOverNoLineOfSixtyColumns) {
  const std::vector<v1::Incident> incidents = {MesIncident(), DiskIncident()};

  EXPECT_EQ(IncidentTable(incidents, Plain(60)),
            "INCIDENT  SEVERITY    STATE     OWNER           AGE  FIRINGS\n"
            "  TITLE\n"
            "acme/12   ▲ critical  open      customer/pla…    7m      3/5\n"
            "  MES of plant 7 does not answer\n"
            "globex/4  ◆ warning   resolved  provider/noc   2d2h      0/1\n"
            "  Disk of web-3 is 91 % full\n");
}

TEST(IncidentTable, SaysThatThereIsNothing) {
  EXPECT_EQ(IncidentTable({}, Plain()), "No incidents.\n");
}

TEST(IncidentTable, ColoursWordsButNotTheirWidth) {
  Look look = Plain();
  look.colour = true;
  const std::vector<v1::Incident> incidents = {MesIncident()};

  const std::string text = IncidentTable(incidents, look);

  EXPECT_NE(text.find("\x1b[1;31m▲ critical\x1b[0m  \x1b[1mopen\x1b[0m"), std::string::npos)
      << text;
}

TEST(Table, NeutralisesWhatCouldMoveTheCursor) {
  Table table({{"A"}, {"B"}});
  table.Row({{"x\x1b[2Jy"}, {"two\nlines"}});

  EXPECT_EQ(table.Text(Plain()),
            "A          B\n"
            "x\\x1b[2Jy  two\\x0alines\n");
}

TEST(Table, CountsCodePointsNotBytes) {
  Table table({{"NAME"}, {"N", true}});
  table.Row({{"Köln"}, {"1"}});
  table.Row({{"Wien-Süd"}, {"22"}});

  EXPECT_EQ(table.Text(Plain()),
            "NAME       N\n"
            "Köln       1\n"
            "Wien-Süd  22\n");
}

TEST(SpanText, ShowsTwoUnitsAtMost) {
  EXPECT_EQ(SpanText(absl::Milliseconds(900)), "now");
  EXPECT_EQ(SpanText(absl::Seconds(59)), "59s");
  EXPECT_EQ(SpanText(absl::Seconds(119)), "1m");
  EXPECT_EQ(SpanText(absl::Minutes(192)), "3h12m");
  EXPECT_EQ(SpanText(absl::Hours(48)), "2d");
  EXPECT_EQ(SpanText(-absl::Hours(52)), "2d4h");
  EXPECT_EQ(SpanText(absl::Hours(24 * 70)), "10w");
}

TEST(AgeText, KnowsBeforeAndAfter) {
  EXPECT_EQ(AgeText(Plain(), kNow - absl::Minutes(7)), "7m ago");
  EXPECT_EQ(AgeText(Plain(), kNow + absl::Minutes(7)), "in 7m");
  EXPECT_EQ(AgeText(Plain(), kNow), "now");
}

TEST(ClockText, LeavesOutTheDayOnlyToday) {
  EXPECT_EQ(ClockText(Plain(), kNow), "14:00:00");
  EXPECT_EQ(ClockText(Plain(), kNow - absl::Hours(24)), "Nov 22 14:00:00");
  EXPECT_EQ(ClockText(Plain(), kNow - absl::Hours(24 * 365)), "2025-11-23 14:00:00");
}

TEST(IncidentPage, ShowsFactsTimelineAndAlerts) {
  IncidentPage page{.incident = MesIncident()};
  v1::TimelineEntry& opened = page.timeline.emplace_back();
  opened.set_kind("OPENED");
  opened.set_text("opened by rule mes-in-production");
  *opened.mutable_time() = ToStamp(kNow - absl::Minutes(7));
  v1::TimelineEntry& noted = page.timeline.emplace_back();
  noted.set_text("ana noted");
  noted.set_comment("restarting \x1b[31mnow");
  noted.mutable_actor()->set_principal("ana");
  noted.mutable_actor()->set_side(v1::CUSTOMER);
  *noted.mutable_time() = ToStamp(kNow - absl::Minutes(2));
  v1::IncidentAlert& alert = page.alerts.emplace_back();
  alert.set_fingerprint("00c0ffee00c0ffee");
  alert.set_state(v1::FIRING);
  *alert.mutable_starts_at() = ToStamp(kNow - absl::Minutes(7));
  v1::Label& label = *alert.add_labels();
  label.set_name("service");
  label.set_value("mes");

  EXPECT_EQ(IncidentPageText(page, Plain()),
            "acme/12  MES of plant 7 does not answer\n"
            "  severity    ▲ critical\n"
            "  state       open\n"
            "  owner       customer / plant-it\n"
            "  handling    needs_decision\n"
            "  rule        mes-in-production, playbook 0123456789ab\n"
            "  opened      Mon 2026-11-23 13:53:00 UTC (7m ago)\n"
            "  alerts      3 firing now, fired 5 times in all\n"
            "  escalation  1 step taken, next Mon 2026-11-23 14:08:00 UTC (in 8m)\n"
            "  group       site=\"plant-7\"\n"
            "\n"
            "Timeline\n"
            "  13:53:00  opened by rule mes-in-production\n"
            "  13:58:00  ana noted  — ana (customer)\n"
            "            “restarting \\x1b[31mnow”\n"
            "\n"
            "Alerts\n"
            "STATE    SINCE  FINGERPRINT       LABELS\n"
            "firing  7m ago  00c0ffee00c0ffee  service=\"mes\"\n");
}

TEST(Fitted, BreaksAtBlanksWithAHangingIndentOnATerminalAlone) {
  const std::string text = "  state  one two three four\nshort\n";

  EXPECT_EQ(Fitted(Plain(20), text, 7), "  state  one two\n         three four\nshort\n");
  EXPECT_EQ(Fitted(Plain(), text, 7), text);
  EXPECT_EQ(Fitted(Plain(12), "  abcdefghijklmnop qr\n", 2), "  abcdefghijklmnop\n    qr\n");
}

TEST(Fitted, GivesColourNoRoom) {
  Look look = Plain(10);
  look.colour = true;
  const std::string word = Painted(look, Tint::kRed, "12345");

  EXPECT_EQ(Fitted(look, word + " 6789\n", 2), word + " 6789\n");
  EXPECT_EQ(Fitted(look, word + " 67890\n", 2), word + "\n  67890\n");
}

// The widest line, in code points.
std::size_t WidthOf(const std::string& text) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    width = std::max(width, CodePoints(text.substr(at, text.find('\n', at) - at)));
  }
  return width;
}

TEST(IncidentPage, StaysWithinANarrowTerminal) {
  IncidentPage page{.incident = MesIncident()};
  page.incident.set_state(v1::ACKNOWLEDGED);
  page.incident.set_title("MES of plant 7 does not answer, and neither does the one beside it");
  page.incident.mutable_acknowledged_by()->set_principal("ana");
  page.incident.mutable_acknowledged_by()->set_side(v1::CUSTOMER);
  *page.incident.mutable_acknowledge_expire_time() = ToStamp(kNow + absl::Minutes(30));
  v1::TimelineEntry& noted = page.timeline.emplace_back();
  noted.set_text("ana (customer) works on it, until 2026-11-23T14:30:00Z unless renewed");
  noted.set_comment("the fan of the rack stands still and the spare one is not where it should be");
  noted.mutable_actor()->set_principal("ana");
  noted.mutable_actor()->set_side(v1::CUSTOMER);
  *noted.mutable_time() = ToStamp(kNow);

  const std::string narrow = IncidentPageText(page, Plain(60));

  EXPECT_LE(WidthOf(narrow), 60u) << narrow;
  EXPECT_NE(narrow.find("  14:00:00  ana (customer) works on it, until\n"
                        "            2026-11-23T14:30:00Z unless renewed"),
            std::string::npos)
      << narrow;
  EXPECT_LE(WidthOf(IncidentLine(page.incident, Plain(60))), 60u);
  EXPECT_GT(WidthOf(IncidentPageText(page, Plain())), 80u) << "a pipe gets whole lines";
}

v1::Explanation MesExplanation() {
  v1::Explanation explanation;
  *explanation.mutable_incident() = MesIncident();
  explanation.set_sequence(4711);
  *explanation.mutable_time() = ToStamp(kNow - absl::Minutes(7));
  explanation.set_playbook_digest("0123456789abcdef0123456789abcdef");
  explanation.set_reason("During production the plant decides: a restart stops the line.");
  explanation.set_context_version(88);
  explanation.mutable_context_age()->set_seconds(2);
  v1::Label& label = *explanation.mutable_alert()->add_labels();
  label.set_name("service");
  label.set_value("mes");
  v1::EntityFacts& site = *explanation.add_entities();
  site.set_name("tenants/acme/entities/site/plant-7");
  site.set_bound_by("label site=\"plant-7\"");
  (*site.mutable_attributes())["kind"] = "factory";
  (*site.mutable_attributes())["criticality"] = "high";
  v1::CalendarState& production = *explanation.add_calendars();
  production.set_calendar("site.production");
  production.set_on(true);
  production.set_local_time("Mon 07:53 America/Chicago");
  v1::CalendarState& freeze = *explanation.add_calendars();
  freeze.set_calendar("freeze");
  freeze.set_local_time("Mon 13:53 UTC");
  v1::RuleVerdict& hospital = *explanation.add_rules();
  hospital.set_rule("hospital-devices");
  hospital.set_line(40);
  hospital.set_failed_condition("site.kind=\"hospital\" (is \"factory\")");
  v1::RuleVerdict& mes = *explanation.add_rules();
  mes.set_rule("mes-in-production");
  mes.set_line(52);
  mes.set_matched(true);
  explanation.set_verified(true);
  return explanation;
}

TEST(ExplanationText, AnswersFirstAndThenGivesTheEvidence) {
  EXPECT_EQ(ExplanationText(MesExplanation(), Plain()),
            "acme/12  ▲ critical  MES of plant 7 does not answer\n"
            "\n"
            "  → plant-it leads (customer) and waits: the other side decides.\n"
            "  Rule mes-in-production, line 52 of playbook 0123456789ab\n"
            "  “During production the plant decides: a restart stops the line.”\n"
            "  Decided Mon 2026-11-23 13:53:00 UTC (7m ago), position 4711 of the history\n"
            "\n"
            "The alert\n"
            "  service=\"mes\"\n"
            "\n"
            "What was known of the environment\n"
            "  context version 88, last heard from 2s before\n"
            "  site/plant-7  by label site=\"plant-7\"\n"
            "    criticality=high  kind=factory\n"
            "\n"
            "Calendars\n"
            "  site.production  on   Mon 07:53 America/Chicago\n"
            "  freeze           off  Mon 13:53 UTC\n"
            "\n"
            "Rules, in the order of the playbook\n"
            "  ✗ hospital-devices  line 40\n"
            "      site.kind=\"hospital\" (is \"factory\")\n"
            "  ✓ mes-in-production  line 52  ← matched\n"
            "\n"
            "✓ Derived again from the history: it gives the recorded outcome.\n");
}

TEST(ExplanationText, StaysWithinANarrowTerminalAndBreaksNothingInAPipe) {
  v1::Explanation explanation = MesExplanation();
  const std::string reason = explanation.reason() + " " + explanation.reason();
  explanation.set_reason(reason);

  EXPECT_LE(WidthOf(ExplanationText(explanation, Plain(50))), 50u)
      << ExplanationText(explanation, Plain(50));
  EXPECT_NE(ExplanationText(explanation, Plain()).find(reason), std::string::npos);
}

TEST(ExplanationText, WarnsOfOldContextGapsAndADefect) {
  v1::Explanation explanation = MesExplanation();
  explanation.mutable_context_age()->set_seconds(3 * 3600);
  explanation.add_context_gaps("service.criticality");
  explanation.set_verified(false);

  const std::string text = ExplanationText(explanation, Plain());

  EXPECT_NE(text.find("! old: last heard from 3h before"), std::string::npos) << text;
  EXPECT_NE(text.find("! service.criticality is missing"), std::string::npos) << text;
  EXPECT_NE(text.find("ANOTHER outcome"), std::string::npos) << text;
}

v1::FeedEvent MesEvent() {
  v1::FeedEvent event;
  event.set_tenant("acme");
  *event.mutable_time() = ToStamp(kNow - absl::Minutes(7));
  *event.mutable_incident() = MesIncident();
  event.add_entries()->set_text("opened by rule mes-in-production");
  v1::TimelineEntry& planned = *event.add_entries();
  planned.set_kind("DELIVERY_PLANNED");
  planned.set_text("webhook to plant-it planned");
  return event;
}

TEST(ExplanationText, SaysThatTheContextWasNeverHeardSinceTheStart) {
  v1::Explanation explanation;
  explanation.set_context_version(41);
  *explanation.mutable_context_unheard_since() = ToStamp(kNow - absl::Minutes(2));
  explanation.mutable_context_age()->set_seconds(60);

  const std::string text = ExplanationText(explanation, Plain());

  EXPECT_NE(text.find("  ! context never heard since start at Mon 2026-11-23 13:58:00 UTC"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("last known version 41"), std::string::npos) << text;
  EXPECT_EQ(text.find("last heard from"), std::string::npos) << text;
}

TEST(FeedLine, SaysWhenWhatWhoAndWhatHappened) {
  EXPECT_EQ(
      FeedLine(MesEvent(), Plain()),
      "13:53:00  acme/12     ▲ critical  open          customer/plant-it  MES of plant 7 does "
      "not answer  opened by rule mes-in-production\n");
}

TEST(FeedLine, CutsTheTitleFirst) {
  EXPECT_EQ(FeedLine(MesEvent(), Plain(110)),
            "13:53:00  acme/12     ▲ critical  open          customer/plant-it  MES of plant 7 …  "
            "opened by rule mes-in-production\n");
}

TEST(FeedLine, TellsOfDeliveriesWhenNothingElseHappened) {
  v1::FeedEvent event = MesEvent();
  event.mutable_entries()->DeleteSubrange(0, 1);

  EXPECT_EQ(WhatHappened(event), "webhook to plant-it planned");
}

TEST(RenderFailure, SaysWhatWhereWhyAndWhatToDo) {
  absl::Status status = Error(absl::StatusCode::kInvalidArgument, "INVALID_FILTER", "bad filter");
  status = AddField(status, {"filter", "unknown key \"stat\"; did you mean state?"});
  status = AddRetry(status, absl::Seconds(2));
  status = AddFact(status, kFactCall, "Incidents/ListIncidents");
  status = AddFact(status, kFactAddress, "127.0.0.1:7443");
  status = AddFact(status, kFactRequestId, "01HX");

  EXPECT_EQ(RenderFailure(status, Plain()),
            "tandem: bad filter\n"
            "  where:      Incidents/ListIncidents at 127.0.0.1:7443\n"
            "  reason:     INVALID_FILTER (INVALID_ARGUMENT)\n"
            "  field:      filter: unknown key \"stat\"; did you mean state?\n"
            "  retry in:   2s\n"
            "  request id: 01HX\n");
}

TEST(RenderFailure, NeutralisesTheMessageOfARemoteServer) {
  const absl::Status status = Error(absl::StatusCode::kUnavailable, "UNREACHABLE", "gone\x1b[2J");

  EXPECT_EQ(RenderFailure(status, Plain()),
            "tandem: gone\\x1b[2J\n"
            "  reason:     UNREACHABLE (UNAVAILABLE)\n"
            "  what to do: check --address and that tandemd runs; `tandem doctor` looks closer\n");
}

TEST(FindingsText, PointsAtTheColumn) {
  v1::PlaybookFinding finding;
  finding.set_level(v1::PlaybookFinding::ERROR);
  finding.set_line(2);
  finding.set_column(10);
  finding.set_message("unknown team \"nok\"; did you mean \"noc\"?");

  EXPECT_EQ(FindingsText("p.yaml", "rules:\n  owner: nok\n", std::span(&finding, 1), Plain()),
            "p.yaml:2:10: error: unknown team \"nok\"; did you mean \"noc\"?\n"
            "    2 |   owner: nok\n"
            "                 ^\n"
            "1 error, 0 warnings\n");
}

v1::WhoAmIResponse AnaWithTokenFor(absl::Duration left) {
  v1::WhoAmIResponse me;
  me.mutable_principal()->set_id("ana");
  me.mutable_principal()->set_side(v1::CUSTOMER);
  me.mutable_principal()->set_role(v1::RESPONDER);
  me.set_token_id("tdm_abc");
  *me.mutable_token_expire_time() = ToStamp(kNow + left);
  return me;
}

TEST(TokenCheck, WarnsFromFourteenDaysBeforeTheEndOn) {
  EXPECT_EQ(TokenCheck(AnaWithTokenFor(absl::Hours(14 * 24)), Plain()).level, Check::Level::kGood);
  const Check soon = TokenCheck(AnaWithTokenFor(absl::Hours(14 * 24) - absl::Seconds(1)), Plain());
  EXPECT_EQ(soon.level, Check::Level::kNotice);
  EXPECT_NE(soon.found.find("ana (responder of the customer side), valid until Mon 2026-12-07"),
            std::string::npos)
      << soon.found;
  EXPECT_NE(soon.advice.find("tandem admin token create ana"), std::string::npos) << soon.advice;
}

TEST(TokenCheck, SaysThatATokenNeverExpires) {
  v1::WhoAmIResponse me = AnaWithTokenFor(absl::ZeroDuration());
  me.clear_token_expire_time();
  EXPECT_EQ(TokenCheck(me, Plain()).found, "ana (responder of the customer side), never expires");
}

TEST(CheckText, PutsTheAdviceBelow) {
  EXPECT_EQ(CheckText({Check::Level::kBad, "playbook", "acme: none is active",
                       "tandem playbook activate FILE"},
                      Plain()),
            "✗ playbook    acme: none is active\n"
            "              → tandem playbook activate FILE\n");
}

TEST(JsonText, WritesTheKeysOfAMapInTheirOrder) {
  v1::Entity entity;
  std::string expected;
  for (int i = 10; i < 40; ++i) {
    (*entity.mutable_attributes())[fmt::format("a{}", i)] = "x";
    expected += fmt::format("{}\"a{}\":\"x\"", expected.empty() ? "" : ",", i);
  }

  const std::string json = JsonText(entity, JsonShape::kOneLine);

  EXPECT_NE(json.find("\"attributes\":{" + expected + "}"), std::string::npos) << json;
}

TEST(JsonText, EscapesWhatCouldForgeALine) {
  v1::Incident incident;
  incident.set_title("a\u202E\u2066\x1b");

  const std::string json = JsonText(incident, JsonShape::kOneLine);

  EXPECT_NE(json.find("a\\u202e\\u2066\\u001b"), std::string::npos) << json;
}

}  // namespace
}  // namespace tandem::cli
