// Whether a story is the one that was expected, and where it is not.
//
// Pure; safe from any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "router/replay/scenario.h"
#include "router/replay/story.h"

namespace tandem::replay {

struct Verdict {
  // For each expected line the line of the story that it is; the longest common subsequence, so
  // that one line that is missing takes no other with it.
  std::vector<std::optional<std::size_t>> met;
  // Lines of the story that `whole` does not allow.
  std::vector<std::size_t> unexpected;
  struct Forbidden {
    std::size_t never = 0, line = 0;  // into Scenario::never and Story::lines
  };
  std::vector<Forbidden> forbidden;
  std::size_t missing = 0;       // how many of `met` are empty
  bool expects_nothing = false;  // neither `expect` nor `never`: it would be green whatever happens

  bool green() const {
    return missing == 0 && unexpected.empty() && forbidden.empty() && !expects_nothing;
  }
};

Verdict Judge(const Scenario& scenario, const Story& story);

// "2 of 5 expected lines did not occur; 1 line that must not occur did". "" when it is green.
std::string Summary(const Verdict& verdict);

// The line of the story in [begin, end) that resembles `text` most; nullopt when none does. The
// first of equals.
struct LineRange {
  std::size_t begin = 0, end = 0;
};
std::optional<std::size_t> Nearest(const Story& story, std::string_view text, LineRange range);

// What the story could be expected to be: the expected lines that occurred, each missing one
// replaced by what resembles it between its neighbours, or left out. The whole story where `whole`
// asks for it or nothing is expected yet.
struct NewLine {
  std::string text;
  std::optional<std::size_t> old;  // the expected line that it is or stands for
  bool same = false;               // as that one was
};
std::vector<NewLine> NewExpectation(const Scenario& scenario, const Story& story,
                                    const Verdict& verdict);

// The difference, line by line. Lines that occurred are shown only next to those that matter.
struct DiffLine {
  enum class Kind { kOccurred, kMissing, kNearest, kUnexpected, kForbidden, kLeftOut };
  Kind kind = Kind::kOccurred;
  std::string text;
};
std::vector<DiffLine> Diff(const Scenario& scenario, const Story& story, const Verdict& verdict);
// "  " occurred, "- " missing, "~ " resembles the line above, "+ " not expected, "! " must not
// occur.
std::string_view MarkOf(DiffLine::Kind kind);

}  // namespace tandem::replay
