// The files that a walk-through is made of: playbook, context, scenarios.
//
// Reads files; nothing else. One thread.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <vector>

#include "router/playbook/parse.h"
#include "router/replay/scenario.h"
#include "router/replay/walk.h"
#include "tools/tandem/look.h"

namespace tandem::cli {

// The scenarios of a playbook, with the names that it has not got among the findings.
replay::Scenarios ReadScenariosFor(std::string_view source, const playbook::Playbook& playbook);

struct WalkFiles {
  std::string scenarios;             // where scenarios stand; - is standard input
  std::string playbook;              // empty: the same file
  std::vector<std::string> context;  // later files go over earlier ones
};

struct WalkInput {
  std::string source;  // of the file with scenarios
  replay::World world;
  std::vector<replay::Scenario> scenarios;
  std::string problems;  // findings, ready to be shown; with any error the rest is empty
  bool has_errors = false;
};

// Errors as of ReadFile, and USAGE when a name does not say what a context file is.
absl::StatusOr<WalkInput> ReadWalkInput(const WalkFiles& files, const Look& look);

// Only those of these names, in the order of the file; all of them when `names` is empty. USAGE
// with the nearest when there is none of a name.
absl::Status Choose(const std::vector<std::string>& names,
                    std::vector<replay::Scenario>& scenarios);

// Puts `content` in the place of the file at once, with its permissions; a link stays a link.
absl::Status ReplaceFile(const std::string& path, std::string_view content);

}  // namespace tandem::cli
