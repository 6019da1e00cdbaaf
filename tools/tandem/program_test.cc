// The real program against a router of its own: what it prints, what it sends, how it ends.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "tools/tandem/fake_router.h"
#include "tools/tandem/program.h"

namespace tandem::cli {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class Program : public ::testing::Test {
 protected:
  Outcome Run(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), {"--address", router_.address()});
    return RunProgram(arguments, folder_.path(), input);
  }

  static v1::Incident MakeIncident(int number, v1::Severity severity) {
    v1::Incident incident;
    incident.set_name(fmt::format("tenants/acme/incidents/{}", number));
    incident.set_state(v1::OPEN);
    incident.set_severity(severity);
    incident.set_title(fmt::format("Line {} stands still", number));
    incident.set_owner_side(v1::CUSTOMER);
    incident.set_owner_team("plant-it");
    incident.mutable_open_time()->set_seconds(1'790'000'000);
    return incident;
  }

  static v1::FeedEvent MakeEvent(int number) {
    v1::FeedEvent event;
    event.set_tenant("acme");
    *event.mutable_incident() = MakeIncident(number, v1::MAJOR);
    event.mutable_time()->set_seconds(1'790'000'000 + number);
    v1::TimelineEntry& entry = *event.add_entries();
    entry.set_kind("OPENED");
    entry.set_text(fmt::format("opened by rule line-{}", number));
    return event;
  }

  FakeRouter router_;
  TemporaryFolder folder_;
};

TEST_F(Program, SendsAnAlertWithItsLabelsAndToken) {
  const Outcome outcome =
      Run({"--token", "tdm_secret", "alert", "send", "--tenant", "acme", "-l", "alertname=Down",
           "-l", "severity=critical", "-a", "summary=Line 3 stands still", "--resolve"});

  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("accepted"));
  const Seen seen = router_.seen();
  ASSERT_THAT(seen.pushes, SizeIs(1));
  EXPECT_EQ(seen.pushes[0].parent(), "tenants/acme");
  ASSERT_EQ(seen.pushes[0].batch().alerts_size(), 1);
  EXPECT_EQ(seen.pushes[0].batch().alerts(0).labels(1).value(), "critical");
  EXPECT_TRUE(seen.pushes[0].batch().alerts(0).has_ends_at());
  EXPECT_THAT(seen.tokens, Each("Bearer tdm_secret"));
}

TEST_F(Program, SaysWhyAnAlertIsRefusedAndEndsWithOne) {
  const Outcome outcome = Run({"alert", "send", "-l", "severity=refuse-me"});

  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("refused: labels[0].value: it is refused by this test "
                                     "(LABEL_VALUE_TOO_LONG)"));
}

TEST_F(Program, TakesTheTokenOfALocalInstallationByItself) {
  folder_.Write("data/admin.token", "tdm_local\n");

  EXPECT_EQ(Run({"whoami"}).code, 0);

  EXPECT_THAT(router_.seen().tokens, Each("Bearer tdm_local"));
}

TEST_F(Program, ListsEveryPageAsOneJsonObject) {
  for (int i = 1; i <= 5; ++i) router_.incidents.push_back(MakeIncident(i, v1::CRITICAL));

  const Outcome outcome = Run(
      {"incident", "list", "--json", "--tenant", "acme", "--state", "open", "--severity", "major"});

  EXPECT_EQ(outcome.code, 0) << outcome.err;
  v1::ListIncidentsResponse list;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(outcome.out, &list).ok()) << outcome.out;
  EXPECT_EQ(list.incidents_size(), 5);
  EXPECT_EQ(router_.seen().lists[0].filter(), "state=open,severity>=major");
  EXPECT_EQ(router_.seen().lists[0].parent(), "tenants/acme");
}

TEST_F(Program, ListsWithoutColourIntoAPipeAndNeutralisesControlCharacters) {
  v1::Incident incident = MakeIncident(1, v1::CRITICAL);
  incident.set_title("harmless\x1b]0;owned\x07");
  router_.incidents.push_back(incident);

  const Outcome outcome = Run({"incident", "list"});

  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("▲ critical"), HasSubstr("harmless\\x1b]0;owned\\x07"),
                                 Not(HasSubstr("\x1b"))));
}

TEST_F(Program, AcknowledgesByAShortName) {
  router_.incidents.push_back(MakeIncident(12, v1::MAJOR));

  const Outcome outcome = Run({"incident", "ack", "acme/12", "-m", "on my way", "--for", "30m"});

  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("acme/12  acknowledged by ana (customer)"));
  const Seen seen = router_.seen();
  ASSERT_THAT(seen.acknowledgements, SizeIs(1));
  EXPECT_EQ(seen.acknowledgements[0].name(), "tenants/acme/incidents/12");
  EXPECT_EQ(seen.acknowledgements[0].comment(), "on my way");
  EXPECT_EQ(seen.acknowledgements[0].expires_in().seconds(), 1800);
  EXPECT_THAT(seen.acknowledgements[0].request_id(), SizeIs(36));
}

