#include "tools/tandem/filter.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/base/words.h"
#include "tools/tandem/names.h"

namespace tandem::cli {
namespace {

const std::vector<std::string> kStates = {"open", "acknowledged", "resolved"};
const std::vector<std::string> kSeverities = {"info", "warning", "major", "critical"};
const std::vector<std::string> kSides = {"provider", "customer"};

std::vector<std::string> Alternatives(const std::vector<std::string>& entries) {
  std::vector<std::string> words;
  for (std::string_view entry : entries) {
    while (true) {
      const std::size_t end = entry.find_first_of(",|");
      if (const std::string_view word = entry.substr(0, end); !word.empty()) {
        words.emplace_back(word);
      }
      if (end == std::string_view::npos) break;
      entry.remove_prefix(end + 1);
    }
  }
  return words;
}

absl::Status UnknownWord(std::string_view option, std::string_view word,
                         const std::vector<std::string>& known) {
  const std::string near = NearestName(word, known);
  return UsageError(fmt::format("{} \"{}\": expected one of {}{}", option, Printable(word),
                                fmt::join(known, ", "),
                                near.empty() ? "" : fmt::format("; did you mean {}?", near)));
}

// Appends `key=a|b`. `known` empty: any word that the grammar can carry.
absl::Status AddTerm(std::string_view key, const std::vector<std::string>& entries,
                     const std::vector<std::string>& known, std::vector<std::string>& terms) {
  const std::vector<std::string> words = Alternatives(entries);
  for (const std::string& word : words) {
    if (!known.empty() && std::find(known.begin(), known.end(), word) == known.end()) {
      return UnknownWord(fmt::format("--{}", key), word, known);
    }
  }
  if (!words.empty()) terms.push_back(fmt::format("{}={}", key, fmt::join(words, "|")));
  return absl::OkStatus();
}

absl::Status AddSeverity(std::string_view severity, std::vector<std::string>& terms) {
  if (severity.empty()) return absl::OkStatus();
  const bool exactly = severity[0] == '=';
  if (exactly) severity.remove_prefix(1);
  if (!ParseSeverity(severity)) return UnknownWord("--severity", severity, kSeverities);
  terms.push_back(fmt::format("severity{}{}", exactly ? "=" : ">=", severity));
  return absl::OkStatus();
}

absl::Status AddLabel(std::string_view label, std::vector<std::string>& terms) {
  const std::size_t equals = label.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return UsageError(
        fmt::format("--label \"{}\": expected NAME=VALUE such as site=plant-7", Printable(label)));
  }
  terms.push_back(fmt::format("label.{}", label));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> FilterText(const FilterOptions& options) {
  std::vector<std::string> terms;
  if (!options.filter.empty()) terms.push_back(options.filter);
  TANDEM_RETURN_IF_ERROR(AddTerm("state", options.states, kStates, terms));
  TANDEM_RETURN_IF_ERROR(AddSeverity(options.severity, terms));
  TANDEM_RETURN_IF_ERROR(AddTerm("side", options.sides, kSides, terms));
  TANDEM_RETURN_IF_ERROR(AddTerm("team", options.teams, {}, terms));
  TANDEM_RETURN_IF_ERROR(AddTerm("rule", options.rules, {}, terms));
  for (const std::string& label : options.labels) TANDEM_RETURN_IF_ERROR(AddLabel(label, terms));
  return fmt::format("{}", fmt::join(terms, ","));
}

}  // namespace tandem::cli
