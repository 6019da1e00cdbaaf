// What people type: names, filters, labels, times, JSON lines, and the command line itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

#include "router/base/status.h"
#include "tools/tandem/age.h"
#include "tools/tandem/alert_text.h"
#include "tools/tandem/client.h"
#include "tools/tandem/command_line.h"
#include "tools/tandem/completion.h"
#include "tools/tandem/filter.h"
#include "tools/tandem/line_reader.h"
#include "tools/tandem/names.h"
#include "tools/tandem/pause.h"
#include "tools/tandem/session.h"

namespace tandem::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(IncidentName, TakesEveryForm) {
  EXPECT_EQ(*IncidentName("tenants/acme/incidents/12", ""), "tenants/acme/incidents/12");
  EXPECT_EQ(*IncidentName("acme/12", ""), "tenants/acme/incidents/12");
  EXPECT_EQ(*IncidentName("acme/12", "globex"), "tenants/acme/incidents/12");
  EXPECT_EQ(*IncidentName("12", "globex"), "tenants/globex/incidents/12");
  EXPECT_EQ(*IncidentName("#12", "tenants/globex"), "tenants/globex/incidents/12");
}

TEST(IncidentName, SaysWhatItUnderstandsWhenItDoesNot) {
  for (const char* text : {"", "acme", "acme/", "acme/0", "acme/x", "/12", "a/b/c", "12x", "A/1"}) {
    const auto name = IncidentName(text, "globex");
    ASSERT_FALSE(name.ok()) << text;
    EXPECT_EQ(ReasonOf(name.status()), "USAGE");
    EXPECT_THAT(MessageOf(name.status()), HasSubstr("acme/12")) << text;
  }
}

TEST(IncidentName, AsksForTheTenantOfABareNumber) {
  EXPECT_THAT(MessageOf(IncidentName("12", "").status()), HasSubstr("--tenant"));
  EXPECT_THAT(MessageOf(IncidentName("12", "-").status()), HasSubstr("--tenant"));
}

TEST(TenantName, TakesIdsNamesAndTheDash) {
  EXPECT_EQ(*TenantName(""), "");
  EXPECT_EQ(*TenantName("-"), "tenants/-");
  EXPECT_EQ(*TenantName("acme"), "tenants/acme");
  EXPECT_EQ(*TenantName("tenants/acme"), "tenants/acme");
  EXPECT_FALSE(TenantName("Acme").ok());
  EXPECT_FALSE(TenantName("acme/12").ok());
}

TEST(EntityName, TakesKindAndId) {
  EXPECT_EQ(*EntityName("site/plant-7", "acme"), "tenants/acme/entities/site/plant-7");
  EXPECT_EQ(*EntityName("acme/site/plant-7", ""), "tenants/acme/entities/site/plant-7");
  EXPECT_FALSE(EntityName("site/", "acme").ok());
  EXPECT_FALSE(EntityName("plant-7", "acme").ok());
}

TEST(PlaybookName, MeansTheActiveOneWithoutADigest) {
  EXPECT_EQ(*PlaybookName("", "acme"), "tenants/acme/playbooks/active");
  EXPECT_FALSE(PlaybookName("0123", "acme").ok());
}

TEST(FilterText, JoinsWhatIsAsked) {
  EXPECT_EQ(*FilterText({}), "");
  EXPECT_EQ(*FilterText({.filter = "rule=x",
                         .states = {"open,acknowledged"},
                         .severity = "major",
                         .sides = {"provider"},
                         .teams = {"noc", "biomed"},
                         .labels = {"site=plant-7"}}),
            "rule=x,state=open|acknowledged,severity>=major,side=provider,team=noc|biomed,"
            "label.site=plant-7");
  EXPECT_EQ(*FilterText({.severity = "=major"}), "severity=major");
}

TEST(FilterText, NamesTheNearestWord) {
  EXPECT_THAT(MessageOf(FilterText({.severity = "critcal"}).status()),
              HasSubstr("did you mean critical?"));
  EXPECT_THAT(MessageOf(FilterText({.sides = {"both"}}).status()), HasSubstr("provider, customer"));
  EXPECT_FALSE(FilterText({.labels = {"site"}}).ok());
}

