// What a step of a scenario may do: one table, one entry for each verb.
//
// A new verb is a struct in scenario.h, an entry here and an overload in walk.cc, which does not
// compile without it. Pure; serves one reading.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "router/playbook/node.h"
#include "router/playbook/reader.h"
#include "router/replay/scenario.h"

namespace tandem::replay {

// The longest story, and the largest offset: a year and a month.
inline constexpr absl::Duration kStoryMax = absl::Hours(24 * 400);

// The verbs, as messages list them.
const std::vector<std::string>& Verbs();

// What a step does: the value under the one verb that it has. Nothing, with findings, when there is
// none, more than one, or its value is not as expected.
Action ReadAction(const playbook::ConfigNode& step, playbook::Reader& reader);

// An entity in the form of context files; nullopt with findings.
std::optional<playbook::EntitySpec> ReadEntity(const playbook::ConfigNode& node,
                                               playbook::Reader& reader);

}  // namespace tandem::replay