TEST_F(Program, SaysThatAnAcknowledgementHoldsLessLongThanWasAskedFor) {
  router_.incidents.push_back(MakeIncident(12, v1::MAJOR));

  EXPECT_THAT(Run({"incident", "ack", "acme/12", "--for", "5h"}).out,
              HasSubstr("--for 5h is longer than it holds: the rule allows at most 1h"));
  EXPECT_THAT(Run({"incident", "ack", "acme/12", "--for", "1h"}).out, Not(HasSubstr("allows")));
  EXPECT_THAT(Run({"incident", "ack", "acme/12", "--for", "5h", "--json"}).out,
              HasSubstr("\"acknowledgeLimit\": \"3600s\""));
}

TEST_F(Program, ShowsARefusalWithReasonPlaceAndRequestId) {
  const Outcome outcome = Run({"incident", "ack", "99", "--tenant", "acme"});

  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(
      outcome.err,
      AllOf(HasSubstr("tandem: no such incident"), HasSubstr("INCIDENT_NOT_FOUND (NOT_FOUND)"),
            HasSubstr("Incidents/AcknowledgeIncident at 127.0.0.1:"), HasSubstr("req-1")));
}

TEST_F(Program, ShowsARefusalAsJsonWhenAskedTo) {
  const Outcome outcome = Run({"incident", "ack", "99", "--tenant", "acme", "--json"});

  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.out, "");
  google::protobuf::Struct error;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(outcome.err, &error).ok());
  EXPECT_EQ(error.fields().at("message").string_value(), "no such incident");
}

TEST_F(Program, FollowsTheFeedOverInterruptionsWithoutGapOrRepeat) {
  for (int i = 1; i <= 5; ++i) router_.events.push_back(MakeEvent(i));
  router_.cut_after = 2;

  const Outcome outcome = Run({"feed", "--from-beginning", "--count", "5"});

  EXPECT_EQ(outcome.code, 0) << outcome.err;
  std::string::size_type at = 0;
  for (int i = 1; i <= 5; ++i) {
    const auto found = outcome.out.find(fmt::format("opened by rule line-{}", i), at);
    ASSERT_NE(found, std::string::npos) << i << "\n" << outcome.out;
    at = found;
  }
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 5);
  EXPECT_THAT(outcome.err, HasSubstr("feed interrupted"));
  const Seen seen = router_.seen();
  ASSERT_THAT(seen.subscriptions, SizeIs(3));
  EXPECT_TRUE(seen.subscriptions[0].from_beginning());
  EXPECT_EQ(seen.subscriptions[1].cursor(), "c2");
  EXPECT_FALSE(seen.subscriptions[1].from_beginning());
  EXPECT_EQ(seen.subscriptions[2].cursor(), "c4");
}

TEST_F(Program, WritesTheFeedAsOneJsonObjectALine) {
  router_.events = {MakeEvent(1), MakeEvent(2)};

  const Outcome outcome = Run({"feed", "--json", "--cursor", "c1", "--count", "1"});

  EXPECT_EQ(outcome.code, 0) << outcome.err;
  v1::FeedEvent event;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(outcome.out, &event).ok());
  EXPECT_EQ(event.cursor(), "c2");
}

TEST_F(Program, StreamsAFileOverABrokenStreamWithoutLossOrDouble) {
  std::string lines;
  for (int i = 0; i < 7; ++i) {
    lines += fmt::format(R"({{"labels":{{"alertname":"Down","line":"{}"}}}})"
                         "\n",
                         i);
  }
  const std::string file = folder_.Write("alerts.jsonl", lines);
  router_.break_stream_after = 1;

  const Outcome outcome = Run({"alert", "stream", file, "--batch", "2", "--client-id", "test"});

  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("7 accepted, 0 refused, 0 unreadable"));
  const Seen seen = router_.seen();
  EXPECT_EQ(seen.streams, 2);
  ASSERT_THAT(seen.batches, SizeIs(4));
  int alerts = 0;
  for (const auto& batch : seen.batches) alerts += batch.alerts_size();
  EXPECT_EQ(alerts, 7);
}

TEST_F(Program, StreamsFromAPipeAndNamesTheLinesThatAreNotTaken) {
  const Outcome outcome = Run({"alert", "stream", "-"},
                              "{\"labels\":{\"alertname\":\"A\"}}\n"
                              "not json\n"
                              "\n"
                              "{\"labels\":{\"severity\":\"refuse-me\"}}");

  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("1 accepted, 1 refused, 1 unreadable"));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("line 2: not a JSON object"),
                                 HasSubstr("line 4: refused: labels[0].value")));
}

