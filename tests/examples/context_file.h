// The entities of a context file, for tests that need no context service.
#pragma once

#include <string_view>
#include <vector>

#include "router/playbook/environment.h"

namespace tandem::playbook {

// Every entity under `entities:`; a test failure for whatever is not as the format says.
std::vector<EntitySpec> ReadContextFile(std::string_view source);

}  // namespace tandem::playbook
