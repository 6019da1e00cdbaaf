// `tandem version`.
#pragma once

#include "tools/tandem/command_line.h"
#include "tools/tandem/session.h"

namespace tandem::cli {

void AddVersionCommand(const Command& root, Session& session);

}  // namespace tandem::cli
