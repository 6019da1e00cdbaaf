// What tandem-agent tells people and scripts: progress on a terminal, the summary, the exit code.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <string>

#include "tools/agent/client_options.h"

namespace tandem::client {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFinding = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitUnreachable = 3;

struct AgentSummary {
  ClientStats stats;
  std::uint64_t bad_lines = 0;
  bool turned_away = false;  // the router would not have this agent
  absl::Duration took;
};

// "1 alert", "2 alerts".
std::string CountedAlerts(std::uint64_t count);

// One JSON object on one line; member names are stable.
std::string SummaryJson(const AgentSummary& summary);
// A few lines for people.
std::string SummaryText(const AgentSummary& summary);

// kExitUnreachable when the router turned the agent away or alerts wait without a receipt;
// kExitFinding when some were refused, dropped or unreadable.
int ExitCodeOf(const AgentSummary& summary);

// A line on stderr that rewrites itself, at most five times a second; nothing unless stderr is a
// terminal. Not thread-safe.
class Progress {
 public:
  Progress();
  void Show(const ClientStats& stats);
  // Ends the line.
  void End();

 private:
  const bool on_terminal_;
  bool shown_ = false;
  absl::Time last_ = absl::InfinitePast();
};

}  // namespace tandem::client