TEST_F(Program, PassesOverALineThatIsTooLongAndSaysSo) {
  const std::string file = folder_.Write(
      "alerts.jsonl", "{\"labels\":{\"alertname\":\"A\"}}\n" + std::string(3 << 20, 'x') +
                          "\n{\"labels\":{\"alertname\":\"B\"}}\n" + std::string(2 << 20, 'y'));

  const Outcome outcome = Run({"alert", "stream", file});

  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("2 accepted, 2 refused, 0 unreadable"));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("line 2: refused: longer than 1048576 bytes"),
                                 HasSubstr("line 4: refused: longer than 1048576 bytes")));
}

TEST_F(Program, TellsEveryRefusedLineAsJsonWhenAskedTo) {
  const Outcome outcome =
      Run({"alert", "stream", "--json"}, "not json\n{\"labels\":{\"severity\":\"refuse-me\"}}\n");

  EXPECT_EQ(outcome.code, 1);
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < outcome.err.size(); at = outcome.err.find('\n', at) + 1) {
    lines.push_back(outcome.err.substr(at, outcome.err.find('\n', at) - at));
    google::protobuf::Struct error;
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(lines.back(), &error).ok())
        << lines.back();
  }
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_THAT(lines[0], HasSubstr("\"line\":\"1\""));
  EXPECT_THAT(lines[1], AllOf(HasSubstr("\"line\":\"2\""), HasSubstr("LABEL_VALUE_TOO_LONG"),
                              HasSubstr("labels[0].value")));
}

TEST_F(Program, RefusesAnEmptyValueThatWouldMeanSomethingElse) {
  for (const char* option : {"--token", "--token-file", "--tenant", "--address"}) {
    const Outcome empty = Run({option, "", "whoami"});
    EXPECT_EQ(empty.code, 2) << option;
    EXPECT_THAT(empty.err, AllOf(HasSubstr(option), HasSubstr("is empty")));
  }
  const Outcome outcome = Run({"feed", "--cursor", ""});

  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("--cursor"), HasSubstr("is empty")));
  EXPECT_THAT(router_.seen().subscriptions, SizeIs(0));
}

TEST_F(Program, NamesTheMistypedOptionAndNotTheOneThatIsMissing) {
  const Outcome outcome = Run({"alert", "send", "--lable", "alertname=Down"});

  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("did you mean --label?"));
}

TEST_F(Program, GivesNoHelpForACommandThatThereIsNot) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"incident", "lst", "--help"}, {"incidnt", "--help"}, {"incident", "--help", "lst"}}) {
    const Outcome outcome = Run(arguments);
    EXPECT_EQ(outcome.code, 2) << arguments[1];
    EXPECT_THAT(outcome.err, HasSubstr("did you mean"));
  }
  EXPECT_EQ(Run({"incident", "--help"}).code, 0);
  EXPECT_EQ(Run({"incident", "list", "--help"}).code, 0);
}

TEST_F(Program, SaysWhatToDoAboutAFileByWhatIsWrongWithIt) {
  const auto advice = [this](const std::string& path) {
    return Run({"alert", "stream", path}).err;
  };
  EXPECT_THAT(advice("no-such-file"),
              AllOf(HasSubstr("No such file"), HasSubstr("taken from the folder you are in")));
  EXPECT_THAT(advice(folder_.path()), HasSubstr("not a folder"));
}

TEST_F(Program, EndsWithThreeWhenNobodyAnswers) {
  // The port is free again once this router is gone.
  std::string address;
  {
    const FakeRouter gone;
    address = gone.address();
  }

  const Outcome list = RunProgram({"--address", address, "incident", "list"}, folder_.path(), "");
  const Outcome health = RunProgram({"--address", address, "health"}, folder_.path(), "");
  const Outcome feed = RunProgram({"--address", address, "feed"}, folder_.path(), "");

  EXPECT_EQ(list.code, 3);
  EXPECT_THAT(list.err, AllOf(HasSubstr(address), HasSubstr("tandem doctor")));
  EXPECT_EQ(health.code, 3);
  EXPECT_EQ(feed.code, 3);
}

TEST_F(Program, EndsWithTwoWhenItIsUsedWrongly) {
  EXPECT_EQ(Run({}).code, 2);
  EXPECT_EQ(Run({"no-such-command"}).code, 2);
  EXPECT_EQ(Run({"incident", "list", "--state", "opne"}).code, 2);
  EXPECT_EQ(Run({"incident", "ack", "acme"}).code, 2);
  EXPECT_EQ(Run({"incident", "ack", "12", "--tenant", "-"}).code, 2);
  EXPECT_EQ(Run({"incident", "list", "--address", "router"}).code, 2);
  EXPECT_EQ(Run({"alert", "send"}).code, 2);
  EXPECT_EQ(Run({"incident", "list", "--timeout", "soon"}).code, 2);
  EXPECT_THAT(Run({"incident", "list", "--state", "opn"}).err, HasSubstr("did you mean open?"));
}

