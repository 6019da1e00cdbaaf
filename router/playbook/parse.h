// From the text of a playbook to a compiled one, with every mistake named by its position.
//
// Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "router/playbook/playbook.h"

namespace tandem::playbook {

struct Finding {
  enum class Level { kWarning, kError };
  Level level = Level::kError;
  std::uint32_t line = 0;    // from 1; 0: the whole file
  std::uint32_t column = 0;  // from 1
  std::string message;       // what was found, what was expected, the nearest valid name
  friend bool operator==(const Finding&, const Finding&) = default;
};

struct Compiled {
  std::shared_ptr<const Playbook> playbook;  // nullptr when there is any error
  std::vector<Finding> findings;             // by line, all of them, not just the first
};

// Limits: 4 MiB, nesting 32, 20,000 rules, 1,000 of each of teams, contacts, calendars,
// escalations.
Compiled CompilePlaybook(std::string_view source);

}  // namespace tandem::playbook
