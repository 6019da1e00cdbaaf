// tandem-agent without its process: input, logs, summary, exit code.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/support/temporary_folder.h"
#include "tools/agent/agent_report.h"
#include "tools/agent/agent_run.h"
#include "tools/agent/agent_settings.h"
#include "tools/agent/fake_router.h"
#include "tools/agent/line_reader.h"
#include "tools/agent/wire.h"

namespace tandem::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using Json = nlohmann::json;

std::vector<Json> Lines(const std::string& path) {
  std::ifstream file(path);
  std::vector<Json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(Json::parse(line));
  return lines;
}

struct Outcome {
  int exit_code = 0;
  Json summary;
  std::string complaints;
};

class AgentTest : public ::testing::Test {
 protected:
  Outcome Run(std::vector<std::string> arguments) {
    for (const char* more : {"--json", "--client-id", "a", "--linger", "1ms", "--address"}) {
      arguments.push_back(more);
    }
    arguments.push_back(router_.address());
    arguments.insert(arguments.begin(), "tandem-agent");
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    const ParsedArguments parsed = ParseArguments(static_cast<int>(argv.size()), argv.data());
    if (!parsed.settings) return {parsed.exit_code, {}, ""};
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    Outcome outcome;
    outcome.exit_code = RunAgent(*parsed.settings);
    std::fflush(stdout);
    const std::string out = ::testing::internal::GetCapturedStdout();
    outcome.complaints = ::testing::internal::GetCapturedStderr();
    outcome.summary = Json::parse(out, nullptr, /*allow_exceptions=*/false);
    return outcome;
  }

  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_.File(name)) << text;
    return folder_.File(name);
  }

  FakeRouter router_;
  tandem::testing::TemporaryFolder folder_;
};

TEST_F(AgentTest, SendsAFileAndNamesItsBadLines) {
  const std::string file = Write("alerts.jsonl",
                                 "{\"labels\":{\"alertname\":\"A\"}}\n\nnonsense\n"
                                 "{\"labels\":{\"alertname\":\"B\"}}");
  const Outcome outcome = Run({"--file", file});

  EXPECT_EQ(outcome.exit_code, kExitFinding);
  EXPECT_THAT(outcome.complaints, HasSubstr("line 3: line: one JSON object was expected"));
  EXPECT_EQ(outcome.summary["sent"], 2);
  EXPECT_EQ(outcome.summary["accepted"], 2);
  EXPECT_EQ(outcome.summary["bad_lines"], 1);
  EXPECT_EQ(outcome.summary["refused"], Json::object());
  EXPECT_THAT(router_.keys("a"), ElementsAre("{alertname=\"A\"}", "{alertname=\"B\"}"));
}

TEST_F(AgentTest, StopsAtABadLineWhenItIsStrict) {
  const std::string file = Write("alerts.jsonl",
                                 "{\"labels\":{\"alertname\":\"A\"}}\n{}\n"
                                 "{\"labels\":{\"alertname\":\"B\"}}\n");
  const Outcome outcome = Run({"--file", file, "--strict"});
  EXPECT_EQ(outcome.exit_code, kExitFinding);
  EXPECT_THAT(router_.keys("a"), ElementsAre("{alertname=\"A\"}"));
}

TEST_F(AgentTest, MakesAStormAndNotesWhatWasPromised) {
  const Outcome outcome =
      Run({"storm", "--rules", TANDEM_SOURCE_DIR "/tests/data/alert_rules.jsonl", "--rate", "0",
           "--count", "500", "--spool", folder_.File("spool"), "--ack-log", folder_.File("acks"),
           "--alert-log", folder_.File("alerts")});
  EXPECT_EQ(outcome.exit_code, kExitOk) << outcome.complaints;
  EXPECT_THAT(outcome.complaints, IsEmpty());
  EXPECT_EQ(outcome.summary["accepted"], 500);
  EXPECT_EQ(outcome.summary["spooled"], 0);

  std::uint64_t accepted = 0;
  std::set<std::uint64_t> acknowledged;
  for (const Json& line : Lines(folder_.File("acks"))) {
    accepted += line["accepted"].get<std::uint64_t>();
    acknowledged.insert(line["batch"].get<std::uint64_t>());
    EXPECT_THAT(line["first"].get<std::string>(), HasSubstr("alertname="));
  }
  EXPECT_EQ(accepted, 500u);
  const std::vector<Json> alerts = Lines(folder_.File("alerts"));
  ASSERT_THAT(alerts, SizeIs(500));
  for (const Json& line : alerts) EXPECT_TRUE(acknowledged.contains(line["batch"]));
}

TEST_F(AgentTest, SaysWhenTheRouterIsNotThere) {
  router_.Stop();
  const std::string file = Write("alerts.jsonl", "{\"labels\":{\"alertname\":\"A\"}}\n");
  const Outcome outcome = Run({"--file", file, "--drain", "50ms", "--spool", folder_.File("s")});
  EXPECT_EQ(outcome.exit_code, kExitUnreachable);
  EXPECT_EQ(outcome.summary["spooled"], 1);
  EXPECT_THAT(outcome.complaints, HasSubstr("the spool keeps them"));

  router_.Start();
  EXPECT_EQ(Run({"--file", Write("none.jsonl", ""), "--spool", folder_.File("s")}).exit_code,
            kExitOk);
  EXPECT_THAT(router_.keys("a"), SizeIs(1));
}

TEST_F(AgentTest, RefusesACommandLineThatMakesNoSense) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{},
                                             {"--stdin", "--file", "x"},
                                             {"--stdin", "--batch", "513"},
                                             {"--stdin", "--linger", "soon"},
                                             {"storm"}}) {
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(Run(arguments).exit_code, kExitUsage);
    EXPECT_THAT(::testing::internal::GetCapturedStderr(), Not(IsEmpty()));
  }
  EXPECT_EQ(Run({"--file", folder_.File("missing")}).exit_code, kExitUsage);
}

TEST(LineReader, GivesWhatIsThereAndCutsWhatIsTooLong) {
  const StopSignal stop;
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const std::string text = "one\n\ntwo\n" + std::string(100, 'x') + "\nlast";
  ASSERT_EQ(::write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  LineReader reader(ends[0], /*line_max=*/10, stop);

  std::vector<NumberedLine> lines = *reader.Read(2);
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(lines[1].number, 3u);
  EXPECT_EQ(lines[1].text, "two");
  lines = *reader.Read(10);
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(lines[0].text.size(), 11u) << "cut, and still too long";
  ::close(ends[1]);
  lines = *reader.Read(10);
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(lines[0].text, "last");
  EXPECT_EQ(lines[0].number, 5u);
  EXPECT_THAT(*reader.Read(10), IsEmpty());
  ::close(ends[0]);
}

TEST(ExitCodeOf, TellsFindingsFromAnAbsentRouter) {
  AgentSummary summary;
  EXPECT_EQ(ExitCodeOf(summary), kExitOk);
  summary.bad_lines = 1;
  EXPECT_EQ(ExitCodeOf(summary), kExitFinding);
  summary.bad_lines = 0;
  summary.stats.refused["NO_LABELS"] = 1;
  EXPECT_EQ(ExitCodeOf(summary), kExitFinding);
  summary.stats.waiting_alerts = 1;
  EXPECT_EQ(ExitCodeOf(summary), kExitUnreachable);
}

}  // namespace
}  // namespace tandem::client
