// Plays a scenario through the core that runs in production, in virtual time.
//
// Nothing of the core is repeated here: inputs go to core::Step, deadlines come from
// core::NextDeadline, and the story is told from the facts (teller.h). Where several things are due
// at one instant, deadlines come first, then what the notifier reports, then the scenario's next
// step.
//
// Pure: equal arguments give an equal story. Safe from any thread; playbook and entities may be
// shared between walks.
#pragma once

#include <memory>

#include "router/playbook/environment.h"
#include "router/playbook/playbook.h"
#include "router/replay/scenario.h"
#include "router/replay/story.h"

namespace tandem::replay {

// What stands before the first step.
struct World {
  std::shared_ptr<const playbook::Playbook> playbook;  // not null
  playbook::Environment environment;
};

// The story until `scenario.until`; without it until no deadline is left, or 24 hours after the
// last step, whichever is first. See kStoryLinesMax for one that is too long.
Story Walk(const World& world, const Scenario& scenario);

}  // namespace tandem::replay
