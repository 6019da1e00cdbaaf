// SIGHUP: reads and checks the whole configuration anew, and takes over what a running process can.
//
// All or nothing: when anything is wrong, or would need a restart, the old configuration stays.
// What changed, or why nothing did, is one line in the log, and stands in
// tandem_config_last_reload_success and tandem_config_last_reload_success_timestamp_seconds. The
// main thread's.
#pragma once

#include <prometheus/gauge.h>

#include <functional>
#include <string>

#include "router/base/clock.h"
#include "services/runtime/command_line.h"
#include "services/runtime/metrics.h"

namespace tandem::tandemd {

class Reloader {
 public:
  struct Parts {
    runtime::Metrics* metrics = nullptr;                // outlives it
    const Clock* clock = nullptr;                       // outlives it
    std::function<runtime::StartUp()> read;             // the configuration as it is now
    std::function<void(const runtime::Config&)> apply;  // takes over the settings that IsLive names
  };
  // Counts the start as the first success.
  explicit Reloader(Parts parts);

  // Whether the configuration is the new one now. REQUIRES: `parts.read`.
  bool Reload(const runtime::Config& current);

 private:
  // "" once the new configuration is taken over, else why it is not.
  std::string Try(const runtime::Config& current);
  void NoteSuccess();

  const Parts parts_;
  prometheus::Gauge& success_;
  prometheus::Gauge& success_time_;
};

}  // namespace tandem::tandemd
