#include "services/runtime/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "router/base/status.h"
#include "router/base/text.h"
#include "services/runtime/config_file.h"
#include "services/runtime/config_options.h"

namespace tandem::runtime {
namespace {

// What is being put together, with all that is wrong with it.
struct Draft {
  LoadedConfig loaded;
  std::set<std::string> given;  // paths
  std::vector<FieldError> errors;
};

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

void NotePlace(Draft& draft, const Option& option, const Given& given) {
  draft.loaded.places[option.path] = given.where;
  const bool secret = option.path == "notifier.secrets" || option.path == "peers.token";
  if (!secret) return;
  for (const std::string& item : given.items) {
    if (item.empty() || item.starts_with("whsec_") || item.starts_with("tdm_")) continue;
    draft.loaded.secret_files.push_back({given.where, given.base / item});
  }
}

void SetOne(Draft& draft, const Option& option, const Given& given) {
  draft.given.insert(given.path);
  const absl::Status status = option.set(draft.loaded.config, given);
  if (status.ok()) return NotePlace(draft, option, given);
  const std::string subject =
      given.key.empty() ? given.path : fmt::format("{}.{}", given.path, Printable(given.key));
  draft.errors.push_back({given.where, fmt::format("{}: {}", subject, MessageOf(status))});
}

// `name=value`, each name with all of its values, in their order.
void SetEntries(Draft& draft, const Option& option, Given given,
                const std::vector<std::string>& parts) {
  std::vector<std::string> names;  // as they came
  std::map<std::string, std::vector<std::string>> values;
  for (const std::string& part : parts) {
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos) {
      // What was given may be a secret without its name: it is not repeated.
      draft.errors.push_back({given.where, fmt::format("{}: expected NAME=VALUE", given.path)});
      continue;
    }
    std::vector<std::string>& of_name = values[part.substr(0, equals)];
    if (of_name.empty()) names.push_back(part.substr(0, equals));
    of_name.push_back(part.substr(equals + 1));
  }
  for (const std::string& name : names) {
    given.key = name;
    given.items = values[name];
    SetOne(draft, option, given);
  }
}

// Lists and maps that came as one text: `a,b` and `name=value,name=value`.
void SetFromText(Draft& draft, const Option& option, Given given) {
  if (option.shape == Shape::kScalar) return SetOne(draft, option, given);
  std::vector<std::string> parts;
  for (const std::string& item : given.items) {
    for (std::string& part : Split(item, ',')) parts.push_back(std::move(part));
  }
  if (option.shape == Shape::kList) {
    given.items = std::move(parts);
    return SetOne(draft, option, given);
  }
  SetEntries(draft, option, given, parts);
}

void ApplyFile(Draft& draft, std::string_view name, std::string_view yaml,
               const std::filesystem::path& base) {
  FileValues values = ReadConfigYaml(name, yaml, base);
  for (FieldError& error : values.errors) draft.errors.push_back(std::move(error));
  for (Given& given : values.given) {
    const Option* option = FindOption(given.path);
    const bool comma_list = option->shape == Shape::kList && given.items.size() == 1;
    if (comma_list) {
      SetFromText(draft, *option, std::move(given));
    } else {
      SetOne(draft, *option, given);
    }
  }
}

void ApplyEnvironment(Draft& draft, const std::map<std::string, std::string>& environment) {
  constexpr std::string_view kPrefix = "TANDEM_";
  // Of tandemd's flags and of the command line tool.
  const std::set<std::string> elsewhere = {
      "TANDEM_CONFIG",    "TANDEM_ADDRESS",    "TANDEM_ADMIN_ADDRESS",
      "TANDEM_TOKEN",     "TANDEM_TOKEN_FILE", "TANDEM_TENANT",
      "TANDEM_CA",        "TANDEM_CERT",       "TANDEM_KEY",
      "TANDEM_PLAINTEXT", "TANDEM_TIMEOUT"};
  std::map<std::string, const Option*> options;
  std::vector<std::string> names;
  for (const Option& option : Options()) {
    names.push_back(EnvironmentName(option));
    options[names.back()] = &option;
  }
  for (const auto& [name, value] : environment) {
    if (name.compare(0, kPrefix.size(), kPrefix) != 0 || elsewhere.count(name) != 0) continue;
    if (const auto found = options.find(name); found != options.end()) {
      SetFromText(draft, *found->second,
                  {.path = found->second->path,
                   .key = "",
                   .items = {value},
                   .where = name,
                   .base = "",
                   .on_command_line = false});
    } else if (const std::string nearest = NearestName(name, names); !nearest.empty()) {
      // Not an error: Kubernetes sets TANDEM_PORT and the like for a service called "tandem".
      draft.loaded.warnings.push_back(fmt::format(
          "{} in the environment is no setting; did you mean {}?", Printable(name), nearest));
    }
  }
}

void CheckTls(Draft& draft) {
  const Config::Grpc& grpc = draft.loaded.config.grpc;
  const auto wrong = [&](std::string_view field, std::string_view description) {
    draft.errors.push_back({std::string(field), std::string(description)});
  };
  if (grpc.tls.cert.empty() != grpc.tls.key.empty()) {
    wrong("grpc.tls", "cert and key go together; expected both or neither");
  }
  if (!grpc.tls.client_ca.empty() && !grpc.tls.on()) {
    wrong("grpc.tls.client_ca", "needs grpc.tls.cert and grpc.tls.key");
  }
  if (grpc.tls.require_client_cert && grpc.tls.client_ca.empty()) {
    wrong("grpc.tls.require_client_cert", "needs grpc.tls.client_ca to check certificates by");
  }
  if (!IsLoopback(grpc.listen) && !grpc.tls.on() && !grpc.insecure) {
    wrong("grpc.listen",
          fmt::format("{} can be reached from the network, and there is no TLS; give grpc.tls.cert "
                      "and grpc.tls.key, listen on 127.0.0.1, or set grpc.insecure: true if "
                      "something in front ends TLS",
                      ToText(grpc.listen)));
  }
  const Config::Peers& peers = draft.loaded.config.peers;
  if (peers.cert.empty() != peers.key.empty()) {
    wrong("peers", "cert and key go together; expected both or neither");
  }
}

// A role is either in this process or has an address.
void CheckRole(Draft& draft, std::string_view role, bool here, bool needed,
               const std::optional<Endpoint>& address) {
  const std::string field = fmt::format("{}.address", role);
  if (here && address) {
    draft.errors.push_back(
        {field, fmt::format("is given, but this process runs the role {0} itself; leave out the "
                            "address, or {0} in roles",
                            role)});
  } else if (!here && needed && !address) {
    draft.errors.push_back(
        {field, fmt::format("is needed, because this process does not run the role {}", role)});
  } else if (!here && address && draft.loaded.config.peers.token.empty()) {
    draft.errors.push_back({"peers.token", fmt::format("is needed to call {}", field)});
  }
}

void CheckTogether(Draft& draft) {
  Config& config = draft.loaded.config;
  CheckTls(draft);
  CheckRole(draft, "router", config.roles.router, true, config.router.address);
  CheckRole(draft, "context", config.roles.context, config.roles.router || config.roles.gateway,
            config.context.address);
  if (config.grpc.listen == config.admin.listen && config.grpc.listen.port != 0) {
    draft.errors.push_back({"admin.listen", "is the same as grpc.listen; expected another port"});
  }
  if (config.data_dir.empty()) draft.errors.push_back({"data_dir", "is empty"});
  if (draft.given.count("drain.lameduck") == 0) {
    const absl::Duration by_default =
        IsLoopback(config.grpc.listen) ? absl::ZeroDuration() : absl::Seconds(5);
    config.drain.lameduck = std::min(by_default, config.drain.timeout / 2);
  }
  if (config.drain.lameduck >= config.drain.timeout) {
    draft.errors.push_back(
        {"drain.lameduck",
         fmt::format("{} is not shorter than drain.timeout, {}",
                     DurationText(config.drain.lameduck), DurationText(config.drain.timeout))});
  }
}

absl::StatusOr<LoadedConfig> Finish(Draft draft) {
  // Values that could not be read would only be complained about a second time.
  if (draft.errors.empty()) CheckTogether(draft);
  if (draft.errors.empty()) return std::move(draft.loaded);
  std::string message;
  for (const FieldError& error : draft.errors) {
    message += fmt::format("{}{}: {}", message.empty() ? "" : "\n", error.field, error.description);
  }
  absl::Status status = Error(absl::StatusCode::kInvalidArgument, "CONFIG_INVALID", message);
  for (FieldError& error : draft.errors) status = AddField(std::move(status), std::move(error));
  return status;
}

void ApplyRest(Draft& draft, const ConfigSources& sources) {
  ApplyEnvironment(draft, sources.environment);
  for (const Given& given : sources.flags) {
    if (const Option* option = FindOption(given.path)) SetFromText(draft, *option, given);
  }
}

}  // namespace

