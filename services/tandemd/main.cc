// tandemd: reads its configuration and runs the roles that it names.
#include <cstdio>
#include <cstdlib>

#include "services/runtime/command_line.h"
#include "services/runtime/logging.h"
#include "services/tandemd/check_config.h"
#include "services/tandemd/process.h"

int main(int argc, char** argv) {
  const tandem::runtime::StartUp start =
      tandem::runtime::ReadCommandLine(argc, argv, tandem::runtime::TandemEnvironment());
  if (start.to_check) return tandem::tandemd::CheckConfig(start);
  std::fputs(start.out.c_str(), stdout);
  std::fputs(start.err.c_str(), stderr);
  if (!start.config) return start.exit_code;
  tandem::runtime::SetUpLogging(start.config->log);
  tandem::tandemd::Process process(*start.config, [argc, argv] {
    return tandem::runtime::ReadCommandLine(argc, argv, tandem::runtime::TandemEnvironment());
  });
  return process.Run();
}
