#include "services/runtime/config_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "router/base/check.h"
#include "router/base/status.h"
#include "router/base/text.h"
#include "services/runtime/config_values.h"

namespace tandem::runtime {
namespace {

absl::Status Bad(std::string_view message) {
  return Error(absl::StatusCode::kInvalidArgument, "VALUE_INVALID", message);
}

template <typename Value>
struct Range {
  Value least;
  Value most;
};

// An option whose one value is read by `read(text)` and shown by `show(value)`. `at` maps a
// Config, const or not, to a reference to the value.
template <typename At, typename Read, typename Show>
Option Scalar(std::string path, std::string placeholder, std::string help, At at, Read read,
              Show show) {
  return {.path = std::move(path),
          .shape = Shape::kScalar,
          .placeholder = std::move(placeholder),
          .help = std::move(help),
          .set = [at, read](Config& config, const Given& given) -> absl::Status {
            TANDEM_ASSIGN_OR_RETURN(at(config), read(given.items.front()));
            return absl::OkStatus();
          },
          .show = [at, show](
                      const Config& config) { return std::vector<std::string>{show(at(config))}; }};
}

// `read`, and then refused outside `range`.
template <typename Value, typename Read, typename Show>
auto Within(Range<Value> range, Read read, Show show) {
  return [=](std::string_view text) -> absl::StatusOr<Value> {
    TANDEM_ASSIGN_OR_RETURN(const Value value, read(text));
    if (value < range.least || value > range.most) {
      return Bad(fmt::format("{} is out of range; expected {} to {}", text, show(range.least),
                             show(range.most)));
    }
    return value;
  };
}

std::string CountText(std::uint64_t count) { return fmt::format("{}", count); }
std::string BoolText(bool value) { return value ? "true" : "false"; }

template <typename At>
Option Duration(std::string path, Range<absl::Duration> range, std::string help, At at) {
  return Scalar(std::move(path), "DURATION", std::move(help), at,
                Within(range, ReadDuration, DurationText), DurationText);
}

template <typename At>
Option Count(std::string path, Range<std::uint64_t> range, std::string help, At at) {
  return Scalar(std::move(path), "NUMBER", std::move(help), at, Within(range, ReadCount, CountText),
                CountText);
}

template <typename At>
Option Size(std::string path, Range<std::uint64_t> range, std::string help, At at) {
  return Scalar(std::move(path), "SIZE", std::move(help), at, Within(range, ReadSize, SizeText),
                SizeText);
}

template <typename At>
Option Bool(std::string path, std::string help, At at) {
  return Scalar(std::move(path), "BOOL", std::move(help), at, ReadBool, BoolText);
}

template <typename At>
Option Listen(std::string path, std::string help, At at) {
  return Scalar(std::move(path), "HOST:PORT", std::move(help), at, ParseEndpoint,
                [](const Endpoint& endpoint) { return YamlScalar(ToText(endpoint)); });
}

template <typename At>
Option Address(std::string path, std::string help, At at) {
  return Scalar(
      std::move(path), "HOST:PORT", std::move(help), at,
      [](std::string_view text) -> absl::StatusOr<std::optional<Endpoint>> {
        if (text.empty()) return std::optional<Endpoint>();
        TANDEM_ASSIGN_OR_RETURN(Endpoint endpoint, ParseEndpoint(text));
        if (endpoint.port == 0) return Bad("port 0 cannot be called; expected 1 to 65535");
        return std::optional<Endpoint>(std::move(endpoint));
      },
      [](const std::optional<Endpoint>& endpoint) {
        return endpoint ? YamlScalar(ToText(*endpoint)) : YamlScalar("");
      });
}

// A path; a relative one counts from where it was given.
template <typename At>
Option Path(std::string path, std::string help, At at) {
  Option option = Scalar(
      std::move(path), "PATH", std::move(help), at,
      [](std::string_view text) -> absl::StatusOr<std::string> { return std::string(text); },
      YamlScalar);
  option.set = [at](Config& config, const Given& given) -> absl::Status {
    const std::string& text = given.items.front();
    if (text.size() > 4096 || text.find('\0') != std::string::npos) {
      return Bad("is no path; expected at most 4096 bytes");
    }
    at(config) = text.empty() ? "" : (given.base / text).string();
    return absl::OkStatus();
  };
  return option;
}

template <typename Value>
struct Word {
  std::string_view text;
  Value value;
};

template <typename Value, std::size_t kCount, typename At>
Option Choice(std::string path, std::array<Word<Value>, kCount> words, std::string help, At at) {
  std::vector<std::string> names;
  names.reserve(kCount);
  for (const auto& word : words) names.emplace_back(word.text);
  const std::string expected = fmt::format("{}", fmt::join(names, ", "));
  std::string placeholder = fmt::format("{}", fmt::join(names, "|"));
  return Scalar(
      std::move(path), std::move(placeholder), std::move(help), at,
      [words, expected](std::string_view text) -> absl::StatusOr<Value> {
        for (const auto& word : words) {
          if (word.text == text) return word.value;
        }
        return Bad(fmt::format("\"{}\" is none of: {}", Printable(text), expected));
      },
      [words](Value value) {
        return std::string(std::find_if(words.begin(), words.end(), [&](const auto& w) {
                             return w.value == value;
                           })->text);
      });
}

constexpr std::array<Word<bool Roles::*>, 4> kRoleWords = {{{"router", &Roles::router},
                                                            {"context", &Roles::context},
                                                            {"gateway", &Roles::gateway},
                                                            {"notifier", &Roles::notifier}}};

absl::Status SetRoles(Config& config, const Given& given) {
  Roles roles{false, false, false, false};
  for (const std::string& item : given.items) {
    const auto* word = std::find_if(kRoleWords.begin(), kRoleWords.end(),
                                    [&](const auto& w) { return w.text == item; });
    if (word == kRoleWords.end()) {
      return Bad(
          fmt::format("\"{}\" is no role; expected some of: router, context, gateway, "
                      "notifier",
                      Printable(item)));
    }
    if (roles.*word->value) return Bad(fmt::format("{} is named twice", item));
    roles.*word->value = true;
  }
  if (roles == Roles{false, false, false, false}) {
    return Bad("names no role; expected some of: router, context, gateway, notifier");
  }
  config.roles = roles;
  return absl::OkStatus();
}

std::vector<std::string> ShowRoles(const Config& config) {
  std::vector<std::string> items;
  for (const auto& word : kRoleWords) {
    if (config.roles.*word.value) items.emplace_back(word.text);
  }
  return items;
}

absl::Status SetSecret(Config& config, const Given& given) {
  constexpr std::size_t kSecretsMax = 1000;
  constexpr std::size_t kOfOneNameMax = 4;  // two during a rotation, and one that was forgotten
  TANDEM_RETURN_IF_ERROR(CheckSecretKey(given.key));
  if (given.items.empty() || given.items.size() > kOfOneNameMax) {
    return Bad(fmt::format("{} secrets; expected one, or a list of up to {}, the newest first",
                           given.items.size(), kOfOneNameMax));
  }
  std::vector<Secret> secrets;
  for (const std::string& text : given.items) {
    TANDEM_ASSIGN_OR_RETURN(Secret secret, ReadSecret({.text = text,
                                                       .prefix = "whsec_",
                                                       .base = given.base,
                                                       .on_command_line = given.on_command_line}));
    TANDEM_RETURN_IF_ERROR(CheckWebhookSecret(secret));
    secrets.push_back(std::move(secret));
  }
  config.notifier.secrets[given.key] = std::move(secrets);
  if (config.notifier.secrets.size() > kSecretsMax) return Bad("more than 1000 secrets");
  return absl::OkStatus();
}

std::vector<std::string> ShowSecrets(const Config& config) {
  std::vector<std::string> lines;
  for (const auto& [name, secrets] : config.notifier.secrets) {
    std::vector<std::string> shown;
    for (const Secret& secret : secrets) shown.push_back(fmt::format("\"{}\"", secret));
    const bool one = shown.size() == 1;
    lines.push_back(fmt::format("{}: {}{}{}", YamlScalar(name), one ? "" : "[",
                                fmt::join(shown, ", "), one ? "" : "]"));
  }
  return lines;
}

absl::Status SetToken(Config& config, const Given& given) {
  if (given.items.front().empty()) {
    config.peers.token = Secret();
    return absl::OkStatus();
  }
  TANDEM_ASSIGN_OR_RETURN(config.peers.token,
                          ReadSecret({.text = given.items.front(),
                                      .prefix = "tdm_",
                                      .base = given.base,
                                      .on_command_line = given.on_command_line}));
  return absl::OkStatus();
}

std::vector<std::string> ShowToken(const Config& config) {
  return {config.peers.token.empty() ? YamlScalar("") : "\"***\""};
}

constexpr absl::Duration kDay = absl::Hours(24);
constexpr std::uint64_t kKiB = 1 << 10;
constexpr std::uint64_t kMiB = 1 << 20;

absl::StatusOr<absl::Duration> ReadRetention(std::string_view text) {
  if (text == "forever") return absl::InfiniteDuration();
  TANDEM_ASSIGN_OR_RETURN(const absl::Duration retention, ReadDuration(text));
  if (retention < kDay || retention > 3650 * kDay) {
    return Bad(fmt::format("{} is out of range; expected 1d to 3650d, or forever", text));
  }
  return retention;
}

void AddGeneral(std::vector<Option>& options) {
  options.push_back({"roles", Shape::kList, "ROLE,…",
                     "What this process runs: router, context, gateway, notifier", SetRoles,
                     ShowRoles});
  options.push_back(Path(
      "data_dir", "Where the journal and the context are kept",
      [](auto& c) -> auto& { return c.data_dir; }));
  options.push_back(Scalar(
      "retention", "DURATION|forever",
      "How long the history is kept: 1d to 3650d, or forever; what is still needed stays",
      [](auto& c) -> auto& { return c.retention; }, ReadRetention,
      [](absl::Duration retention) {
        return retention == absl::InfiniteDuration() ? "forever" : DurationText(retention);
      }));
}

void AddGrpc(std::vector<Option>& options) {
  options.push_back(Listen(
      "grpc.listen", "Where the gRPC API listens; port 0 takes a free one",
      [](auto& c) -> auto& { return c.grpc.listen; }));
  options.push_back(Path(
      "grpc.tls.cert", "PEM certificate chain of this server",
      [](auto& c) -> auto& { return c.grpc.tls.cert; }));
  options.push_back(Path(
      "grpc.tls.key", "PEM private key of that certificate",
      [](auto& c) -> auto& { return c.grpc.tls.key; }));
  options.push_back(Path(
      "grpc.tls.client_ca", "PEM certificates that client certificates come from",
      [](auto& c) -> auto& { return c.grpc.tls.client_ca; }));
  options.push_back(Bool(
      "grpc.tls.require_client_cert", "Refuse clients without a certificate",
      [](auto& c) -> auto& { return c.grpc.tls.require_client_cert; }));
  options.push_back(Bool(
      "grpc.insecure", "Allow a network address without TLS",
      [](auto& c) -> auto& { return c.grpc.insecure; }));
  options.push_back(Bool(
      "grpc.reflection", "Serve the descriptors of the API to tools",
      [](auto& c) -> auto& { return c.grpc.reflection; }));
  options.push_back(Size(
      "grpc.max_message", {64 * kKiB, 64 * kMiB}, "The largest message, both ways",
      [](auto& c) -> auto& { return c.grpc.max_message; }));
  options.push_back(Count(
      "grpc.open_calls_max", {10, 1'000'000}, "How many streams and waiting calls may be open",
      [](auto& c) -> auto& { return c.grpc.open_calls_max; }));
  options.push_back(Listen(
      "admin.listen", "Where metrics and health are served over HTTP",
      [](auto& c) -> auto& { return c.admin.listen; }));
}

void AddRouter(std::vector<Option>& options) {
  options.push_back(Address(
      "router.address", "The router, when it is another process",
      [](auto& c) -> auto& { return c.router.address; }));
  options.push_back(Duration(
      "router.resolve_timeout", {absl::Seconds(10), kDay},
      "After how long without news an alert without an end resolves",
      [](auto& c) -> auto& { return c.router.resolve_timeout; }));
  options.push_back(Count(
      "router.mailbox_max", {1, 65'536},
      "How many batches may wait; more are refused with a retry delay",
      [](auto& c) -> auto& { return c.router.mailbox_max; }));
  options.push_back(Count(
      "router.group_max", {1, 4'096}, "How many batches one commit may hold",
      [](auto& c) -> auto& { return c.router.group_max; }));
  options.push_back(Count(
      "router.snapshot_every", {100, 10'000'000}, "After how many records a snapshot is written",
      [](auto& c) -> auto& { return c.router.snapshot_every; }));
  options.push_back(Size(
      "router.min_free_disk", {16 * kMiB, 1024 * 1024 * kMiB},
      "Input is refused while less room is left on the disk",
      [](auto& c) -> auto& { return c.router.min_free_disk; }));
  options.push_back(Address(
      "context.address", "The context service, when it is another process",
      [](auto& c) -> auto& { return c.context.address; }));
}

void AddNotifier(std::vector<Option>& options) {
  options.push_back(Bool(
      "notifier.allow_private_addresses", "Deliver to private and loopback addresses",
      [](auto& c) -> auto& { return c.notifier.allow_private_addresses; }));
  options.push_back(Bool(
      "notifier.allow_http", "Deliver without TLS",
      [](auto& c) -> auto& { return c.notifier.allow_http; }));
  options.push_back(Duration(
      "notifier.timeout", {absl::Seconds(1), absl::Minutes(5)}, "How long one attempt may take",
      [](auto& c) -> auto& { return c.notifier.timeout; }));
  options.push_back(Count(
      "notifier.max_in_flight", {1, 4'096}, "How many attempts run at a time",
      [](auto& c) -> auto& { return c.notifier.max_in_flight; }));
  options.push_back({"notifier.secrets", Shape::kMap, "TENANT/NAME=FILE,…",
                     "What webhooks are signed with: whsec_…, or a file that holds it; \"*/NAME\" "
                     "serves every tenant; a name given twice signs with both, the newest first",
                     SetSecret, ShowSecrets});
}

void AddPeersAndProcess(std::vector<Option>& options) {
  options.push_back(Path(
      "peers.ca", "PEM certificates that other processes' come from",
      [](auto& c) -> auto& { return c.peers.ca; }));
  options.push_back(Path(
      "peers.cert", "PEM client certificate to show them",
      [](auto& c) -> auto& { return c.peers.cert; }));
  options.push_back(Path(
      "peers.key", "PEM private key of that certificate",
      [](auto& c) -> auto& { return c.peers.key; }));
  options.push_back(Bool(
      "peers.insecure", "Call other processes without TLS",
      [](auto& c) -> auto& { return c.peers.insecure; }));
  options.push_back({"peers.token", Shape::kScalar, "FILE",
                     "The token of role service to call them with: tdm_…, or a file that holds it",
                     SetToken, ShowToken});
  options.push_back(Choice(
      "log.level",
      std::array<Word<LogLevel>, 5>{{{"trace", LogLevel::kTrace},
                                     {"debug", LogLevel::kDebug},
                                     {"info", LogLevel::kInfo},
                                     {"warn", LogLevel::kWarn},
                                     {"error", LogLevel::kError}}},
      "The least important lines to log", [](auto& c) -> auto& { return c.log.level; }));
  options.push_back(Choice(
      "log.format",
      std::array<Word<LogFormat>, 3>{
          {{"auto", LogFormat::kAuto}, {"human", LogFormat::kHuman}, {"json", LogFormat::kJson}}},
      "auto: human on a terminal, otherwise JSON lines",
      [](auto& c) -> auto& { return c.log.format; }));
  options.push_back(Duration(
      "drain.lameduck", {absl::ZeroDuration(), absl::Minutes(1)},
      "How long calls are still taken after health says that we stop; a second signal ends it; "
      "5s, or 0 when grpc.listen is a loopback address",
      [](auto& c) -> auto& { return c.drain.lameduck; }));
  options.push_back(Duration(
      "drain.timeout", {absl::Seconds(1), absl::Minutes(10)}, "After how long a stop is forced",
      [](auto& c) -> auto& { return c.drain.timeout; }));
}

}  // namespace

const std::vector<Option>& Options() {
  static const auto* const options = [] {
    auto* all = new std::vector<Option>;
    AddGeneral(*all);
    AddGrpc(*all);
    AddRouter(*all);
    AddNotifier(*all);
    AddPeersAndProcess(*all);
    return all;
  }();
  return *options;
}

const Option* FindOption(std::string_view path) {
  for (const Option& option : Options()) {
    if (option.path == path) return &option;
  }
  return nullptr;
}

std::string EnvironmentName(const Option& option) {
  std::string name = "TANDEM_";
  for (const char c : option.path) {
    name += c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return name;
}

std::string YamlScalar(std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./_-:";
  const bool plain = !text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos &&
                     text.front() != '-' && text.front() != ':' && text.back() != ':';
  if (plain) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace tandem::runtime
