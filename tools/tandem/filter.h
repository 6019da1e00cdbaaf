// The filter of lists and feeds from the options of the command line. Pure.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <vector>

namespace tandem::cli {

// Each entry may itself list alternatives, parted by commas or bars: `--state open,acknowledged`.
struct FilterOptions {
  std::string filter = {};               // --filter, as the router reads it; passed on unchanged
  std::vector<std::string> states = {};  // --state
  std::string severity = {};             // --severity: this one and above; `=major` for it alone
  std::vector<std::string> sides = {};   // --side
  std::vector<std::string> teams = {};   // --team
  std::vector<std::string> rules = {};   // --rule
  std::vector<std::string> labels = {};  // --label site=plant-7
};

// The terms joined by commas (grammar: ListIncidentsRequest.filter); empty when nothing is asked.
// INVALID_ARGUMENT with reason USAGE for an unknown word, with the nearest valid one.
absl::StatusOr<std::string> FilterText(const FilterOptions& options);

}  // namespace tandem::cli
