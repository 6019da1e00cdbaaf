// tandem-load: measures a router, and what the machine would allow without one. Each mode prints
// one JSON object.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <functional>

#include "router/base/clock.h"
#include "router/base/status.h"
#include "router/base/text.h"
#include "tools/agent/stop_signal.h"
#include "tools/load/echo_mode.h"
#include "tools/load/fsync_mode.h"
#include "tools/load/ingest_mode.h"
#include "tools/load/latency_mode.h"

namespace tandem::load {
namespace {

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
constexpr int kExitUnreachable = 3;

struct Settings {
  Target target;
  ReferenceOptions alerts;
  IngestOptions ingest;
  LatencyOptions latency;
  EchoOptions echo;
  RoundTripOptions round_trip;
  FsyncOptions fsync;
  std::string listen = "127.0.0.1:0";
};

void AddMilliseconds(CLI::App& app, const std::string& name, std::chrono::milliseconds& target,
                     const std::string& help) {
  app.add_option_function<std::string>(
         name,
         [&target, name](const std::string& text) {
           const absl::StatusOr<absl::Duration> read = ReadDuration(text);
           if (!read.ok()) throw CLI::ValidationError(name, MessageOf(read.status()));
           target = std::chrono::milliseconds(absl::ToInt64Milliseconds(*read));
         },
         fmt::format("{} [{}]", help, DurationText(absl::FromChrono(target))))
      ->type_name("DURATION");
}

void AddTarget(CLI::App& app, Target& target) {
  client::Connection& connection = target.connection;
  connection.address = "localhost:7443";
  app.add_option("--address", connection.address, "Router")
      ->envname("TANDEM_ADDRESS")
      ->capture_default_str();
  app.add_option("--token", connection.token, "Token")->envname("TANDEM_TOKEN");
  app.add_option("--token-file", connection.token_file, "File with the token")
      ->envname("TANDEM_TOKEN_FILE");
  app.add_option("--ca", connection.ca_file, "Authority of the router's certificate, PEM");
  app.add_option("--cert", connection.certificate_file, "Client certificate, PEM");
  app.add_option("--key", connection.key_file, "Its key, PEM");
  app.add_flag("--plaintext", connection.plaintext, "No TLS to another host");
  app.add_option("--tenant", target.tenant, "Tenant");
  app.add_option("--client-id", target.client_id, "Stream i adds /i")->capture_default_str();
  app.add_option("--server-pid", target.server_pid, "Report the CPU of this process, too");
}

void AddAlerts(CLI::App& app, ReferenceOptions& alerts) {
  app.add_option("--batch", alerts.batch, "Alerts a batch")
      ->check(CLI::Range(1, 512))
      ->capture_default_str();
  app.add_option("--sites", alerts.sites, "Spread over so many sites")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--services", alerts.services, "Spread over so many services; 0: one")
      ->check(CLI::Range(0, 100'000));
  app.add_option("--jobs", alerts.jobs, "Spread over so many jobs; 0: one")
      ->check(CLI::Range(0, 10'000));
  app.add_option("--first", alerts.first, "Number of the first alert")->capture_default_str();
  alerts.run = static_cast<std::uint32_t>(absl::ToUnixSeconds(SystemClock().Now()) % 10'000);
  app.add_option("--run", alerts.run, "Alerts of two runs differ by it [from the clock]");
}

// A mode: its options, and what runs it.
using Mode = std::function<absl::StatusOr<Json>()>;

Mode AddIngest(CLI::App& app, Settings& s) {
  AddTarget(app, s.ingest.target);
  AddAlerts(app, s.ingest.alerts);
  app.add_option("--distinct", s.ingest.alerts.distinct,
                 "Repeat after so many alerts; 0: each is new")
      ->capture_default_str();
  app.add_option("--streams", s.ingest.streams, "Streams, each with its own connection")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--window", s.ingest.window, "Batches without a receipt, of each stream")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--count", s.ingest.count, "Exactly so many alerts, however long it takes");
  AddMilliseconds(app, "--warm-up", s.ingest.warm_up, "Not counted");
  AddMilliseconds(app, "--duration", s.ingest.duration, "Counted");
  return [&s] { return RunIngest(s.ingest); };
}

Mode AddLatency(CLI::App& app, Settings& s) {
  AddTarget(app, s.latency.target);
  s.latency.alerts.batch = 1;
  AddAlerts(app, s.latency.alerts);
  app.add_option("--rate", s.latency.rate, "Alerts a second")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--window", s.latency.window, "Batches without a receipt")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  AddMilliseconds(app, "--duration", s.latency.duration, "How long to send");
  AddMilliseconds(app, "--patience", s.latency.patience, "Wait so long for the last ones");
  return [&s] { return RunLatency(s.latency); };
}

Mode AddEcho(CLI::App& app, Settings& s) {
  app.add_option("--address", s.echo.address, "An echo-server [one in this process]");
  AddAlerts(app, s.echo.alerts);
  app.add_option("--window", s.echo.window, "Batches without an answer")->capture_default_str();
  app.add_option("--server-pid", s.echo.server_pid, "Report the CPU of this process, too");
  AddMilliseconds(app, "--warm-up", s.echo.warm_up, "Not counted");
  AddMilliseconds(app, "--duration", s.echo.duration, "Counted");
  return [&s] { return RunEcho(s.echo); };
}

Mode AddEchoServer(CLI::App& app, Settings& s) {
  app.add_option("--listen", s.listen, "Address; port 0: any free one")->capture_default_str();
  return [&s]() -> absl::StatusOr<Json> {
    const client::StopSignal stop;
    TANDEM_ASSIGN_OR_RETURN(const auto server, StartEchoServer(s.listen));
    // First line: where it is, for whoever started it.
    fmt::print("{}\n", Json{{"mode", "echo-server"}, {"address", server->address()}}.dump());
    std::fflush(stdout);
    while (!stop.Wait(absl::Hours(1))) {
    }
    return Json{{"mode", "echo-server"}, {"cpu_seconds", OwnCpuSeconds()}};
  };
}

Mode AddRoundTrip(CLI::App& app, Settings& s) {
  app.add_option("--address", s.round_trip.address, "An echo-server [one in this process]");
  app.add_option("--count", s.round_trip.count, "Round trips")->capture_default_str();
  app.add_option("--batch", s.round_trip.batch, "Alerts a message")
      ->check(CLI::Range(1, 512))
      ->capture_default_str();
  app.add_flag("--unary", s.round_trip.unary, "A call each, not a message of one stream");
  return [&s] { return RunRoundTrip(s.round_trip); };
}

Mode AddFsync(CLI::App& app, Settings& s) {
  app.add_option("--directory", s.fsync.directory, "On the disk to measure")->capture_default_str();
  app.add_option("--group", s.fsync.groups, "Records a group; several")->capture_default_str();
  app.add_option("--record", s.fsync.record_bytes, "Bytes a record")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  app.add_flag("--preallocate", s.fsync.preallocate, "Write over a file that has its size");
  AddMilliseconds(app, "--duration", s.fsync.duration, "Of each group size");
  return [&s] { return RunFsync(s.fsync); };
}

int Fail(const absl::Status& status) {
  fmt::print(stderr, "tandem-load: {}: {}\n", ReasonOf(status), Printable(MessageOf(status)));
  if (absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status)) return kExitUnreachable;
  return kExitFailed;
}

int Main(int argc, char** argv) {
  CLI::App app("Measures a Tandem router, and what the machine allows without one.", "tandem-load");
  app.footer(
      "Exit codes: 0 measured; 1 a stream failed; 2 the command line is wrong; 3 nobody\n"
      "answers there.");
  app.require_subcommand(1);
  Settings settings;
  Mode chosen;
  const auto add = [&](const char* name, const char* help, Mode (*options)(CLI::App&, Settings&)) {
    CLI::App* mode = app.add_subcommand(name, help);
    mode->callback([&chosen, run = options(*mode, settings)] { chosen = run; });
  };
  add("ingest", "Durable alerts a second, closed loop", AddIngest);
  add("latency", "Alert to receipt and to subscriber, open loop", AddLatency);
  add("echo", "Alerts a second through a server that parses and echoes", AddEcho);
  add("echo-server", "That server alone, until SIGINT", AddEchoServer);
  add("roundtrip", "One message at a time", AddRoundTrip);
  add("fsync", "Appends to a file with fdatasync", AddFsync);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  const absl::StatusOr<Json> figures = chosen();
  if (!figures.ok()) return Fail(figures.status());
  fmt::print("{}\n", figures->dump());
  return 0;
}

}  // namespace
}  // namespace tandem::load

int main(int argc, char** argv) { return tandem::load::Main(argc, argv); }
