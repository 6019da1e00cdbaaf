// Plays many scenarios at once, on threads of its own.
//
// Returns when all are done; results stand in the order of the scenarios, so that the number of
// threads cannot be seen in them.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "router/replay/scenario.h"
#include "router/replay/story.h"
#include "router/replay/verdict.h"
#include "router/replay/walk.h"

namespace tandem::cli {

struct WalkResult {
  replay::Story story;
  replay::Verdict verdict;
};

struct WalkOptions {
  std::size_t jobs = 0;  // threads; 0: as many as the machine has cores
  // Told how many are done, a few times a second, once it takes over a second; may be empty. Called
  // on the calling thread.
  std::function<void(std::size_t done)> progress;
};

std::vector<WalkResult> WalkAll(const replay::World& world,
                                const std::vector<replay::Scenario>& scenarios,
                                const WalkOptions& options);

}  // namespace tandem::cli
