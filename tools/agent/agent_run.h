// What tandem-agent does between its command line and its exit code.
#pragma once

#include "tools/agent/agent_settings.h"

namespace tandem::client {

// Sends until the input ends or a signal comes, then waits for receipts and prints the summary.
// Returns the exit code.
int RunAgent(AgentSettings settings);

}  // namespace tandem::client
