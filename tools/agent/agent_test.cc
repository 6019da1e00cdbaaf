// tandem-agent without its process: input, logs, summary, exit code.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>
#include <utility>

#include "router/base/status.h"
#include "router/rpc/grpc_status.h"
#include "tests/support/temporary_folder.h"
#include "tools/agent/agent_report.h"
#include "tools/agent/agent_run.h"
#include "tools/agent/agent_settings.h"
#include "tools/agent/disk.h"
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

constexpr const char* kRules = TANDEM_SOURCE_DIR "/tests/data/alert_rules.jsonl";

std::vector<Json> Lines(const std::string& path) {
  std::ifstream file(path);
  std::vector<Json> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(Json::parse(line, nullptr, /*allow_exceptions=*/false));
  }
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
    argv.reserve(arguments.size());
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
  const Outcome outcome = Run({"storm", "--rules", kRules, "--rate", "0", "--count", "500",
                               "--spool", folder_.File("spool"), "--ack-log", folder_.File("acks"),
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

TEST_F(AgentTest, EndsAtOnceWhenTheRouterWillNotHaveIt) {
  const std::string file = Write("alerts.jsonl", "{\"labels\":{\"alertname\":\"A\"}}\n");
  for (const auto& [code, advice] :
       std::map<grpc::StatusCode, std::string>{{grpc::UNAUTHENTICATED, "--token-file"},
                                               {grpc::PERMISSION_DENIED, "the role agent"},
                                               {grpc::NOT_FOUND, "--tenant"},
                                               {grpc::INVALID_ARGUMENT, "--client-id"}}) {
    router_.SetGreeting(grpc::Status(code, "not this one"));
    // An hour: the test would end by its timeout, were the refusal not the last word.
    const Outcome outcome =
        Run({"--file", file, "--drain", "1h", "--spool", folder_.File(fmt::format("s{}", +code))});
    EXPECT_EQ(outcome.exit_code, kExitUnreachable);
    EXPECT_EQ(outcome.summary["turned_away"], true);
    EXPECT_THAT(outcome.complaints, HasSubstr("refused this agent"));
    EXPECT_THAT(outcome.complaints, HasSubstr("not this one"));
    EXPECT_THAT(outcome.complaints, HasSubstr(advice));
    // The refusal may come before the file was read: then the alert is there alone.
    if (outcome.summary["spooled"] == 1) {
      EXPECT_THAT(outcome.complaints, HasSubstr("the spool keeps them"));
    }
    EXPECT_THAT(outcome.complaints, Not(HasSubstr("next attempt")));
  }

  router_.SetGreeting(grpc::Status::OK);
  const std::string spool = folder_.File(fmt::format("s{}", +grpc::PERMISSION_DENIED));
  EXPECT_EQ(Run({"--file", Write("none.jsonl", ""), "--spool", spool}).exit_code, kExitOk);
  EXPECT_THAT(router_.keys("a"), SizeIs(1));
}

TEST_F(AgentTest, FailsWhenItIsTurnedAwayBeforeItsInputHasSaidAnything) {
  router_.SetGreeting(grpc::Status(grpc::UNAUTHENTICATED, "unknown token"));
  const std::string pipe = folder_.File("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const FileHandle open_end = *OpenFile(pipe, O_RDWR);  // so that the input never ends
  const Outcome outcome = Run({"--file", pipe, "--drain", "1h"});
  EXPECT_EQ(outcome.exit_code, kExitUnreachable);
  EXPECT_EQ(outcome.summary["spooled"], 0);
}

grpc::Status NoTenant() {
  return rpc::ToGrpc(
      Error(absl::StatusCode::kNotFound, "TENANT_NOT_FOUND", "tenants/acme does not exist"), "req");
}

TEST_F(AgentTest, WaitsForATenantThatIsMadeLaterAndKeepsTheAlertsMeanwhile) {
  router_.SetGreeting(NoTenant());
  const std::string pipe = folder_.File("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  FileHandle monitor = *OpenFile(pipe, O_RDWR);
  const std::string alert = "{\"labels\":{\"alertname\":\"A\"}}\n";
  ASSERT_EQ(::write(monitor.fd(), alert.data(), alert.size()), static_cast<ssize_t>(alert.size()));
  std::thread world([&] {
    EXPECT_TRUE(router_.AwaitStreams(3));
    router_.SetGreeting(grpc::Status::OK);
    EXPECT_TRUE(router_.AwaitAlerts("a", 1));
    monitor = FileHandle();  // the monitor ends
  });

  const Outcome outcome =
      Run({"--file", pipe, "--tenant", "acme", "--spool", folder_.File("s"), "--drain", "1h"});

  world.join();
  EXPECT_EQ(outcome.exit_code, kExitOk) << outcome.complaints;
  EXPECT_EQ(outcome.summary["turned_away"], false);
  EXPECT_EQ(outcome.summary["accepted"], 1);
  EXPECT_THAT(outcome.complaints, HasSubstr("waiting for tenant \"acme\""));
  EXPECT_THAT(outcome.complaints, HasSubstr("next attempt in"));
}

TEST_F(AgentTest, WaitsForNoTenantWithAFileThatEnds) {
  router_.SetGreeting(NoTenant());
  const std::string file = Write("alerts.jsonl", "{\"labels\":{\"alertname\":\"A\"}}\n");
  const Outcome outcome = Run({"--file", file, "--tenant", "acme", "--drain", "1h"});
  EXPECT_EQ(outcome.exit_code, kExitUnreachable);
  EXPECT_EQ(outcome.summary["turned_away"], true);
  EXPECT_THAT(outcome.complaints, HasSubstr("tenants/acme does not exist"));
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

TEST_F(AgentTest, JoinsNoNewLineToAnUnfinishedOne) {
  const std::string file = Write("alerts.jsonl", "{\"labels\":{\"alertname\":\"A\"}}\n");
  const std::string log = Write("acks", "{\"batch\":1}\n{\"bat");
  EXPECT_EQ(Run({"--file", file, "--ack-log", log}).exit_code, kExitOk);
  const std::vector<Json> lines = Lines(log);
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(lines[0], (Json{{"batch", 1}}));
  EXPECT_EQ(lines[1]["accepted"], 1);
}

// The program itself, in a process of its own.
class Process {
 public:
  explicit Process(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), TANDEM_AGENT);
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t quiet;
    ::posix_spawn_file_actions_init(&quiet);
    for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
      ::posix_spawn_file_actions_addopen(&quiet, fd, "/dev/null", O_WRONLY, 0);
    }
    EXPECT_EQ(::posix_spawn(&pid_, TANDEM_AGENT, &quiet, nullptr, argv.data(), environ), 0);
    ::posix_spawn_file_actions_destroy(&quiet);
  }
  ~Process() {
    if (pid_ > 0) Kill();
  }
  void Kill() {
    ::kill(pid_, SIGKILL);
    (void)Await();
  }
  // The exit code; -1 after a signal.
  int Await() {
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = -1;
};

TEST_F(AgentTest, LosesAndDoublesNothingWhenItIsKilled) {
  const std::vector<std::string> common = {
      "--address", router_.address(),     "--client-id", "a",
      "--spool",   folder_.File("spool"), "--alert-log", folder_.File("alerts"),
      "--ack-log", folder_.File("acks"),  "--batch",     "16"};
  std::size_t wanted = 0;
  for (int round = 1; round <= 5; ++round) {
    std::vector<std::string> storm = {
        "storm", "--rules", kRules, "--rate", "0", "--seed", std::to_string(round)};
    storm.insert(storm.end(), common.begin(), common.end());
    Process agent(storm);
    wanted = router_.keys("a").size() + 200;
    ASSERT_TRUE(router_.AwaitAlerts("a", wanted));
    agent.Kill();
  }
  std::vector<std::string> drain = {"--file", "/dev/null"};
  drain.insert(drain.end(), common.begin(), common.end());
  EXPECT_EQ(Process(drain).Await(), kExitOk);

  std::map<std::uint64_t, std::vector<std::string>> taken;
  std::uint64_t last = 0;
  for (const v1::AlertBatch& batch : router_.taken("a")) {
    EXPECT_GT(batch.number(), last);
    last = batch.number();
    for (const v1::Alert& alert : batch.alerts()) taken[last].push_back(AlertKey(alert));
  }
  // A kill may cut the line that is being written.
  for (const Json& line : Lines(folder_.File("alerts"))) {
    if (line.is_discarded()) continue;
    EXPECT_THAT(taken[line["batch"]], ::testing::Contains(line["alert"].get<std::string>()));
  }
  for (const Json& line : Lines(folder_.File("acks"))) {
    if (line.is_discarded()) continue;
    ASSERT_FALSE(taken[line["batch"]].empty()) << line;
    EXPECT_EQ(taken[line["batch"]].front(), line["first"]);
    EXPECT_EQ(taken[line["batch"]].back(), line["last"]);
  }
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
