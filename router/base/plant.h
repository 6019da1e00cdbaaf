// Planted bugs: an experiment that never failed proves nothing, so each can be run against a build
// that breaks its promise on purpose. Only the program `tandemd-planted` is built so; in every
// other build IsPlanted is false at compile time.
#pragma once

#include <string>
#include <string_view>

namespace tandem {

enum class Plant {
  kNone,
  kAckBeforeCommit,   // answers a batch before it is durable
  kAckOnFullDisk,     // gives a receipt for what the full disk did not take
  kForgetContext,     // forgets the context when the context service goes away
  kForgetGroups,      // recovers without knowing which incident a group of alerts has
  kForgetOutbox,      // commits a record without its deliveries
  kFreshContext,      // decides as if the context service had been heard of just now
  kNewIdPerAttempt,   // calls a receiver under another id each time
  kRetryFsync,        // goes on after a failed commit as if it had been done
  kSkipAtHandOver,    // tells a reader who has caught up with the journal not of the next record
  kTellBeforeCommit,  // tells the feed and the notifier before it is durable
  kTrustWhatWasSent,  // takes a call that nobody has answered for delivered
};

#ifdef TANDEM_PLANTS
bool IsPlanted(Plant plant);
// False for an unknown name; `ack-before-commit` is kAckBeforeCommit, and so on.
bool PlantBug(std::string_view name);
// All names, with `|` between them.
std::string PlantNames();
#else
constexpr bool IsPlanted(Plant) { return false; }
#endif

}  // namespace tandem
