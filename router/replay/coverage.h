// What of a playbook no scenario touches: rules, handlings, steps, calendars in both states.
//
// Pure; safe from any thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "router/playbook/playbook.h"
#include "router/replay/story.h"

namespace tandem::replay {

struct Coverage {
  struct Count {
    std::size_t touched = 0, all = 0;
  };
  Count rules, handlings, steps, calendars;  // a calendar counts twice: on and off
  // What is not touched, each as a text, in the order of the playbook: `rule backup`,
  // `rule erp: step 2 (after 20m: plant-management)`, `calendar month-end: never on`. Steps only of
  // rules that are touched.
  std::vector<std::string> untouched;
};

Coverage CoverageOf(const playbook::Playbook& playbook, const std::vector<Touched>& stories);

}  // namespace tandem::replay
