#include "router/engine/command.h"

namespace tandem::engine {

std::size_t WeightOf(const Command& command) {
  constexpr std::size_t kOverhead = 512;
  if (const auto* alerts = std::get_if<AlertsReceived>(&command.request)) {
    // The bytes, and the views into them: about 200 bytes an alert.
    return kOverhead + alerts->batch.bytes().size() + alerts->batch.items.size() * 200;
  }
  if (const auto* change = std::get_if<core::ContextChange>(&command.request)) {
    return kOverhead + change->put.size() * 1024;
  }
  if (const auto* activation = std::get_if<core::PlaybookActivation>(&command.request)) {
    return kOverhead + activation->playbook->source().size();
  }
  return kOverhead;
}

}  // namespace tandem::engine
