// tandemd-planted --plant NAME [what tandemd takes]: tandemd with one planted bug.
#include <cstdio>
#include <cstring>
#include <vector>

#include "router/base/plant.h"
#include "services/runtime/command_line.h"
#include "services/runtime/logging.h"
#include "services/tandemd/process.h"

int main(int argc, char** argv) {
  std::vector<const char*> arguments;
  bool planted = false;
  for (int i = 0; i < argc; ++i) {
    if (std::strcmp(argv[i], "--plant") == 0 && i + 1 < argc) {
      planted = tandem::PlantBug(argv[++i]);
    } else {
      arguments.push_back(argv[i]);
    }
  }
  if (!planted) {
    std::fprintf(stderr, "usage: tandemd-planted --plant %s [ARGUMENT…]\n",
                 tandem::PlantNames().c_str());
    return 2;
  }
  const tandem::runtime::StartUp start = tandem::runtime::ReadCommandLine(
      static_cast<int>(arguments.size()), arguments.data(), tandem::runtime::TandemEnvironment());
  std::fputs(start.out.c_str(), stdout);
  std::fputs(start.err.c_str(), stderr);
  if (!start.config) return start.exit_code;
  tandem::runtime::SetUpLogging(start.config->log);
  tandem::tandemd::Process process(*start.config);
  return process.Run();
}