TEST(ReadTime, TakesTimesSpansAndNow) {
  const absl::Time now = absl::FromUnixSeconds(1'795'442'400);
  EXPECT_EQ(*ReadTime("--ends-at", "now", now), now);
  EXPECT_EQ(*ReadTime("--ends-at", "10m", now), now + absl::Minutes(10));
  EXPECT_EQ(*ReadTime("--ends-at", "-1h30m", now), now - absl::Minutes(90));
  EXPECT_EQ(*ReadTime("--ends-at", "2026-11-23T15:00:00+01:00", now), now);
  EXPECT_THAT(MessageOf(ReadTime("--ends-at", "tomorrow", now).status()), HasSubstr("--ends-at"));
}

TEST(ReadAlertJson, TakesWhatAlertmanagerTakes) {
  const auto alert = ReadAlertJson(
      R"({"labels":{"b":"2","a":"1"},"annotations":{"summary":"s"},"status":{"state":"active"},)"
      R"("startsAt":"2026-11-23T14:00:00Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"u"})");

  ASSERT_TRUE(alert.ok()) << alert.status();
  ASSERT_EQ(alert->labels_size(), 2);
  EXPECT_EQ(alert->labels(0).name(), "a");
  EXPECT_EQ(alert->annotations(0).value(), "s");
  EXPECT_EQ(ToTime(alert->starts_at()), absl::FromUnixSeconds(1'795'442'400));
  EXPECT_FALSE(alert->has_ends_at());
  EXPECT_EQ(alert->generator_url(), "u");
}

TEST(ReadAlertJson, SaysWhatIsWrong) {
  const auto message = [](std::string_view line) {
    return MessageOf(ReadAlertJson(line).status());
  };
  EXPECT_THAT(message("[]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(message("{"), HasSubstr("not a JSON object"));
  EXPECT_THAT(message("{}"), HasSubstr("at least one label"));
  EXPECT_THAT(message(R"({"labels":{"a":1}})"), HasSubstr("labels.a: expected a text"));
  EXPECT_THAT(message(R"({"labels":["a"]})"), HasSubstr("labels: expected an object"));
  EXPECT_THAT(message(R"({"labels":{"a":"1"},"endsAt":"soon"})"),
              HasSubstr("endsAt: expected a time"));
  EXPECT_THAT(message("\xff"), HasSubstr("not UTF-8"));
  EXPECT_THAT(message(std::string(100'000, '[')), HasSubstr("not a JSON object"));
}

TEST(LineReader, TellsAPauseFromTheEnd) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  const auto reader = LineReader::Open("/dev/fd/" + std::to_string(ends[0]));
  ASSERT_TRUE(reader.ok());
  auto lines = std::move(const_cast<absl::StatusOr<LineReader>&>(reader)).value();
  const auto next = [&] { return lines.Next(absl::Milliseconds(1)).value(); };

  EXPECT_EQ(next().kind, LineReader::Event::Kind::kPause);
  ASSERT_EQ(write(ends[1], "one\r\ntwo\nthr", 12), 12);
  EXPECT_EQ(next().line, "one");
  EXPECT_EQ(next().line, "two");
  EXPECT_EQ(lines.number(), 2u);
  EXPECT_EQ(next().kind, LineReader::Event::Kind::kPause);
  ASSERT_EQ(write(ends[1], "ee", 2), 2);
  close(ends[1]);
  EXPECT_EQ(next().line, "three");
  EXPECT_EQ(next().kind, LineReader::Event::Kind::kEnd);
  close(ends[0]);
}

TEST(Pause, EndsEarlyWhenTheReaderHasGone) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  EXPECT_EQ(Pause(absl::Milliseconds(1), ends[1]), Paused::kElapsed);
  close(ends[0]);
  EXPECT_EQ(Pause(absl::Hours(1), ends[1]), Paused::kReaderGone);
  close(ends[1]);
}

TEST(UsesTls, IsOnForEveryOtherMachine) {
  EXPECT_FALSE(UsesTls({.address = "127.0.0.1:7443"}));
  EXPECT_FALSE(UsesTls({.address = "localhost:7443"}));
  EXPECT_FALSE(UsesTls({.address = "[::1]:7443"}));
  EXPECT_FALSE(UsesTls({.address = "unix:/run/tandem.sock"}));
  EXPECT_TRUE(UsesTls({.address = "router.example:7443"}));
  EXPECT_TRUE(UsesTls({.address = "127.0.0.1.example.org:7443"}));
  EXPECT_TRUE(UsesTls({.address = "127.0.0.1:7443", .ca = "ca.pem"}));
  EXPECT_FALSE(UsesTls({.address = "router.example:7443", .plaintext = true}));
}

TEST(Client, RefusesATokenThatAHeaderCannotCarry) {
  const auto client = Client::Make({.address = "127.0.0.1:1", .token = "tdm_a\nx: y"});

  EXPECT_EQ(ReasonOf(client.status()), "USAGE");
}

TEST(NewRequestId, IsAUuid) {
  const std::string id = NewRequestId();

  ASSERT_EQ(id.size(), 36u);
  EXPECT_EQ(id[14], '4');
  EXPECT_THAT("89ab", HasSubstr(std::string(1, id[19])));
  EXPECT_NE(id, NewRequestId());
}

class CommandLineTest : public ::testing::Test {
 protected:
  CommandLineTest() : line_({.name = "tandem", .help = "help", .version = "tandem 1.2.3"}) {
    const Command root = line_.root();
    root.Add({"-T,--tenant", "The tenant", "T"}, tenant_);
    const Command alert = line_.root().Sub("alert", "Send alerts");
    const Command send = alert.Sub("send", "Send one");
    send.Add({"-l,--label", "A label", "L"}, labels_);
    send.Add({"file", "A file", "FILE"}, file_);
    send.Runs([]() -> absl::StatusOr<int> { return 7; });
    const Command shell = root.Sub("completion", "A script: bash");
    shell.Add({.names = "shell", .help = "Which", .choices = {"bash", "zsh"}}, file_);
  }

  absl::StatusOr<CommandLine::Parsed> Parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "tandem");
    return line_.Parse(static_cast<int>(arguments.size()), arguments.data());
  }

  CommandLine line_;
  std::string tenant_, file_;
  std::vector<std::string> labels_;
};

TEST_F(CommandLineTest, TakesCommonOptionsBehindTheCommandAndOneValueForEachOption) {
  const auto parsed =
      Parse({"alert", "send", "-l", "a=1", "--label", "b=[x,y]", "f.json", "-T", "acme"});

  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(*parsed->run(), 7);
  EXPECT_THAT(labels_, ElementsAre("a=1", "b=[x,y]"));
  EXPECT_EQ(file_, "f.json");
  EXPECT_EQ(tenant_, "acme");
}

TEST_F(CommandLineTest, TakesAValueInBracketsAsItIs) {
  ASSERT_TRUE(Parse({"alert", "send", "-l", "[a,b]"}).ok());

  EXPECT_THAT(labels_, ElementsAre("[a,b]"));
}

TEST_F(CommandLineTest, RefusesWhatIsNotUtf8) {
  EXPECT_THAT(MessageOf(Parse({"alert", "send", "-l", "a=\xff"}).status()), HasSubstr("not UTF-8"));
}

TEST_F(CommandLineTest, NamesTheWordThatItDoesNotUnderstand) {
  const auto why = [this](std::vector<const char*> arguments) {
    const absl::Status status = Parse(std::move(arguments)).status();
    EXPECT_EQ(ReasonOf(status), "USAGE");
    return MessageOf(status);
  };
  EXPECT_EQ(why({}), "`tandem` needs a command behind it: alert, completion");
  EXPECT_EQ(why({"alert"}), "`tandem alert` needs a command behind it: send");
  EXPECT_EQ(why({"alret"}), "`tandem` has no command \"alret\"; did you mean alert?");
  EXPECT_EQ(why({"nonsense"}), "`tandem` has no command \"nonsense\"; expected alert, completion");
  EXPECT_EQ(why({"alert", "snd"}), "`tandem alert` has no command \"snd\"; did you mean send?");
  EXPECT_EQ(why({"alert", "send", "--lable", "a=b"}),
            "`tandem alert send` has no option --lable; did you mean --label?");
  EXPECT_EQ(why({"alert", "send", "--tennant=a"}),
            "`tandem alert send` has no option --tennant; did you mean --tenant?");
  EXPECT_EQ(why({"alert", "send", "f.json", "g.json"}),
            "`tandem alert send` takes no \"g.json\"; put a value with blanks in quotes");
}

TEST_F(CommandLineTest, AnswersWithItsVersion) {
  EXPECT_EQ(Parse({"--version"})->text, "tandem 1.2.3\n");
}

TEST_F(CommandLineTest, GivesTheTreeThatCompletionIsMadeOf) {
  const CommandTree tree = line_.Tree();

  ASSERT_EQ(tree.commands.size(), 2u);
  EXPECT_EQ(tree.commands[0].commands[0].name, "send");
  const std::string bash = BashCompletion(tree);
  EXPECT_THAT(bash, HasSubstr("'alert'|'alert send'"));
  EXPECT_THAT(bash, HasSubstr("'alert send') words='--help"));
  EXPECT_THAT(ZshCompletion(tree), HasSubstr("'send:Send one'"));
  EXPECT_THAT(ZshCompletion(tree), HasSubstr("A script\\: bash"));
  EXPECT_THAT(FishCompletion(tree),
              HasSubstr("complete -c tandem -f -n 'test (__tandem_path) = \"alert\"' -a send"));
}

}  // namespace
}  // namespace tandem::cli
