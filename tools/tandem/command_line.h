// The command line: commands, options, help, and the tree that completion is made of.
//
// The one file that knows the option parser (it is slow to compile): commands.cc files describe
// themselves with this and never include it.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace tandem::cli {

// An option or a positional argument (a name without dashes).
struct Option {
  std::string names;  // "-m,--message" or "name"
  std::string help;
  std::string value = "";  // how help calls its value: "TEXT"
  std::string env = "";    // environment variable that stands in for it
  bool required = false;
  std::vector<std::string> choices = {};  // the only values allowed; empty: any
  // An empty value is refused: a script's variable that is not set must not mean "not given".
  bool filled = false;
};

// A command or a group of commands. A handle: copies name the same command, which lives as long as
// the CommandLine.
class Command {
 public:
  // A command below this one. A command with commands below it cannot run itself.
  Command Sub(const std::string& name, const std::string& help) const;

  // What the parser writes into must outlive it.
  void Add(const Option& option, std::string& into) const;
  void Add(const Option& option, std::int64_t& into) const;
  void Add(const Option& option, std::vector<std::string>& into) const;  // repeated
  void Flag(const Option& option, bool& into) const;

  // What it does: the exit code, or an error that is shown.
  void Runs(std::function<absl::StatusOr<int>()> run) const;

 private:
  friend class CommandLine;
  Command(CLI::App* app, std::function<absl::StatusOr<int>()>* chosen)
      : app_(app), chosen_(chosen) {}

  CLI::App* app_;
  std::function<absl::StatusOr<int>()>* chosen_;
};

// The commands as data.
struct CommandTree {
  struct Flag {
    std::string name;  // "--tenant", "-m"
    std::string help;
    bool takes_value = false;
    std::vector<std::string> choices;
  };
  std::string name;
  std::string help;
  std::vector<Flag> flags;
  std::vector<CommandTree> commands;
};

class CommandLine {
 public:
  struct Description {
    std::string name;
    std::string help;
    std::string version;  // the answer to --version
  };
  explicit CommandLine(const Description& description);
  ~CommandLine();

  Command root();
  CommandTree Tree() const;

  struct Parsed {
    // What to run; empty when `text` is the answer.
    std::function<absl::StatusOr<int>()> run;
    std::string text;  // help that was asked for
  };
  // INVALID_ARGUMENT with reason USAGE when the arguments are not understood or not UTF-8.
  absl::StatusOr<Parsed> Parse(int argc, const char* const* argv);

 private:
  std::unique_ptr<CLI::App> app_;
  std::function<absl::StatusOr<int>()> chosen_;
};

}  // namespace tandem::cli
