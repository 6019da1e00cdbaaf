#include "router/base/plant.h"

#include <array>
#include <atomic>
#include <utility>

namespace tandem {
namespace {

constexpr std::array<std::pair<std::string_view, Plant>, 12> kPlants = {{
    {"none", Plant::kNone},
    {"ack-before-commit", Plant::kAckBeforeCommit},
    {"ack-on-full-disk", Plant::kAckOnFullDisk},
    {"forget-context", Plant::kForgetContext},
    {"forget-groups", Plant::kForgetGroups},
    {"forget-outbox", Plant::kForgetOutbox},
    {"fresh-context", Plant::kFreshContext},
    {"new-id-per-attempt", Plant::kNewIdPerAttempt},
    {"retry-fsync", Plant::kRetryFsync},
    {"skip-at-hand-over", Plant::kSkipAtHandOver},
    {"tell-before-commit", Plant::kTellBeforeCommit},
    {"trust-what-was-sent", Plant::kTrustWhatWasSent},
}};

std::atomic<Plant> planted{Plant::kNone};

}  // namespace

bool IsPlanted(Plant plant) { return planted.load() == plant; }

bool PlantBug(std::string_view name) {
  for (const auto& [known, plant] : kPlants) {
    if (known != name) continue;
    planted = plant;
    return true;
  }
  return false;
}

std::string PlantNames() {
  std::string names;
  for (const auto& [name, plant] : kPlants) {
    if (!names.empty()) names += '|';
    names += name;
  }
  return names;
}

}  // namespace tandem
