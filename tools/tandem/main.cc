// `tandem`: the command line for people. Reads the arguments, runs one command, says how it went.
#include <fmt/format.h>

#include <cstdlib>
#include <iostream>

#include "router/base/clock.h"
#include "router/rpc/grpc_status.h"
#include "tools/tandem/command_line.h"
#include "tools/tandem/commands.h"
#include "tools/tandem/completion.h"
#include "tools/tandem/failure.h"
#include "tools/tandem/session.h"
#include "tools/tandem/version.h"

namespace tandem::cli {
namespace {

int Fail(Session& session, const absl::Status& status) {
  session.err() << (session.options.json ? FailureJson(status)
                                         : RenderFailure(status, session.err_look()));
  return rpc::ExitCode(status);
}

int Main(int argc, const char* const* argv) {
  // What gRPC would log about a connection is told by our own error; who looks for more sets it.
  setenv("GRPC_VERBOSITY", "NONE", 0);
  const SystemClock clock;
  Session session(std::cout, std::cerr, clock);
  CommandLine line({.name = "tandem",
                    .help = "Tandem routes incidents between a provider and its customers.",
                    .version = VersionText()});
  const Command root = line.root();
  AddCommonOptions(root, session.options);
  AddAlertCommands(root, session);
  AddIncidentCommands(root, session);
  AddFeedCommand(root, session);
  AddPlaybookCommands(root, session);
  AddWalkCommand(root, session);
  AddScheduleCommands(root, session);
  AddContextCommands(root, session);
  AddJournalCommands(root, session);
  AddAdminCommands(root, session);
  AddDoctorCommands(root, session);
  AddCompletionCommand(root, session, line);
  AddVersionCommand(root, session);

  const absl::StatusOr<CommandLine::Parsed> parsed = line.Parse(argc, argv);
  session.LookAround();
  if (!parsed.ok()) return Fail(session, parsed.status());
  if (!parsed->run) {
    std::cout << parsed->text;
    return kExitOk;
  }
  const absl::StatusOr<int> code = parsed->run();
  std::cout.flush();
  return code.ok() ? *code : Fail(session, code.status());
}

}  // namespace
}  // namespace tandem::cli

int main(int argc, char** argv) { return tandem::cli::Main(argc, argv); }
