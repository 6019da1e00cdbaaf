// The end of --check-config: looks at the files that a configuration names and prints what is
// wrong.
//
// The main thread's.
#pragma once

#include "services/runtime/command_line.h"

namespace tandem::tandemd {

// Warnings and errors to stderr, what is right to stdout. Returns the exit code: 0, or 1 when
// something is wrong. REQUIRES: start.to_check.
int CheckConfig(const runtime::StartUp& start);

}  // namespace tandem::tandemd
