#include "services/runtime/health.h"

#include <algorithm>
#include <utility>

#include "services/runtime/logging.h"

namespace tandem::runtime {

void Health::Add(Part part) { watched_.push_back({std::move(part), std::nullopt}); }

void Health::Look() {
  for (Watched& watched : watched_) {
    const Part& part = watched.part;
    std::string why_not = part.why_not();
    if (watched.last == why_not) continue;
    const bool well = why_not.empty();
    if (well) {
      readiness_->Ready(part.name);
    } else {
      readiness_->NotReady(part.name, why_not);
    }
    for (const std::string& service : part.services) set_serving_(service, well);
    if (!well) {
      Log(LogLevel::kError, "not serving", {{"part", part.name}, {"reason", why_not}});
    } else if (watched.last) {
      Log(LogLevel::kInfo, "serving again", {{"part", part.name}});
    }
    watched.last = std::move(why_not);
  }
  const bool all_well = std::all_of(watched_.begin(), watched_.end(),
                                    [](const Watched& watched) { return watched.last->empty(); });
  if (std::exchange(all_well_, all_well) != all_well) set_serving_("", all_well);
}

}  // namespace tandem::runtime
