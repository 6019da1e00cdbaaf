// What tandem-agent was asked to do, read from its command line.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>

#include "tools/agent/client_options.h"

namespace tandem::client {

enum class Input { kFile, kStdin, kStorm };

struct StormSettings {
  std::string rules_file;
  std::string context_file;
  double rate = 100;        // alerts a second; 0: as fast as they are taken
  std::uint64_t count = 0;  // 0: until `duration` is over
  absl::Duration duration = absl::InfiniteDuration();
  std::uint64_t seed = 1;
  double resolve_share = 0.2;
  double repeat_share = 0.1;
};

struct AgentSettings {
  ClientOptions client;
  Input input = Input::kStdin;
  std::string file;
  StormSettings storm;
  bool strict = false;
  bool json = false;
  std::string ack_log;
  std::string alert_log;
  // How long to wait for the last receipts at the end.
  absl::Duration drain = absl::Seconds(30);
};

// Settings to run with, or the exit code when there is nothing to run: 0 after --help and
// --version, 2 after a mistake, which was written to stderr.
struct ParsedArguments {
  std::optional<AgentSettings> settings;
  int exit_code = 0;
};
ParsedArguments ParseArguments(int argc, char** argv);

}  // namespace tandem::client
