// The closed vocabularies of the domain, and their spelling in playbooks, JSON and on terminals.
// Numbers equal those of proto/tandem/v1/common.proto and are stored: never renumber.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tandem {

enum class Side : std::uint8_t { kUnspecified = 0, kProvider = 1, kCustomer = 2 };
enum class Severity : std::uint8_t { kInfo = 1, kWarning = 2, kMajor = 3, kCritical = 4 };
enum class Handling : std::uint8_t { kAutonomous = 1, kNeedsInput = 2, kNeedsDecision = 3 };
enum class IncidentState : std::uint8_t { kOpen = 1, kAcknowledged = 2, kResolved = 3 };

// "provider", "critical", "needs_input", "acknowledged"; "" for kUnspecified.
std::string_view ToText(Side side);
std::string_view ToText(Severity severity);
std::string_view ToText(Handling handling);
std::string_view ToText(IncidentState state);

// The reverse, by exactly these spellings; nullopt for anything else.
std::optional<Side> ParseSide(std::string_view text);
std::optional<Severity> ParseSeverity(std::string_view text);
std::optional<Handling> ParseHandling(std::string_view text);
std::optional<IncidentState> ParseIncidentState(std::string_view text);

// What the label `severity` of an alert means; the table stands at `Severity` in
// proto/tandem/v1/common.proto. Anything unknown, and "", is a warning.
Severity SeverityOfLabel(std::string_view label);

}  // namespace tandem