absl::StatusOr<LoadedConfig> LoadConfigText(std::string_view name, std::string_view yaml,
                                            const ConfigSources& sources) {
  Draft draft;
  ApplyFile(draft, name, yaml, std::filesystem::path(name).parent_path());
  ApplyRest(draft, sources);
  return Finish(std::move(draft));
}

absl::StatusOr<LoadedConfig> LoadConfig(const ConfigSources& sources) {
  if (sources.file.empty()) return LoadConfigText("", "", sources);
  std::ifstream in(sources.file, std::ios::binary);
  std::string yaml(kConfigFileMax + 1, '\0');
  in.read(yaml.data(), static_cast<std::streamsize>(yaml.size()));
  if (!in.is_open() || in.bad()) {
    return Error(
        absl::StatusCode::kNotFound, "CONFIG_UNREADABLE",
        fmt::format("cannot read the configuration file \"{}\": is the path right, and may "
                    "this user read it?",
                    Printable(sources.file)));
  }
  yaml.resize(static_cast<std::size_t>(in.gcount()));
  return LoadConfigText(sources.file, yaml, sources);
}

std::string PrintConfig(const Config& config) {
  std::string out;
  std::vector<std::string> open;  // sections that the line before stood in
  for (const Option& option : Options()) {
    std::vector<std::string> parts = Split(option.path, '.');
    const std::string leaf = parts.back();
    parts.pop_back();
    std::size_t same = 0;
    while (same < open.size() && same < parts.size() && open[same] == parts[same]) ++same;
    for (std::size_t i = same; i < parts.size(); ++i) {
      out += fmt::format("{}{}:\n", std::string(2 * i, ' '), parts[i]);
    }
    open = parts;
    const std::string indent(2 * parts.size(), ' ');
    const std::vector<std::string> lines = option.show(config);
    if (option.shape == Shape::kScalar) {
      out += fmt::format("{}{}: {}\n", indent, leaf, lines.front());
    } else if (option.shape == Shape::kList) {
      out += fmt::format("{}{}: [{}]\n", indent, leaf, fmt::join(lines, ", "));
    } else if (lines.empty()) {
      out += fmt::format("{}{}: {{}}\n", indent, leaf);
    } else {
      out += fmt::format("{}{}:\n", indent, leaf);
      for (const std::string& line : lines) out += fmt::format("{}  {}\n", indent, line);
    }
  }
  return out;
}

}  // namespace tandem::runtime
