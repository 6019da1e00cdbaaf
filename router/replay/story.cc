#include "router/replay/story.h"

#include <fmt/format.h>

#include "router/base/text.h"

namespace tandem::replay {

std::string OffsetText(absl::Duration at) { return "+" + DurationText(at); }

std::string LineText(const StoryLine& line) {
  const bool numbered = line.incident.value > 1 && !line.text.starts_with("opened #");
  if (!numbered) return fmt::format("{} {}", OffsetText(line.at), line.text);
  return fmt::format("{} #{} {}", OffsetText(line.at), line.incident.value, line.text);
}

}  // namespace tandem::replay
