#include "services/notifier/reminder.h"

#include <algorithm>

namespace tandem::notifier {

std::optional<std::uint64_t> Reminder::Due(const std::string& text, absl::Time now) {
  const auto found = said_.find(text);
  if (found != said_.end()) {
    if (now < found->second.at + every_) {
      ++found->second.held_back;
      return std::nullopt;
    }
    const std::uint64_t held_back = found->second.held_back;
    found->second = {.at = now};
    return held_back;
  }
  if (said_.size() >= kTextsMax) {
    said_.erase(std::min_element(said_.begin(), said_.end(), [](const auto& a, const auto& b) {
      return a.second.at < b.second.at;
    }));
  }
  said_[text] = {.at = now};
  return 0;
}

}  // namespace tandem::notifier
