// Writes new expectations into the text of a file, and leaves every other byte as it is: comments,
// blank lines, and the lines that stay.
//
// Pure; safe from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "router/replay/verdict.h"

namespace tandem::replay {

struct NewBlock {
  std::string scenario;  // its name
  std::vector<NewLine> lines;
};

struct Rewritten {
  std::string source;
  std::vector<std::string> done;     // scenarios that were rewritten
  std::vector<std::string> refused;  // `name: why not`; those are as they were
};

// REQUIRES: ReadScenarios(source) has no errors.
Rewritten RewriteExpectations(std::string_view source, const std::vector<NewBlock>& blocks);

}  // namespace tandem::replay
