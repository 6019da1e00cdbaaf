// Every scenario of the three tenants of deploy/examples goes as it says.
//
// `tandem playbook test --update` rewrites what they expect; the diff is the review.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "router/playbook/parse.h"
#include "router/replay/scenario.h"
#include "router/replay/verdict.h"
#include "router/replay/walk.h"
#include "tests/examples/context_file.h"

namespace tandem::replay {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

class Examples : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const std::string folder = std::string(TANDEM_EXAMPLES) + "/" + GetParam();
    const std::string source = ReadFile(folder + "/playbook.yaml");
    world_.playbook = playbook::CompilePlaybook(source).playbook;
    ASSERT_NE(world_.playbook, nullptr);
    for (const auto& entity : playbook::ReadContextFile(ReadFile(folder + "/context.yaml"))) {
      ASSERT_TRUE(world_.environment.Put(entity).ok()) << entity.id;
    }
    const Scenarios read = ReadScenarios(source);
    for (const playbook::Finding& finding : read.findings) {
      ADD_FAILURE() << folder << ":" << finding.line << ": " << finding.message;
    }
    EXPECT_TRUE(CheckAgainst(read.scenarios, *world_.playbook).empty());
    scenarios_ = read.scenarios;
  }

  World world_;
  std::vector<Scenario> scenarios_;
};

TEST_P(Examples, GoAsTheySay) {
  EXPECT_GE(scenarios_.size(), 4u);
  for (const Scenario& scenario : scenarios_) {
    const Story story = Walk(world_, scenario);
    const Verdict verdict = Judge(scenario, story);
    EXPECT_TRUE(verdict.green()) << scenario.name << ": " << Summary(verdict);
    if (verdict.green()) continue;
    for (const DiffLine& line : Diff(scenario, story, verdict)) {
      ADD_FAILURE() << MarkOf(line.kind) << line.text;
    }
  }
}

TEST_P(Examples, SayWhichQuestionTheyAnswer) {
  for (const Scenario& scenario : scenarios_) EXPECT_FALSE(scenario.about.empty()) << scenario.name;
}

TEST_P(Examples, GiveTheSameStoryTwice) {
  for (const Scenario& scenario : scenarios_) {
    EXPECT_EQ(Walk(world_, scenario).lines, Walk(world_, scenario).lines) << scenario.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Tenants, Examples, ::testing::Values("factory", "hospital", "bank"),
                         [](const auto& tenant) { return std::string(tenant.param); });

}  // namespace
}  // namespace tandem::replay
