#include "router/base/words.h"

#include <algorithm>
#include <string>
#include <utility>

namespace tandem {
namespace {

template <typename Word, std::size_t kCount>
using Spellings = std::array<std::pair<Word, std::string_view>, kCount>;

constexpr Spellings<Side, 2> kSides = {
    {{Side::kProvider, "provider"}, {Side::kCustomer, "customer"}}};
constexpr Spellings<Severity, 4> kSeverities = {{{Severity::kInfo, "info"},
                                                 {Severity::kWarning, "warning"},
                                                 {Severity::kMajor, "major"},
                                                 {Severity::kCritical, "critical"}}};
constexpr Spellings<Handling, 3> kHandlings = {{{Handling::kAutonomous, "autonomous"},
                                                {Handling::kNeedsInput, "needs_input"},
                                                {Handling::kNeedsDecision, "needs_decision"}}};
constexpr Spellings<IncidentState, 3> kStates = {{{IncidentState::kOpen, "open"},
                                                  {IncidentState::kAcknowledged, "acknowledged"},
                                                  {IncidentState::kResolved, "resolved"}}};

constexpr Spellings<Severity, 21> kSeverityLabels = {{
    {Severity::kCritical, "critical"},
    {Severity::kCritical, "page"},
    {Severity::kCritical, "emergency"},
    {Severity::kCritical, "disaster"},
    {Severity::kCritical, "fatal"},
    {Severity::kCritical, "p1"},
    {Severity::kMajor, "major"},
    {Severity::kMajor, "error"},
    {Severity::kMajor, "high"},
    {Severity::kMajor, "p2"},
    {Severity::kWarning, "warning"},
    {Severity::kWarning, "warn"},
    {Severity::kWarning, "minor"},
    {Severity::kWarning, "average"},
    {Severity::kWarning, "p3"},
    {Severity::kInfo, "info"},
    {Severity::kInfo, "informational"},
    {Severity::kInfo, "none"},
    {Severity::kInfo, "ok"},
    {Severity::kInfo, "p4"},
    {Severity::kInfo, "p5"},
}};

template <typename Table, typename Word>
std::string_view Spell(const Table& table, Word word) {
  for (const auto& [candidate, text] : table) {
    if (candidate == word) return text;
  }
  return "";
}

template <typename Word, std::size_t kCount>
std::optional<Word> Read(const Spellings<Word, kCount>& table, std::string_view text) {
  for (const auto& [word, spelling] : table) {
    if (spelling == text) return word;
  }
  return std::nullopt;
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::string_view ToText(Side side) { return Spell(kSides, side); }
std::string_view ToText(Severity severity) { return Spell(kSeverities, severity); }
std::string_view ToText(Handling handling) { return Spell(kHandlings, handling); }
std::string_view ToText(IncidentState state) { return Spell(kStates, state); }

std::optional<Side> ParseSide(std::string_view text) { return Read(kSides, text); }
std::optional<Severity> ParseSeverity(std::string_view text) { return Read(kSeverities, text); }
std::optional<Handling> ParseHandling(std::string_view text) { return Read(kHandlings, text); }
std::optional<IncidentState> ParseIncidentState(std::string_view text) {
  return Read(kStates, text);
}

Severity SeverityOfLabel(std::string_view label) {
  for (const auto& [severity, spelling] : kSeverityLabels) {
    if (std::equal(label.begin(), label.end(), spelling.begin(), spelling.end(),
                   [](char a, char b) { return Lower(a) == b; })) {
      return severity;
    }
  }
  return Severity::kWarning;
}

}  // namespace tandem
