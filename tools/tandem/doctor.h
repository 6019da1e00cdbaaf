// What `tandem doctor` found: a line for each check, with what to do when it is not well.
//
// The checks themselves are in doctor_probes.h. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tools/tandem/look.h"

namespace tandem::cli {

struct Check {
  enum class Level {
    kGood,
    kNotice,  // works, but somebody should look; or could not be seen with this token
    kBad,     // does not work
  };
  Level level = Level::kGood;
  std::string what;    // "token"
  std::string found;   // "valid until …"
  std::string advice;  // a sentence; empty when there is nothing to do
};

// "✓ token      ana (responder of the customer side)", the advice on a line of its own below.
std::string CheckText(const Check& check, const Look& look);

// "12 checks: 10 good, 1 to look at, 1 bad".
std::string CheckSummary(std::span<const Check> checks);

// One JSON object: {"checks":[{"level":"good","what":…,"found":…,"advice":…}]}.
std::string ChecksJson(std::span<const Check> checks);

bool AnyBad(std::span<const Check> checks);

}  // namespace tandem::cli
