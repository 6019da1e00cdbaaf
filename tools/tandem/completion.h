// Scripts that let a shell complete commands and options, made from the commands themselves. Pure,
// but for the command that prints them.
#pragma once

#include <string>

#include "tools/tandem/command_line.h"
#include "tools/tandem/session.h"

namespace tandem::cli {

// For bash 4 and newer, zsh 5 and fish 3. They complete the words of commands and options and the
// choices of an option; a value without choices completes file names.
std::string BashCompletion(const CommandTree& tree);
std::string ZshCompletion(const CommandTree& tree);
std::string FishCompletion(const CommandTree& tree);

// `line` outlives the session's command.
void AddCompletionCommand(const Command& root, Session& session, const CommandLine& line);

}  // namespace tandem::cli
