// From argv to a configuration: `tandemd --config FILE --grpc.listen 127.0.0.1:7443`.
//
// Does no I/O but to read the configuration; what is to be printed is returned.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "services/runtime/config.h"

namespace tandem::runtime {

struct StartUp {
  std::optional<Config> config;  // nullopt: print and end
  // --check-config found nothing wrong with what was written; what it names is still to be looked
  // at (check_files.h). Then `out` is for the case that nothing is wrong with that either.
  std::optional<LoadedConfig> to_check = {};
  int exit_code = 0;  // 0, 1 (--check-config found something) or 2 (cannot start so)
  std::string out;    // for stdout
  std::string err;    // for stderr: errors and warnings, ends with a newline unless empty
};

// Understands --help, --version, --check-config, --print-config, --config FILE (or TANDEM_CONFIG)
// and one flag for each setting. A flag that is unknown is refused with the nearest name.
StartUp ReadCommandLine(int argc, const char* const* argv,
                        const std::map<std::string, std::string>& environment);

// Those variables of this process that begin with TANDEM_.
std::map<std::string, std::string> TandemEnvironment();

}  // namespace tandem::runtime
