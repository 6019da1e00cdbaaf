// `tandem playbook test` and `tandem walk`: what a playbook would do, before it does it. Neither
// asks a router.
#include <fmt/format.h>

#include <map>

#include <memory>
#include <ostream>
#include <utility>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/replay/rewrite.h"
#include "tools/tandem/commands.h"
#include "tools/tandem/failure.h"
#include "tools/tandem/names.h"
#include "tools/tandem/walk_files.h"
#include "tools/tandem/walk_run.h"
#include "tools/tandem/walk_view.h"
#include "tools/tandem/words.h"

namespace tandem::cli {
namespace {

struct TestOptions {
  WalkFiles files;
  std::vector<std::string> scenarios;
  std::int64_t jobs = 0;
  std::string junit;
  bool coverage = false;
  bool update = false;
};

WalkOptions RunOptions(Session& session, std::int64_t jobs, std::size_t all) {
  WalkOptions options{.jobs = static_cast<std::size_t>(jobs)};
  if (!session.err_on_terminal()) return options;
  options.progress = [&session, all](std::size_t done) {
    session.err() << fmt::format("\r{} of {}\x1b[K", done, Counted(all, "scenario")) << std::flush;
  };
  return options;
}

// Writes what the stories say where it is not what was expected. Returns how many scenarios stay
// red.
absl::StatusOr<std::size_t> Update(Session& session, const TestOptions& options,
                                   const WalkInput& input, const std::vector<WalkResult>& results) {
  std::vector<replay::NewBlock> blocks;
  std::map<std::string, std::size_t> dropped;  // lines that nothing in the story is like
  std::size_t red = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const replay::Verdict& verdict = results[i].verdict;
    if (verdict.green()) continue;
    const bool writable =
        verdict.missing > 0 || !verdict.unexpected.empty() || verdict.expects_nothing;
    if (writable) {
      const replay::Scenario& scenario = input.scenarios[i];
      auto lines = NewExpectation(scenario, results[i].story, verdict);
      if (!scenario.whole && lines.size() < scenario.expect.size()) {
        dropped[scenario.name] = scenario.expect.size() - lines.size();
      }
      blocks.push_back({scenario.name, std::move(lines)});
    }
    // What must never occur is for a person to judge.
    if (!writable || !verdict.forbidden.empty()) ++red;
  }
  if (blocks.empty()) return red;
  const replay::Rewritten rewritten = replay::RewriteExpectations(input.source, blocks);
  if (!rewritten.done.empty()) {
    TANDEM_RETURN_IF_ERROR(ReplaceFile(options.files.scenarios, rewritten.source));
  }
  for (const std::string& name : rewritten.done) {
    const std::size_t gone = dropped[name];
    session.err() << fmt::format(
        "{}: rewrote what {} expects{}\n", Printable(options.files.scenarios), name,
        gone == 0 ? ""
                  : fmt::format("; {} {} nothing like {} in the story and {} gone: look at them",
                                gone, gone == 1 ? "line has" : "lines have",
                                gone == 1 ? "it" : "them", gone == 1 ? "is" : "are"));
  }
  for (const std::string& refused : rewritten.refused) {
    session.err() << fmt::format("{}: not rewritten: {}\n", Printable(options.files.scenarios),
                                 Printable(refused));
  }
  return red + rewritten.refused.size();
}

absl::StatusOr<int> Test(Session& session, const TestOptions& options) {
  if (options.jobs < 0) return UsageError("--jobs: expected 1 or more");
  if (options.update && options.files.scenarios == "-") {
    return UsageError("--update: standard input cannot be rewritten; name the file");
  }
  TANDEM_ASSIGN_OR_RETURN(WalkInput input, ReadWalkInput(options.files, session.err_look()));
  session.err() << input.problems;
  if (input.has_errors) return kExitFinding;
  TANDEM_RETURN_IF_ERROR(Choose(options.scenarios, input.scenarios));
  if (input.scenarios.empty()) {
    session.err() << fmt::format("{}: no scenarios; write some under `scenarios:`\n",
                                 Printable(options.files.scenarios));
  }
  const std::vector<WalkResult> results = WalkAll(
      input.world, input.scenarios, RunOptions(session, options.jobs, input.scenarios.size()));
  if (session.err_on_terminal()) session.err() << "\r\x1b[K";
  std::vector<replay::Touched> touched;
  std::size_t red = 0;
  for (const WalkResult& result : results) {
    touched.push_back(result.story.touched);
    red += result.verdict.green() ? 0 : 1;
  }
  const replay::Coverage coverage = replay::CoverageOf(*input.world.playbook, touched);
  if (session.options.json) {
    session.out() << ResultsJson(input.scenarios, results, options.coverage ? &coverage : nullptr);
  } else {
    session.out() << ResultsText(options.files.scenarios, input.scenarios, results, session.look());
    if (options.coverage) session.out() << CoverageText(coverage, session.look());
  }
  if (!options.junit.empty()) {
    TANDEM_RETURN_IF_ERROR(ReplaceFile(
        options.junit, ResultsJUnit(options.files.scenarios, input.scenarios, results)));
  }
  if (options.update) {
    TANDEM_ASSIGN_OR_RETURN(red, Update(session, options, input, results));
  }
  return red == 0 ? kExitOk : kExitFinding;
}

struct WalkCommandOptions {
  WalkFiles files;
  std::vector<std::string> scenarios;
  std::string at;
};

absl::StatusOr<int> Walk(Session& session, const WalkCommandOptions& options) {
  TANDEM_ASSIGN_OR_RETURN(WalkInput input, ReadWalkInput(options.files, session.err_look()));
  session.err() << input.problems;
  if (input.has_errors) return kExitFinding;
  TANDEM_RETURN_IF_ERROR(Choose(options.scenarios, input.scenarios));
  if (!options.at.empty()) {
    const auto start = replay::ReadStart(options.at);
    if (!start.ok()) return UsageError(fmt::format("--at: {}", MessageOf(start.status())));
    for (replay::Scenario& scenario : input.scenarios) {
      scenario.start = start->time;
      scenario.zone = start->zone;
    }
  }
  if (input.scenarios.empty()) {
    session.err() << fmt::format("{}: no scenarios; write some under `scenarios:`\n",
                                 Printable(options.files.scenarios));
  }
  const std::vector<WalkResult> results =
      WalkAll(input.world, input.scenarios, RunOptions(session, 0, input.scenarios.size()));
  if (session.err_on_terminal()) session.err() << "\r\x1b[K";
  if (session.options.json) {
    session.out() << ResultsJson(input.scenarios, results, nullptr);
    return kExitOk;
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    session.out() << StoryText(input.scenarios[i], results[i].story, session.look());
  }
  return kExitOk;
}

void AddFiles(const Command& command, WalkFiles& files, std::vector<std::string>& scenarios) {
  command.Add({.names = "--context",
               .help = "What the environment is made of, as `context import` takes it; repeatable",
               .value = "FILE"},
              files.context);
  command.Add({.names = "--scenario", .help = "Only this one; repeatable", .value = "NAME"},
              scenarios);
}

}  // namespace

