// Time zones by their IANA name, with a reason for each refusal.
//
// Pure but for the time-zone database of the machine. Safe from any thread.
#pragma once

#include <absl/time/time.h>

#include <string>

namespace tandem::playbook {

// Sets `zone` and returns ""; or returns why there is no such zone, for a message, and leaves it.
// An empty name is UTC. Names that hang on the machine's set-up (`local`, paths) are refused.
std::string LoadZone(const std::string& name, absl::TimeZone& zone);

}  // namespace tandem::playbook
