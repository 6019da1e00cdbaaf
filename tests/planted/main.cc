// tandemd-planted --plant NAME [what tandemd takes]: tandemd with one planted bug.
#include <cstdio>
#include <cstring>
#include <vector>

#include "router/base/plant.h"
#include "services/runtime/command_line.h"
#include "services/runtime/logging.h"
#include "services/tandemd/process.h"

int main(int argc, char** argv) {
  if (argc < 3 || std::strcmp(argv[1], "--plant") != 0 || !tandem::PlantBug(argv[2])) {
    std::fputs(
        "usage: tandemd-planted --plant ack-before-commit|forget-outbox|retry-fsync [ARGUMENT…]\n",
        stderr);
    return 2;
  }
  std::vector<const char*> arguments = {argv[0]};
  arguments.insert(arguments.end(), argv + 3, argv + argc);
  const tandem::runtime::StartUp start = tandem::runtime::ReadCommandLine(
      static_cast<int>(arguments.size()), arguments.data(), tandem::runtime::TandemEnvironment());
  std::fputs(start.out.c_str(), stdout);
  std::fputs(start.err.c_str(), stderr);
  if (!start.config) return start.exit_code;
  tandem::runtime::SetUpLogging(start.config->log);
  tandem::tandemd::Process process(*start.config);
  return process.Run();
}