void AddPlaybookTest(const Command& playbook, Session& session) {
  auto options = std::make_shared<TestOptions>();
  const Command test = playbook.Sub(
      "test",
      "Walk through a playbook's scenarios in virtual time, without a router; exit code 1 when one "
      "goes otherwise. Example: tandem playbook test playbook.yaml --context context.yaml");
  test.Add({.names = "file",
            .help = "A playbook with `scenarios:`; - is standard input",
            .value = "FILE",
            .required = true},
           options->files.scenarios);
  AddFiles(test, options->files, options->scenarios);
  test.Add({.names = "--jobs", .help = "Threads; as many as cores by default", .value = "N"},
           options->jobs);
  test.Add({.names = "--junit", .help = "Write the results as JUnit XML too", .value = "FILE"},
           options->junit);
  test.Flag({"--coverage", "Say which rules, steps and calendars no scenario touches"},
            options->coverage);
  test.Flag({"--update", "Rewrite what red scenarios expect; the rest of the file stays"},
            options->update);
  test.Runs([&session, options] { return Test(session, *options); });
}

void AddWalkCommand(const Command& root, Session& session) {
  auto options = std::make_shared<WalkCommandOptions>();
  const Command walk = root.Sub(
      "walk",
      "Tell the story of scenarios, without a router. Example: tandem walk night.yaml --playbook "
      "playbook.yaml --context context.yaml --at \"2026-12-24 18:00 Europe/Vienna\"");
  walk.Add({.names = "file",
            .help = "Scenarios: a file of their own, or a playbook; - is standard input",
            .value = "FILE",
            .required = true},
           options->files.scenarios);
  walk.Add(
      {.names = "--playbook", .help = "The playbook, when they are not in it", .value = "FILE"},
      options->files.playbook);
  AddFiles(walk, options->files, options->scenarios);
  walk.Add({.names = "--at",
            .help = "Start then instead: \"2026-03-02 12:00 Europe/Vienna\"",
            .value = "TIME"},
           options->at);
  walk.Runs([&session, options] { return Walk(session, *options); });
}

}  // namespace tandem::cli
