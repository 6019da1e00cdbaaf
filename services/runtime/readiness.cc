#include "services/runtime/readiness.h"

#include <fmt/format.h>

namespace tandem::runtime {

void Readiness::NotReady(std::string_view part, std::string_view reason) {
  const std::lock_guard lock(mutex_);
  missing_.insert_or_assign(std::string(part), std::string(reason));
}

void Readiness::Ready(std::string_view part) {
  const std::lock_guard lock(mutex_);
  if (const auto found = missing_.find(part); found != missing_.end()) missing_.erase(found);
}

void Readiness::Draining() {
  const std::lock_guard lock(mutex_);
  draining_ = true;
}

std::string Readiness::WhyNot() const {
  const std::lock_guard lock(mutex_);
  if (draining_) return "process: stops";
  std::string why;
  for (const auto& [part, reason] : missing_) {
    why += fmt::format("{}{}: {}", why.empty() ? "" : "; ", part, reason);
  }
  return why;
}

}  // namespace tandem::runtime
