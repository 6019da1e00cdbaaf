// Planted bugs: an experiment that never failed proves nothing, so each can be run against a build
// that breaks its promise on purpose. Only the program `tandemd-planted` is built so; in every
// other build IsPlanted is false at compile time.
#pragma once

#include <string_view>

namespace tandem {

enum class Plant {
  kNone,
  kAckBeforeCommit,  // answers a batch before it is durable
  kForgetOutbox,     // commits a record without its deliveries
  kRetryFsync,       // goes on after a failed commit as if it had been done
};

#ifdef TANDEM_PLANTS
bool IsPlanted(Plant plant);
// False for an unknown name: "none", "ack-before-commit", "forget-outbox", "retry-fsync".
bool PlantBug(std::string_view name);
#else
constexpr bool IsPlanted(Plant) { return false; }
#endif

}  // namespace tandem