TEST_F(Program, TakesTheOnlyTenantOfTheTokenForABareNumber) {
  router_.incidents.push_back(MakeIncident(12, v1::CRITICAL));

  const Outcome outcome = Run({"incident", "ack", "12"});

  EXPECT_EQ(outcome.code, 0) << outcome.err;
  ASSERT_EQ(router_.seen().acknowledgements.size(), 1u);
  EXPECT_EQ(router_.seen().acknowledgements[0].name(), "tenants/acme/incidents/12");
}

TEST_F(Program, ShowsHelpAndVersionWithoutARouter) {
  const Outcome help = Run({"incident", "list", "--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.out, HasSubstr("--severity"));
  EXPECT_THAT(Run({"version"}).out, HasSubstr("tandem "));
  EXPECT_THAT(Run({"completion", "bash"}).out, HasSubstr("complete -o default -F _tandem tandem"));
}

TEST_F(Program, IsHealthyAgainstARouterThatServes) {
  const Outcome outcome = Run({"health"});

  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "SERVING\n");
}

TEST_F(Program, DoctorNamesWhatIsMissingAndEndsWithOne) {
  const Outcome outcome = Run({"doctor", "--data", "no-such-folder"});

  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("✓ address"), HasSubstr("✓ health"),
                                 HasSubstr("✓ token       ana (responder of the customer side)"),
                                 HasSubstr("✗ data        no-such-folder"), HasSubstr("bad")));
}

TEST_F(Program, ShowsAPlaybookByTheFirstDigitsOfItsDigest) {
  for (const char* beginning : {"abcdef01", "abcdef02", "123456", "123456"}) {
    v1::Playbook& playbook = router_.playbooks.emplace_back();
    const std::string digits = beginning;
    playbook.set_digest(digits + std::string(64 - digits.size(), '0'));
    playbook.set_source("source of " + digits + "\n");
  }

  EXPECT_EQ(Run({"playbook", "show", "abcdef02"}).out, "source of abcdef02\n");
  EXPECT_EQ(Run({"playbook", "show", "123456"}).out, "source of 123456\n") << "activated twice";
  const Outcome several = Run({"playbook", "show", "abcdef"});
  EXPECT_EQ(several.code, 2);
  EXPECT_THAT(several.err, AllOf(HasSubstr("2 versions"), HasSubstr("abcdef0100000000"),
                                 HasSubstr("abcdef0200000000")));
  const Outcome none = Run({"playbook", "show", "fedcba"});
  EXPECT_EQ(none.code, 1);
  EXPECT_THAT(none.err, HasSubstr("no version of the playbook begins with fedcba"));
  EXPECT_EQ(Run({"playbook", "show", "abcde"}).code, 2);
}

// The completion of zsh without its terminal: what it would offer is printed.
TEST_F(Program, CompletesInZshAtTheFirstTab) {
  folder_.Write("functions/_tandem", Run({"completion", "zsh"}).out);
  const std::string script = folder_.Write("first_tab.zsh",
                                           "_describe() { print -l -- ${(P)2} }\n"
                                           "compdef() { print LOADED }\n"
                                           "fpath=($1/functions $fpath)\n"
                                           "autoload -Uz _tandem\n"
                                           "before=$PATH words=(tandem incident l) CURRENT=3\n"
                                           "_tandem\n"
                                           "[[ $PATH == $before ]] || print LOST\n"
                                           "source $1/functions/_tandem\n");
  const std::string told = folder_.path() + "/told";
  const std::string call = fmt::format("zsh -f '{}' '{}' >'{}' 2>&1", script, folder_.path(), told);
  ASSERT_EQ(std::system(call.c_str()), 0);
  std::ifstream file(told);
  const std::string text((std::istreambuf_iterator<char>(file)), {});

  EXPECT_THAT(text, AllOf(HasSubstr("list:Incidents"), Not(HasSubstr("LOST"))));
  EXPECT_LT(text.find("list:Incidents"), text.find("LOADED"));
}

TEST_F(Program, ChecksAPlaybookHereAndPointsAtTheMistake) {
  const std::string file = folder_.Write("playbook.yaml", "tenant: acme\nno_such_key: 1\n");

  const Outcome outcome = Run({"playbook", "check", file});

  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr(file + ":2:1: error: "), HasSubstr("2 | no_such_key: 1"),
                                 HasSubstr("^")));
}

}  // namespace
}  // namespace tandem::cli
