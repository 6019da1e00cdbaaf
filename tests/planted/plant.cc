#include "router/base/plant.h"

#include <atomic>

namespace tandem {
namespace {

std::atomic<Plant> planted{Plant::kNone};

}  // namespace

bool IsPlanted(Plant plant) { return planted.load() == plant; }

bool PlantBug(std::string_view name) {
  if (name == "none") {
    planted = Plant::kNone;
  } else if (name == "ack-before-commit") {
    planted = Plant::kAckBeforeCommit;
  } else if (name == "forget-outbox") {
    planted = Plant::kForgetOutbox;
  } else if (name == "retry-fsync") {
    planted = Plant::kRetryFsync;
  } else {
    return false;
  }
  return true;
}

}  // namespace tandem
