#include "tools/tandem/completion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <functional>
#include <memory>
#include <ostream>
#include <vector>

#include "tools/tandem/failure.h"

namespace tandem::cli {
namespace {

using Visit = std::function<void(const std::string& path, const CommandTree& command)>;

// Every command with its path: "" for the root, "incident list".
void Walk(const CommandTree& command, const std::string& path, const Visit& visit) {
  visit(path, command);
  for (const CommandTree& sub : command.commands) {
    Walk(sub, path.empty() ? sub.name : path + " " + sub.name, visit);
  }
}

// For single quotes in any of the shells.
std::string Quoted(std::string_view text) {
  std::string quoted;
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return "'" + quoted + "'";
}

std::vector<std::string> Paths(const CommandTree& tree) {
  std::vector<std::string> paths;
  Walk(tree, "", [&](const std::string& path, const CommandTree&) {
    if (!path.empty()) paths.push_back(Quoted(path));
  });
  return paths;
}

// The part that bash and zsh share: which command the words before the cursor name.
// (Its name is not `path`: zsh ties that one to PATH.)
constexpr char kFindPath[] = R"(  local named='' word i
  for ((i = {first}; i < {current}; i++)); do
    word="${{named:+$named }}${{{words}[i]}}"
    case "$word" in
      {paths}) named="$word" ;;
    esac
  done
)";

std::string WordsOf(const CommandTree& command, const CommandTree& root) {
  std::vector<std::string> words;
  for (const CommandTree& sub : command.commands) words.push_back(sub.name);
  for (const CommandTree::Flag& flag : command.flags) words.push_back(flag.name);
  if (&command != &root) {
    for (const CommandTree::Flag& flag : root.flags) {
      if (flag.name.starts_with("--")) words.push_back(flag.name);
    }
  }
  return fmt::format("{}", fmt::join(words, " "));
}

std::string FishCondition(const std::string& path) {
  return Quoted(fmt::format("test (__tandem_path) = \"{}\"", path));
}

}  // namespace

std::string BashCompletion(const CommandTree& tree) {
  std::string text = "# bash completion for tandem; load with: source <(tandem completion bash)\n";
  text += "_tandem() {\n";
  text +=
      fmt::format(kFindPath, fmt::arg("first", 1), fmt::arg("current", "COMP_CWORD"),
                  fmt::arg("words", "COMP_WORDS"), fmt::arg("paths", fmt::join(Paths(tree), "|")));
  text += "  local words=''\n  case \"$named\" in\n";
  Walk(tree, "", [&](const std::string& path, const CommandTree& command) {
    text += fmt::format("    {}) words={} ;;\n", Quoted(path), Quoted(WordsOf(command, tree)));
  });
  text += "  esac\n";
  text += "  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\n";
  return text + "complete -o default -F _tandem tandem\n";
}

std::string ZshCompletion(const CommandTree& tree) {
  std::string text = "#compdef tandem\n";
  text +=
      "# zsh completion for tandem; put it as _tandem into a folder of $fpath, or load it with:\n";
  text += "# source <(tandem completion zsh)\n";
  text += "_tandem() {\n";
  text += fmt::format(kFindPath, fmt::arg("first", 2), fmt::arg("current", "CURRENT"),
                      fmt::arg("words", "words"), fmt::arg("paths", fmt::join(Paths(tree), "|")));
  text += "  local -a commands options\n  case \"$named\" in\n";
  const auto entry = [](std::string_view name, std::string_view help) {
    std::string shown;
    for (const char c : help) shown += c == ':' ? std::string("\\:") : std::string(1, c);
    return Quoted(fmt::format("{}:{}", name, shown));
  };
  Walk(tree, "", [&](const std::string& path, const CommandTree& command) {
    std::vector<std::string> commands;
    std::vector<std::string> options;
    for (const CommandTree& sub : command.commands) commands.push_back(entry(sub.name, sub.help));
    for (const auto& flag : command.flags) options.push_back(entry(flag.name, flag.help));
    text += fmt::format("    {}) commands=({}); options=({}) ;;\n", Quoted(path),
                        fmt::join(commands, " "), fmt::join(options, " "));
  });
  text += "  esac\n";
  text += "  if [[ \"${words[CURRENT]}\" == -* ]]; then _describe option options\n";
  text += "  elif (( ${#commands} )); then _describe command commands\n";
  text += "  else _files\n  fi\n}\n";
  // Autoloaded, this file is the body of _tandem at its first call, and has to complete at once.
  text += "if [[ \"${funcstack[1]}\" == _tandem ]]; then _tandem \"$@\"\n";
  return text + "else compdef _tandem tandem\nfi\n";
}

std::string FishCompletion(const CommandTree& tree) {
  std::string text =
      "# fish completion for tandem; load with: tandem completion fish | source\n"
      "function __tandem_path\n  set -l path ''\n  for word in (commandline -opc)[2..-1]\n"
      "    set -l next (string trim \"$path $word\")\n    switch $next\n";
  text += fmt::format("      case {}\n", fmt::join(Paths(tree), " "));
  text += "        set path $next\n    end\n  end\n  echo -n \"$path\"\nend\n";
  Walk(tree, "", [&](const std::string& path, const CommandTree& command) {
    for (const CommandTree& sub : command.commands) {
      text += fmt::format("complete -c tandem -f -n {} -a {} -d {}\n", FishCondition(path),
                          sub.name, Quoted(sub.help));
    }
    for (const auto& flag : command.flags) {
      const bool is_long = flag.name.starts_with("--");
      text += fmt::format("complete -c tandem{} {} {}{} -d {}\n",
                          path.empty() ? std::string() : " -n " + FishCondition(path),
                          is_long ? "-l" : "-s", flag.name.substr(is_long ? 2 : 1),
                          flag.takes_value ? " -r" : "", Quoted(flag.help));
    }
  });
  return text;
}

void AddCompletionCommand(const Command& root, Session& session, const CommandLine& line) {
  auto shell = std::make_shared<std::string>();
  const Command completion = root.Sub("completion", "A script for your shell: bash, zsh or fish");
  completion.Add({.names = "shell",
                  .help = "Which shell",
                  .value = "SHELL",
                  .required = true,
                  .choices = {"bash", "zsh", "fish"}},
                 *shell);
  completion.Runs([&session, &line, shell]() -> absl::StatusOr<int> {
    const CommandTree tree = line.Tree();
    session.out() << (*shell == "bash"  ? BashCompletion(tree)
                      : *shell == "zsh" ? ZshCompletion(tree)
                                        : FishCompletion(tree));
    return kExitOk;
  });
}

}  // namespace tandem::cli
