// From the text of a playbook to a compiled one, with every mistake named by its position.
//
// Pure; safe from any thread.
#pragma once

#include <cstddef>
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
  std::uint32_t column = 0;  // from 1, in characters
  std::string message;       // what was found, what was expected, the nearest valid name
  friend bool operator==(const Finding&, const Finding&) = default;
};

struct Compiled {
  std::shared_ptr<const Playbook> playbook;  // nullptr when there is any error
  std::vector<Finding> findings;             // by line, all of them, not just the first
};

// The largest source, in bytes. A request that carries it, and an answer, are well within the 4 MiB
// that gRPC takes by default.
inline constexpr std::size_t kSourceBytesMax = 3 << 20;

// "the playbook has 3,145,729 bytes; at most 3,145,728 (3 MiB) are taken: …", or "" when `source`
// is not too large.
std::string TooLarge(std::string_view source);

// Limits: kSourceBytesMax, nesting 32, 250,000 values, 20,000 rules, 1,000 of each of teams,
// people, contacts, calendars, schedules, escalations; beyond any of them an error says so. Of more
// than 1,000 findings the first 1,000 are told. A source of 3 MiB may take two seconds: not for a
// thread that others wait for.
Compiled CompilePlaybook(std::string_view source);

}  // namespace tandem::playbook
