// What differs between two configurations, and which of it a running process can take over.
//
// Pure; safe from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "services/runtime/config.h"

namespace tandem::runtime {

struct ConfigChange {
  std::string path;   // "log.level"
  std::string from;   // as --print-config shows it; secrets as ***
  std::string to;     // likewise
  bool live = false;  // false: needs a restart
};

// In the order of --help; empty when both mean the same.
std::vector<ConfigChange> ChangesBetween(const Config& before, const Config& after);

// Whether a running process takes this setting over.
bool IsLive(std::string_view path);

// "log.level: info → debug", separated by "; ".
std::string TextOf(const std::vector<ConfigChange>& changes);

}  // namespace tandem::runtime
