#include "tools/tandem/command_line.h"

#include <fmt/format.h>
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
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

}  // namespace

Command Command::Sub(const std::string& name, const std::string& help) const {
  CLI::App* sub = app_->add_subcommand(name, help);
  app_->require_subcommand(1);
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

CommandLine::CommandLine(const std::string& help, const std::string& name)
    : app_(std::make_unique<CLI::App>(help, name)) {
  app_->set_help_all_flag("--help-all", "Help of every command");
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
    return Parsed{.run = nullptr, .text = app_->help()};
  } catch (const CLI::CallForAllHelp&) {
    return Parsed{.run = nullptr, .text = app_->help("", CLI::AppFormatMode::All)};
  } catch (const CLI::Error& error) {
    return UsageError(error.what());
  }
  if (chosen_ == nullptr) return UsageError("a command is required");
  return Parsed{.run = std::move(chosen_), .text = ""};
}

}  // namespace tandem::cli
