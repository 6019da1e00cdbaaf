#include "tools/tandem/command_line.h"

#include <fmt/format.h>
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
#include <optional>
#include <utility>

#include "router/base/text.h"
#include "tools/tandem/names.h"

namespace tandem::cli {
namespace {

constexpr char kFooter[] =
    "Options of every command (address, token, tenant, --json …): tandem --help";

void Finish(CLI::Option* made, const Option& option) {
  if (!option.value.empty()) made->type_name(option.value);
  if (!option.env.empty()) made->envname(option.env);
  if (option.required) made->required();
  if (option.filled) {
    made->check([](const std::string& value) {
      return std::string(value.empty() ? "is empty; give it a value or leave it out" : "");
    });
  }
  if (!option.choices.empty()) made->check(CLI::IsMember(option.choices));
}

std::vector<std::string> ChoicesOf(const CLI::Option& option) {
  // The parser keeps the choices inside a validator, whose description reads "{a,b}".
  std::string text = option.get_type_name();
  const std::size_t open = text.find('{');
  const std::size_t close = text.find('}');
  std::vector<std::string> choices;
  if (open == std::string::npos || close == std::string::npos || close < open) return choices;
  text = text.substr(open + 1, close - open - 1);
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    choices.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return choices;
}

CommandTree TreeOf(const CLI::App& app) {
  CommandTree tree;
  tree.name = app.get_name();
  tree.help = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    const bool takes_value = option->get_expected_max() > 0;
    for (const std::string& name : option->get_lnames()) {
      tree.flags.push_back(
          {"--" + name, option->get_description(), takes_value, ChoicesOf(*option)});
    }
    for (const std::string& name : option->get_snames()) {
      tree.flags.push_back({"-" + name, option->get_description(), takes_value, {}});
    }
  }
  for (const CLI::App* sub : app.get_subcommands({})) tree.commands.push_back(TreeOf(*sub));
  return tree;
}

// The innermost command that was understood, with the words that lead to it.
struct Place {
  const CLI::App* command = nullptr;
  std::string path;
};
Place PlaceOf(const CLI::App& root) {
  Place at{&root, root.get_name()};
  while (!at.command->get_subcommands().empty()) {
    at.command = at.command->get_subcommands().front();
    at.path += " " + at.command->get_name();
  }
  return at;
}

std::vector<std::string> NamesOf(const std::vector<const CLI::App*>& commands) {
  std::vector<std::string> names;
  names.reserve(commands.size());
  for (const CLI::App* command : commands) names.push_back(command->get_name());
  return names;
}

std::string DidYouMean(std::string_view word, const std::vector<std::string>& known) {
  const std::string nearest = NearestName(word, known);
  return nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest);
}

// Why the first of the words `left` that no command took was not taken.
std::string NotUnderstood(const CLI::App& root, const std::vector<std::string>& left) {
  const Place at = PlaceOf(root);
  for (const std::string& word : left) {
    if (!word.starts_with("-") || word == "-") continue;
    std::vector<std::string> known;
    for (const CLI::App* app : {at.command, &root}) {
      for (const CLI::Option* option : app->get_options()) {
        for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
      }
    }
    const std::string name = word.substr(0, word.find('='));
    return fmt::format("`{}` has no option {}{}", at.path, Shown(name), DidYouMean(name, known));
  }
  const std::string word = left.empty() ? "" : left.front();
  const std::vector<std::string> commands = NamesOf(at.command->get_subcommands({}));
  if (commands.empty()) {
    return fmt::format("`{}` takes no \"{}\"; put a value with blanks in quotes", at.path,
                       Shown(word));
  }
  const std::string near = DidYouMean(word, commands);
  return fmt::format("`{}` has no command \"{}\"{}", at.path, Shown(word),
                     near.empty() ? fmt::format("; expected {}", fmt::join(commands, ", ")) : near);
}

// Help was asked for a command that there is not: why not, or nullopt.
std::optional<std::string> UnknownCommand(const CLI::App& root) {
  if (PlaceOf(root).command->get_subcommands({}).empty()) return std::nullopt;
  const std::vector<std::string> left = root.remaining(true);
  const bool all_options = std::all_of(left.begin(), left.end(), [](const std::string& word) {
    return word.starts_with("-") && word != "-";
  });
  if (all_options) return std::nullopt;
  return NotUnderstood(root, left);
}

}  // namespace

Command Command::Sub(const std::string& name, const std::string& help) const {
  CLI::App* sub = app_->add_subcommand(name, help);
  sub->fallthrough();  // --tenant and its like may stand behind the command
  sub->footer(kFooter);
  return {sub, chosen_};
}

void Command::Add(const Option& option, std::string& into) const {
  Finish(app_->add_option(option.names, into, option.help), option);
}

void Command::Add(const Option& option, std::int64_t& into) const {
  Finish(app_->add_option(option.names, into, option.help), option);
}

void Command::Add(const Option& option, std::vector<std::string>& into) const {
  CLI::Option* made = app_->add_option(option.names, into, option.help);
  // One value for each time it is named: `--label a=b FILE` must leave FILE alone, and a value in
  // brackets is a value. A positional takes what is there.
  if (option.names[0] == '-') {
    made->allow_extra_args(false);
    made->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
  Finish(made, option);
}

void Command::Flag(const Option& option, bool& into) const {
  CLI::Option* made = app_->add_flag(option.names, into, option.help);
  if (!option.env.empty()) made->envname(option.env);
}

void Command::Runs(std::function<absl::StatusOr<int>()> run) const {
  app_->callback([chosen = chosen_, run = std::move(run)] { *chosen = run; });
}

CommandLine::CommandLine(const Description& description)
    : app_(std::make_unique<CLI::App>(description.help, description.name)) {
  app_->set_help_all_flag("--help-all", "Help of every command");
  app_->set_version_flag("--version", description.version, "What this program is");
}

CommandLine::~CommandLine() = default;

Command CommandLine::root() { return {app_.get(), &chosen_}; }

CommandTree CommandLine::Tree() const { return TreeOf(*app_); }

absl::StatusOr<CommandLine::Parsed> CommandLine::Parse(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    if (!IsUtf8(argv[i])) {
      return UsageError(fmt::format("argument {} is not UTF-8: \"{}\"", i, Printable(argv[i])));
    }
  }
  chosen_ = nullptr;
  try {
    app_->parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    if (const auto wrong = UnknownCommand(*app_)) return UsageError(*wrong);
    return Parsed{.run = nullptr, .text = app_->help()};
  } catch (const CLI::CallForAllHelp&) {
    return Parsed{.run = nullptr, .text = app_->help("", CLI::AppFormatMode::All)};
  } catch (const CLI::CallForVersion&) {
    return Parsed{.run = nullptr, .text = app_->version() + "\n"};
  } catch (const CLI::ExtrasError&) {
    return UsageError(NotUnderstood(*app_, app_->remaining(true)));
  } catch (const CLI::RequiredError& error) {
    // A mistyped option is why the right one is missing.
    const std::vector<std::string> left = app_->remaining(true);
    return UsageError(left.empty() ? error.what() : NotUnderstood(*app_, left));
  } catch (const CLI::Error& error) {
    return UsageError(error.what());
  }
  if (chosen_ == nullptr) {
    const Place at = PlaceOf(*app_);
    return UsageError(fmt::format("`{}` needs a command behind it: {}", at.path,
                                  fmt::join(NamesOf(at.command->get_subcommands({})), ", ")));
  }
  return Parsed{.run = std::move(chosen_), .text = ""};
}

}  // namespace tandem::cli
