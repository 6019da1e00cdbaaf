// The commands of `tandem`, each file its own: options and what they do stand together.
//
// Each function adds its commands to `root`; options are kept alive by the command itself. What a
// command returns is the exit code (see failure.h); errors are shown by main.
#pragma once

#include "tools/tandem/command_line.h"
#include "tools/tandem/session.h"

namespace tandem::cli {

void AddAlertCommands(const Command& root, Session& session);
void AddIncidentCommands(const Command& root, Session& session);
void AddFeedCommand(const Command& root, Session& session);
void AddPlaybookCommands(const Command& root, Session& session);
// `test`, below `playbook`.
void AddPlaybookTest(const Command& playbook, Session& session);
void AddWalkCommand(const Command& root, Session& session);
void AddScheduleCommands(const Command& root, Session& session);  // schedule, oncall
void AddContextCommands(const Command& root, Session& session);
void AddJournalCommands(const Command& root, Session& session);
void AddAdminCommands(const Command& root, Session& session);
void AddDoctorCommands(const Command& root, Session& session);  // doctor, health

// What CommonOptions holds, on the root.
void AddCommonOptions(const Command& root, CommonOptions& options);

}  // namespace tandem::cli
