#include "services/runtime/reload.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "services/runtime/config_options.h"

namespace tandem::runtime {
namespace {

constexpr std::array<std::string_view, 5> kLive = {
    "retention", "router.min_free_disk", "notifier.secrets", "log.level", "drain.lameduck"};

// Secrets look alike when they are shown.
bool IsSecretChanged(std::string_view path, const Config& before, const Config& after) {
  if (path == "notifier.secrets") return before.notifier.secrets != after.notifier.secrets;
  if (path == "peers.token") return !(before.peers.token == after.peers.token);
  return false;
}

}  // namespace

bool IsLive(std::string_view path) {
  return std::find(kLive.begin(), kLive.end(), path) != kLive.end();
}

std::vector<ConfigChange> ChangesBetween(const Config& before, const Config& after) {
  std::vector<ConfigChange> changes;
  for (const Option& option : Options()) {
    const std::vector<std::string> from = option.show(before), to = option.show(after);
    if (from == to && !IsSecretChanged(option.path, before, after)) continue;
    changes.push_back({.path = option.path,
                       .from = fmt::format("{}", fmt::join(from, ", ")),
                       .to = fmt::format("{}", fmt::join(to, ", ")),
                       .live = IsLive(option.path)});
  }
  return changes;
}

std::string TextOf(const std::vector<ConfigChange>& changes) {
  std::string text;
  for (const ConfigChange& change : changes) {
    text +=
        fmt::format("{}{}: {} → {}", text.empty() ? "" : "; ", change.path, change.from, change.to);
  }
  return text;
}

}  // namespace tandem::runtime
