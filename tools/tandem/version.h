// `tandem version`.
#pragma once

#include <string>

#include "tools/tandem/command_line.h"
#include "tools/tandem/session.h"

namespace tandem::cli {

// "tandem 0.1.0 (gRPC 1.51.1, protobuf 3.21.12, g++ 12.2.0)".
std::string VersionText();

void AddVersionCommand(const Command& root, Session& session);

}  // namespace tandem::cli
