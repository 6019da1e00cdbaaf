// The only source that includes CLI11: it costs seconds to compile.
#include "services/runtime/command_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <vector>

#include "router/base/status.h"
#include "router/base/text.h"
#include "services/runtime/config_options.h"
#include "services/runtime/reload.h"
#include "services/runtime/version.h"

namespace tandem::runtime {
namespace {

struct Flags {
  std::string config_file;
  bool check = false;
  bool print = false;
  bool version = false;
};

std::string Heading(const std::string& path) {
  const std::size_t dot = path.find('.');
  return dot == std::string::npos ? "Process" : path.substr(0, dot);
}

void Declare(CLI::App& app, Flags& flags) {
  app.description("Routes incidents between a provider and a customer.");
  app.footer(
      "Each setting may also stand in the file (grpc: {listen: …}) and in the environment\n"
      "(TANDEM_GRPC_LISTEN); a flag wins over the environment, and that over the file.\n"
      "At SIGHUP all of them are read anew: what is marked [SIGHUP] is taken over, a change of\n"
      "anything else is refused with a line in the log. Changed certificates are taken by "
      "themselves.");
  app.allow_extras();
  app.set_help_flag("-h,--help", "Print this and end")->group("General");
  app.add_flag("--version", flags.version, "Print the version and end")->group("General");
  app.add_option("--config", flags.config_file, "YAML file to read; or TANDEM_CONFIG")
      ->type_name("FILE")
      ->group("General");
  app.add_flag("--check-config", flags.check,
               "Say whether the configuration is right, with the files that it names, and end")
      ->group("General");
  app.add_flag("--print-config", flags.print, "Print the configuration as it takes effect, and end")
      ->group("General");
  for (const Option& option : Options()) {
    const std::string help = option.help + (IsLive(option.path) ? " [SIGHUP]" : "");
    // `--grpc.insecure` alone means true.
    const bool is_bool = option.placeholder == "BOOL";
    CLI::Option* flag =
        is_bool ? static_cast<CLI::Option*>(app.add_flag("--" + option.path + "{true}", help))
                : app.add_option("--" + option.path, help);
    flag->group(Heading(option.path));
    if (!is_bool) flag->type_name(option.placeholder);
    if (option.shape == Shape::kScalar && !is_bool) flag->expected(1);
  }
}

std::vector<Given> GivenFlags(const CLI::App& app) {
  std::vector<Given> given;
  for (const Option& option : Options()) {
    const CLI::Option* flag = app.get_option("--" + option.path);
    if (flag->count() == 0) continue;
    given.push_back({.path = option.path,
                     .key = "",
                     .items = flag->results(),
                     .where = "--" + option.path,
                     .base = "",
                     .on_command_line = true});
  }
  return given;
}

std::string UnknownFlags(const std::vector<std::string>& unknown) {
  std::vector<std::string> names = {"--help", "--version", "--config", "--check-config",
                                    "--print-config"};
  for (const Option& option : Options()) names.push_back("--" + option.path);
  std::string out;
  for (const std::string& argument : unknown) {
    // Behind "=" may stand a secret.
    const std::string name = argument.substr(0, argument.find('='));
    const std::string nearest = NearestName(name, names);
    out += fmt::format("{}: unknown argument; {}\n", Printable(name),
                       nearest.empty() ? "see --help" : fmt::format("did you mean {}?", nearest));
  }
  return out;
}

StartUp Failed(int exit_code, std::string err) {
  return {.config = std::nullopt, .exit_code = exit_code, .out = "", .err = std::move(err)};
}

StartUp Printed(std::string out, std::string err = "") {
  return {.config = std::nullopt, .exit_code = 0, .out = std::move(out), .err = std::move(err)};
}

StartUp Load(const Flags& flags, ConfigSources sources) {
  const auto file = sources.environment.find("TANDEM_CONFIG");
  sources.file = !flags.config_file.empty()          ? flags.config_file
                 : file == sources.environment.end() ? ""
                                                     : file->second;
  absl::StatusOr<LoadedConfig> loaded = LoadConfig(sources);
  if (!loaded.ok()) return Failed(flags.check ? 1 : 2, MessageOf(loaded.status()) + "\n");
  std::string warnings;
  for (const std::string& warning : loaded->warnings) {
    warnings += fmt::format("warning: {}\n", warning);
  }
  if (flags.print) return Printed(PrintConfig(loaded->config), std::move(warnings));
  if (flags.check) {
    StartUp good = Printed(fmt::format("{}: the configuration is right\n",
                                       sources.file.empty() ? "defaults" : Printable(sources.file)),
                           std::move(warnings));
    good.to_check = *std::move(loaded);
    return good;
  }
  return {
      .config = std::move(loaded->config), .exit_code = 0, .out = "", .err = std::move(warnings)};
}

}  // namespace

StartUp ReadCommandLine(int argc, const char* const* argv,
                        const std::map<std::string, std::string>& environment) {
  CLI::App app("", "tandemd");
  Flags flags;
  Declare(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return Printed(app.help());
  } catch (const CLI::ParseError& error) {
    return Failed(2, fmt::format("{}; see --help\n", Printable(error.what())));
  }
  if (flags.version) return Printed(fmt::format("tandemd {}\n", Version()));
  if (!app.remaining().empty()) return Failed(2, UnknownFlags(app.remaining()));
  return Load(flags, {.file = "", .environment = environment, .flags = GivenFlags(app)});
}

std::map<std::string, std::string> TandemEnvironment() {
  std::map<std::string, std::string> environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || text.substr(0, 7) != "TANDEM_") continue;
    environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

}  // namespace tandem::runtime
