// How stories and verdicts look: on a terminal, as JSON, as JUnit XML. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "router/replay/coverage.h"
#include "router/replay/scenario.h"
#include "tools/tandem/look.h"
#include "tools/tandem/walk_run.h"

namespace tandem::cli {

// The story under the scenario's name, a line each; ends with a blank line.
std::string StoryText(const replay::Scenario& scenario, const replay::Story& story,
                      const Look& look);

// A line for each scenario, the difference below those that are red, and a count. `results` belong
// to `scenarios`.
std::string ResultsText(std::string_view file, std::span<const replay::Scenario> scenarios,
                        std::span<const WalkResult> results, const Look& look);

std::string CoverageText(const replay::Coverage& coverage, const Look& look);

// {"scenarios": [{"name", "green", "summary", "line", "story": [{"offset", "incident", "text"}],
// "difference": […]}], "green": 3, "red": 1, "coverage": {…}}, with a newline. `coverage` may be
// nullptr.
std::string ResultsJson(std::span<const replay::Scenario> scenarios,
                        std::span<const WalkResult> results, const replay::Coverage* coverage);

// JUnit's XML, as CI systems read it: a test case for each scenario.
std::string ResultsJUnit(std::string_view file, std::span<const replay::Scenario> scenarios,
                         std::span<const WalkResult> results);

}  // namespace tandem::cli
