// What a walk-through gives: the story, line by line, and what of the playbook it has touched.
//
// Values; pure.
#pragma once

#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "router/base/ids.h"
#include "router/base/words.h"

namespace tandem::replay {

// More lines than anybody reads; beyond it the story ends with a line that says so.
inline constexpr std::size_t kStoryLinesMax = 100'000;

struct StoryLine {
  absl::Duration at;        // from the start
  IncidentNumber incident;  // 0: of none
  std::string text;         // without offset and number
  friend bool operator==(const StoryLine&, const StoryLine&) = default;
};

// "+5s told noc-desk (noc, step 1)", "+1m #2 acknowledged by eva (customer) for 30m". What has no
// number is about incident 1, so that the story of one incident reads without numbers and stays as
// it is when another joins it; an opening says its number itself.
std::string LineText(const StoryLine& line);

// "+0s", "+2h30m", "+3d4h".
std::string OffsetText(absl::Duration at);

// Indices are those of the playbook.
struct Touched {
  std::set<std::uint32_t> rules;
  std::set<Handling> handlings;
  std::set<std::pair<std::uint32_t, std::uint32_t>> steps;  // (rule, step from 1)
  std::set<std::pair<std::string, bool>> calendars;         // (name as in rules, on)
};

struct Story {
  std::vector<StoryLine> lines;  // as they happened
  Touched touched;
  bool cut = false;    // it was too long, as its last line says
  absl::Duration end;  // how far time went
};

}  // namespace tandem::replay
