// What tandemd is told: from flags, environment and a YAML file, in this order of precedence, over
// defaults that let a newcomer start without any.
//
// Pure but for the files that are named. Every mistake is reported, not only the first, each with
// its place: `tandemd.yaml:3:11`, `TANDEM_GRPC_LISTEN`, `--grpc.listen`.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/runtime/endpoint.h"
#include "services/runtime/secret.h"

namespace tandem::runtime {

// Which roles this process runs.
struct Roles {
  bool router = true;
  bool context = true;
  bool gateway = true;
  bool notifier = true;
  friend bool operator==(const Roles&, const Roles&) = default;
};

// PEM files.
struct TlsFiles {
  std::string cert;
  std::string key;
  std::string client_ca;
  bool require_client_cert = false;
  bool on() const { return !cert.empty(); }
};

enum class LogLevel { kTrace, kDebug, kInfo, kWarn, kError };
enum class LogFormat { kAuto, kHuman, kJson };  // kAuto: human on a terminal, else JSON

// The meaning of each value, its default, its range and its unit stand in config_options.cc, where
// `--help` takes them from.
struct Config {
  Roles roles;
  std::string data_dir = "./data";
  absl::Duration retention = absl::Hours(400 * 24);  // InfiniteDuration: for ever

  struct Grpc {
    Endpoint listen{"127.0.0.1", 7443};
    TlsFiles tls;
    bool insecure = false;
    bool reflection = true;
    std::uint64_t max_message = 4 << 20;  // bytes
    std::uint64_t open_calls_max = 10'000;
  } grpc;

  struct Admin {
    Endpoint listen{"127.0.0.1", 7480};
  } admin;

  struct Router {
    std::optional<Endpoint> address;  // nullopt: in this process
    absl::Duration resolve_timeout = absl::Minutes(5);
    std::uint64_t mailbox_max = 1024;        // batches
    std::uint64_t group_max = 64;            // batches in one commit
    std::uint64_t snapshot_every = 200'000;  // records
    std::uint64_t min_free_disk = 64 << 20;  // bytes
  } router;

  struct Context {
    std::optional<Endpoint> address;  // nullopt: in this process
  } context;

  struct Notifier {
    bool allow_private_addresses = false;
    bool allow_http = false;
    absl::Duration timeout = absl::Seconds(15);
    std::uint64_t max_in_flight = 64;
    // Standard Webhooks, `whsec_…`, the newest first: all of a name sign. By `{tenant}/{name}` for
    // one tenant, by `*/{name}` for all of them.
    std::map<std::string, std::vector<Secret>> secrets;
  } notifier;

  // How roles in other processes are reached.
  struct Peers {
    std::string ca;  // PEM file; empty: the machine's
    std::string cert;
    std::string key;
    bool insecure = false;
    Secret token;  // of role `service`
  } peers;

  struct Log {
    LogLevel level = LogLevel::kInfo;
    LogFormat format = LogFormat::kAuto;
  } log;

  struct Drain {
    // Unless given: 0 when only this machine can connect, else 5 s.
    absl::Duration lameduck;
    absl::Duration timeout = absl::Seconds(30);
  } drain;
};

// One value that somebody gave.
struct Given {
  std::string path;                // "grpc.listen"
  std::string key;                 // of one entry of a map, such as the name of a secret
  std::vector<std::string> items;  // one, but for lists
  std::string where;               // "tandemd.yaml:3:11"
  std::filesystem::path base;      // what relative paths count from
  bool on_command_line = false;    // where every user of the machine sees it
};

struct ConfigSources {
  std::string file;                                // path; empty: none
  std::map<std::string, std::string> environment;  // only TANDEM_… counts
  std::vector<Given> flags;
};

struct LoadedConfig {
  Config config;
  std::vector<std::string> warnings;
  // Where each setting was given: "grpc.tls.cert" → "tandemd.yaml:3:11". Not those by default.
  std::map<std::string, std::string> places;
  // Files that a secret was read from, with their places.
  struct SecretFile {
    std::string where;
    std::filesystem::path path;
  };
  std::vector<SecretFile> secret_files;
};

// INVALID_ARGUMENT with reason CONFIG_INVALID: one line a mistake, and one FieldError each whose
// field is the place. NOT_FOUND when the file cannot be read.
absl::StatusOr<LoadedConfig> LoadConfig(const ConfigSources& sources);

// The same from a text, for tests; `name` stands for the file.
absl::StatusOr<LoadedConfig> LoadConfigText(std::string_view name, std::string_view yaml,
                                            const ConfigSources& sources = {});

// The whole configuration as YAML that LoadConfig takes, secrets as ***.
std::string PrintConfig(const Config& config);

}  // namespace tandem::runtime
