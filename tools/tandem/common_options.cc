#include "tools/tandem/commands.h"

namespace tandem::cli {

void AddCommonOptions(const Command& root, CommonOptions& options) {
  root.Add({.names = "--address",
            .help = "The router (default 127.0.0.1:7443)",
            .value = "HOST:PORT",
            .env = "TANDEM_ADDRESS",
            .filled = true},
           options.address);
  root.Add({.names = "--token",
            .help = "Your token; other users of this machine may see it here",
            .value = "TOKEN",
            .env = "TANDEM_TOKEN",
            .filled = true},
           options.token);
  root.Add({.names = "--token-file",
            .help = "A file with your token (default: data/admin.token when it exists)",
            .value = "FILE",
            .env = "TANDEM_TOKEN_FILE",
            .filled = true},
           options.token_file);
  root.Add({.names = "-T,--tenant",
            .help = "The tenant; - for all of yours",
            .value = "TENANT",
            .env = "TANDEM_TENANT",
            .filled = true},
           options.tenant);
  root.Add({.names = "--ca",
            .help = "PEM file of the authorities that vouch for the router",
            .value = "FILE",
            .env = "TANDEM_CA"},
           options.ca);
  root.Add({.names = "--cert",
            .help = "PEM file with your certificate",
            .value = "FILE",
            .env = "TANDEM_CERT"},
           options.cert);
  root.Add(
      {.names = "--key", .help = "PEM file with its key", .value = "FILE", .env = "TANDEM_KEY"},
      options.key);
  root.Flag({.names = "--plaintext",
             .help = "No TLS although the router is another machine",
             .env = "TANDEM_PLAINTEXT"},
            options.plaintext);
  root.Flag({.names = "--json", .help = "JSON instead of tables, errors too"}, options.json);
  root.Flag({.names = "--no-color,--no-colour", .help = "No colour (also: NO_COLOR)"},
            options.no_color);
  root.Add({.names = "--timeout",
            .help = "Patience for one answer (default 10s)",
            .value = "DURATION",
            .env = "TANDEM_TIMEOUT"},
           options.timeout);
}

}  // namespace tandem::cli
