// `tandem playbook test` and `tandem walk`, run as programs.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "tools/tandem/program.h"

namespace tandem::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kPlaybook[] = R"(playbook: 1
tenant: t
contacts:
  ann: {side: provider, webhook: {url: "https://hooks.example/ann"}}
teams:
  noc: {side: provider, contacts: [ann]}
escalations:
  usual: {steps: [{after: 0s, notify: [noc]}, {after: 15m, notify: [noc]}]}
last_resort: ann
rules:
  - {name: factory, match: ['site.kind="factory"'], if_missing: skip, owner: noc,
     handling: needs_input, escalation: usual, reason: One of the tests.}
  - {name: rest, owner: noc, handling: autonomous, escalation: usual, reason: One of the tests.}
)";
constexpr char kScenarios[] = R"yaml(scenarios:
  - name: at-noon   # the plain case
    start: "2026-03-02 12:00 Europe/Vienna"
    steps:
      - {at: 0s, alert: {alertname: LinkDown, site: a}}
    until: 1m
    expect:
      # who leads
      - "+0s opened #1 by rule rest: noc leads, autonomous, warning"
      - "+20s told ann (noc, step 1)"
)yaml";

std::string Content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class WalkProgram : public ::testing::Test {
 protected:
  Outcome Run(const std::vector<std::string>& arguments) {
    return RunProgram(arguments, folder_.path(), "");
  }

  TemporaryFolder folder_;
  const std::string playbook_ = folder_.Write("p.yaml", std::string(kPlaybook) + kScenarios);
};

TEST_F(WalkProgram, ShowsWhatIsMissingAndEndsWithOne) {
  const Outcome outcome = Run({"playbook", "test", "p.yaml"});

  EXPECT_EQ(outcome.code, 1) << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("FAIL at-noon  1 of 2 expected lines did not occur"),
                    HasSubstr("- +20s told ann (noc, step 1)\n"),
                    HasSubstr("~ +10s told ann (noc, step 1)\n"),
                    HasSubstr("1 scenario: 0 green, 1 red\n"), Not(HasSubstr("\x1b"))));
}

TEST_F(WalkProgram, RewritesWhatIsExpectedAndNothingElse) {
  const std::string before = Content(playbook_);
  const Outcome update = Run({"playbook", "test", "p.yaml", "--update"});

  EXPECT_EQ(update.code, 0) << update.err;
  EXPECT_THAT(update.err, HasSubstr("p.yaml: rewrote what at-noon expects"));
  std::string wanted = before;
  wanted.replace(wanted.find("+20s told"), 4, "+10s");
  EXPECT_EQ(Content(playbook_), wanted);
  EXPECT_EQ(Run({"playbook", "test", "p.yaml"}).code, 0);
}

TEST_F(WalkProgram, TakesContextFromYamlAndCsv) {
  folder_.Write("a.yaml", "entities:\n  - {kind: site, id: a, attributes: {kind: factory}}\n");
  folder_.Write("b.csv", "kind,id,attribute:kind\nsite,a,warehouse\n");
  const auto story = [this](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"walk", "p.yaml"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = Run(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.out;
  };

  EXPECT_THAT(story({}), HasSubstr("by rule rest"));
  EXPECT_THAT(story({"--context", "a.yaml"}), HasSubstr("by rule factory"));
  EXPECT_THAT(story({"--context", "a.yaml", "--context", "b.csv"}), HasSubstr("by rule rest"))
      << "the later file goes over the earlier one";
}

TEST_F(WalkProgram, WalksAFileOfItsOwnAtAnotherTime) {
  folder_.Write("book.yaml", kPlaybook);
  folder_.Write("night.yaml", kScenarios);
  const Outcome outcome = Run(
      {"walk", "night.yaml", "--playbook", "book.yaml", "--at", "2026-12-24 18:00 Europe/Vienna"});

  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("at-noon  Thu 2026-12-24 18:00 Europe/Vienna\n"),
                                 HasSubstr("  +10s told ann (noc, step 1)\n")));
  EXPECT_EQ(Run({"walk", "night.yaml", "--playbook", "book.yaml", "--at", "tomorrow"}).code, 2);
  const Outcome alone = Run({"walk", "night.yaml"});
  EXPECT_EQ(alone.code, 2);
  EXPECT_THAT(alone.err, HasSubstr("give it with --playbook FILE"));
}

TEST_F(WalkProgram, WritesJUnitAndJsonAndCoverage) {
  const Outcome outcome =
      Run({"playbook", "test", "p.yaml", "--junit", "r.xml", "--json", "--coverage"});

  EXPECT_EQ(outcome.code, 1);
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["red"], 1);
  EXPECT_EQ(json["scenarios"][0]["story"][1]["text"], "told ann (noc, step 1)");
  EXPECT_EQ(json["coverage"]["rules"]["touched"], 1);
  EXPECT_EQ(json["coverage"]["untouched"][0], "rule factory");
  EXPECT_THAT(Content(folder_.path() + "/r.xml"),
              AllOf(HasSubstr("<testsuites tests=\"1\" failures=\"1\">"),
                    HasSubstr("name=\"at-noon\" file=\"p.yaml\" line=\"15\""),
                    HasSubstr("- +20s told ann (noc, step 1)")));
}

TEST_F(WalkProgram, NamesMistakesByTheirPlace) {
  folder_.Write("bad.yaml",
                std::string(kPlaybook) + "scenarios:\n  - {name: a, start: noon, steps: []}\n");
  for (const char* verb : {"test", "check"}) {
    const Outcome outcome = Run({"playbook", verb, "bad.yaml"});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.out + outcome.err, HasSubstr("bad.yaml:15:22: error: "
                                                     "scenarios[0].start: \"noon\" is no time"));
  }
  const Outcome outcome = Run({"playbook", "test", "p.yaml", "--scenario", "at-non"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("did you mean \"at-noon\"?"));
}

TEST_F(WalkProgram, SaysTheSameWithAnyNumberOfThreads) {
  std::string many = std::string(kPlaybook) + "scenarios:\n";
  for (int i = 0; i < 40; ++i) {
    many += fmt::format(
        "  - {{name: s-{}, start: 2026-03-02 12:00 UTC, steps: [{{at: {}s, alert: {{alertname: "
        "A}}}}], until: 1h, expect: [\"+{}s told ann (noc, step 1)\"]}}\n",
        i, i, i + 10);
  }
  folder_.Write("many.yaml", many);
  const Outcome one = Run({"playbook", "test", "many.yaml", "--jobs", "1"});

  EXPECT_EQ(one.code, 0) << one.out;
  EXPECT_EQ(one.out, Run({"playbook", "test", "many.yaml", "--jobs", "8"}).out);
}

}  // namespace
}  // namespace tandem::cli
