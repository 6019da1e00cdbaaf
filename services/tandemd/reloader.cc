#include "services/tandemd/reloader.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "router/base/status.h"
#include "services/runtime/check_files.h"
#include "services/runtime/logging.h"
#include "services/runtime/reload.h"
#include "services/runtime/sd_notify.h"
#include "services/tandemd/signing_secrets.h"

namespace tandem::tandemd {
namespace {

using runtime::ConfigChange;
using runtime::Log;
using runtime::LogLevel;

// What systemd wants to hear before and after; it tells from the time which reload is meant.
class Reloading {
 public:
  Reloading() {
    timespec now = {};
    clock_gettime(CLOCK_MONOTONIC, &now);
    const std::int64_t us = std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
    runtime::NotifySystemd(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", us));
  }
  ~Reloading() { runtime::NotifySystemd("READY=1"); }
};

}  // namespace

Reloader::Reloader(Parts parts)
    : parts_(std::move(parts)),
      success_(parts_.metrics
                   ->Gauges("config_last_reload_success",
                            "1 when the configuration in force is the one that was read last")
                   .Add({})),
      success_time_(parts_.metrics
                        ->Gauges("config_last_reload_success_timestamp_seconds",
                                 "When the configuration in force was read, since 1970")
                        .Add({})) {
  NoteSuccess();
}

bool Reloader::Reload(const runtime::Config& current) {
  const Reloading reloading;
  const std::string why_not = Try(current);
  if (why_not.empty()) {
    NoteSuccess();
    return true;
  }
  success_.Set(0);
  Log(LogLevel::kError, "the configuration was not reloaded; the old one stays in force",
      {{"error", why_not}});
  return false;
}

std::string Reloader::Try(const runtime::Config& current) {
  const runtime::StartUp start = parts_.read();
  if (!start.config) return start.err;
  const runtime::FilesReport files =
      runtime::CheckFiles({.config = *start.config}, parts_.clock->Now());
  if (!files.errors.empty()) return runtime::LinesOf(files.errors);
  if (const auto secrets = SecretBookOf(*start.config); !secrets.ok()) {
    return std::string(MessageOf(secrets.status()));
  }
  const std::vector<ConfigChange> changes = runtime::ChangesBetween(current, *start.config);
  std::vector<ConfigChange> fixed;
  std::copy_if(changes.begin(), changes.end(), std::back_inserter(fixed),
               [](const ConfigChange& change) { return !change.live; });
  if (!fixed.empty()) return fmt::format("needs a restart: {}", runtime::TextOf(fixed));
  // Before the new level of the log counts, and `current` may be what `apply` changes.
  const std::string text = changes.empty() ? "nothing" : runtime::TextOf(changes);
  Log(LogLevel::kInfo, "the configuration was reloaded", {{"changed", text}});
  parts_.apply(*start.config);
  for (const std::string& warning : files.warnings) Log(LogLevel::kWarn, warning);
  return "";
}

void Reloader::NoteSuccess() {
  success_.Set(1);
  success_time_.Set(absl::ToDoubleSeconds(parts_.clock->Now() - absl::UnixEpoch()));
}

}  // namespace tandem::tandemd
