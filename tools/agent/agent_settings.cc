#include "tools/agent/agent_settings.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdlib>

#include "router/base/status.h"
#include "router/base/text.h"

namespace tandem::client {
namespace {

constexpr char kAbout[] =
    "Sends alerts to a Tandem router, and keeps them while it is away.\n\n"
    "Alerts come from a file, from stdin, or from a storm that is made up:\n"
    "  tandem-agent --file alerts.jsonl\n"
    "  my-monitor | tandem-agent --stdin --spool /var/lib/my-monitor\n"
    "  tandem-agent storm --rules alert_rules.jsonl --rate 200 --count 10000";
constexpr char kFooter[] =
    "Exit codes: 0 all alerts were accepted; 1 some were refused, dropped or unreadable; 2 the\n"
    "command line is wrong, or a file it names; 3 the router could not be reached, would not have\n"
    "this agent, or did not confirm all in time.";

std::string HostName() {
  std::array<char, 65> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "agent";
}

// An option that takes "90s", "5m", "500ms". Target is a duration, or an optional one.
template <typename Target>
CLI::Option* AddDuration(CLI::App& app, const std::string& name, Target& target,
                         const std::string& help) {
  return app
      .add_option_function<std::string>(
          name,
          [&target, name](const std::string& text) {
            const absl::StatusOr<absl::Duration> duration = ReadDuration(text);
            if (!duration.ok()) throw CLI::ValidationError(name, MessageOf(duration.status()));
            target = *duration;
          },
          help)
      ->type_name("DURATION");
}

void AddConnection(CLI::App& app, AgentSettings& settings) {
  Connection& connection = settings.client.connection;
  connection.address = "localhost:7443";
  settings.client.client_id = "tandem-agent/" + HostName();
  app.add_option("--address", connection.address, "Router: host:port or unix:/path")
      ->envname("TANDEM_ADDRESS")
      ->capture_default_str();
  app.add_option("--token", connection.token, "Token; better: --token-file or the environment")
      ->envname("TANDEM_TOKEN");
  app.add_option("--token-file", connection.token_file, "File with the token; read anew to connect")
      ->envname("TANDEM_TOKEN_FILE");
  app.add_option("--tenant", settings.client.tenant,
                 "Tenant, when the token is good for more than one; one that does not exist yet is "
                 "waited for, unless the input is a file that ends")
      ->envname("TANDEM_TENANT");
  app.add_option("--client-id", settings.client.client_id,
                 "Names this sender across restarts; one sender at a time")
      ->capture_default_str();
  app.add_option("--ca", connection.ca_file, "Authority of the router's certificate, PEM")
      ->envname("TANDEM_CA");
  app.add_option("--cert", connection.certificate_file, "Client certificate, PEM")
      ->envname("TANDEM_CERT");
  app.add_option("--key", connection.key_file, "Its key, PEM")->envname("TANDEM_KEY");
  app.add_option("--server-name", connection.server_name, "Name in the router's certificate");
  app.add_flag("--plaintext", connection.plaintext, "No TLS to another host (for test set-ups)");
}

void AddDelivery(CLI::App& app, AgentSettings& settings) {
  ClientOptions& client = settings.client;
  app.add_option("--spool", client.spool.directory,
                 "Directory for what waits; without it, it waits in memory");
  app.add_option("--spool-max", client.spool.max_bytes, "Bytes that may wait")
      ->transform(CLI::AsSizeValue(false))
      ->capture_default_str();
  AddDuration(app, "--spool-max-age", client.spool.max_age, "Give up what is older [24h]");
  app.add_flag_callback(
      "--drop-oldest", [&client] { client.spool.overflow = Overflow::kDropOldest; },
      "A full spool gives up its oldest alerts; otherwise reading waits");
  app.add_flag("--durable,!--no-durable", client.spool.durable,
               "fsync the spool before the next alerts are read [yes]");
  app.add_option("--batch", client.batch_alerts, "Alerts a batch")
      ->check(CLI::Range(1, 512))
      ->capture_default_str();
  AddDuration(app, "--linger", client.linger, "Wait so long for a batch to fill [5ms]");
  app.add_option("--window", client.window, "Batches without a receipt")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  AddDuration(app, "--resend", client.resend_interval,
              "Report firing alerts again so often until they end; 0s: never [a third of the "
              "router's resolve timeout]");
  AddDuration(app, "--drain", settings.drain, "At the end, wait so long for receipts [30s]");
}

void AddOutput(CLI::App& app, AgentSettings& settings) {
  app.add_flag("--strict", settings.strict, "Stop at the first line that is not an alert");
  app.add_flag("--json", settings.json, "Summary as JSON");
  app.add_option("--ack-log", settings.ack_log, "Append one JSON line for each receipt");
  app.add_option("--alert-log", settings.alert_log,
                 "Append one JSON line for each alert before it is sent");
}

CLI::App* AddStorm(CLI::App& app, StormSettings& storm) {
  CLI::App* command = app.add_subcommand("storm", "Make up alerts from rules and a context file");
  command->add_option("--rules", storm.rules_file, "Alerting rules, one JSON object a line")
      ->required();
  command->add_option("--context", storm.context_file, "Context file (YAML) with the entities");
  command->add_option("--rate", storm.rate, "Alerts a second; 0: as fast as they are taken")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--count", storm.count, "Stop after so many; 0: never")
      ->capture_default_str();
  AddDuration(*command, "--duration", storm.duration, "Stop after this time");
  command->add_option("--seed", storm.seed, "Equal seeds make equal storms")->capture_default_str();
  command->add_option("--resolve-share", storm.resolve_share, "Share of reports that end an alert")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command->add_option("--repeat", storm.repeat_share, "Share of reports that repeat an alert")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command->fallthrough();  // the agent's own options may follow
  return command;
}

}  // namespace

ParsedArguments ParseArguments(int argc, char** argv) {
  AgentSettings settings;
  settings.client.agent_version = "tandem-agent/" TANDEM_VERSION;
  CLI::App app(kAbout, "tandem-agent");
  app.footer(kFooter);
  app.set_version_flag("--version", "tandem-agent " TANDEM_VERSION);
  CLI::Option* file = app.add_option("--file", settings.file, "Alerts, one JSON object a line");
  bool wants_stdin = false;
  CLI::Option* from_stdin =
      app.add_flag("--stdin", wants_stdin, "The same from stdin, until it ends");
  file->excludes(from_stdin);
  AddConnection(app, settings);
  AddDelivery(app, settings);
  AddOutput(app, settings);
  CLI::App* storm = AddStorm(app, settings.storm);
  try {
    app.parse(argc, argv);
    const int inputs = (*file ? 1 : 0) + (*from_stdin ? 1 : 0) + (storm->parsed() ? 1 : 0);
    if (inputs != 1) {
      throw CLI::ValidationError("input", "say one of --file, --stdin and storm");
    }
  } catch (const CLI::ParseError& error) {
    return {std::nullopt, app.exit(error) == 0 ? 0 : 2};
  }
  settings.input = storm->parsed() ? Input::kStorm : *file ? Input::kFile : Input::kStdin;
  return {std::move(settings), 0};
}

}  // namespace tandem::client
