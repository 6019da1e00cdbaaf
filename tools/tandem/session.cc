#include "tools/tandem/session.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <ostream>
#include <random>
#include <string_view>

#include "router/base/status.h"
#include "router/base/text.h"
#include "tandem/v1/admin.grpc.pb.h"
#include "tools/tandem/files.h"
#include "tools/tandem/json.h"
#include "tools/tandem/names.h"

namespace tandem::cli {
namespace {

constexpr std::size_t kTokenMaxBytes = 4096;
constexpr char kLocalToken[] = "data/admin.token";
constexpr std::string_view kAllTenants = "tenants/-";

Look LookOf(int fd, const CommonOptions& options) {
  Look look;
  look.zone = absl::LocalTimeZone();
  if (isatty(fd) == 0) return look;
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool dumb = term != nullptr && std::string_view(term) == "dumb";
  // https://no-color.org: any value that is not empty.
  look.colour = !options.no_color && !dumb && (no_color == nullptr || *no_color == '\0');
  winsize size{};
  const bool known = ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  look.columns = known ? size.ws_col : 80;
  return look;
}

std::string Trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

}  // namespace

Session::Session(std::ostream& out, std::ostream& err, const Clock& clock)
    : out_(out), err_(err), clock_(clock) {
  out_look_.zone = err_look_.zone = absl::LocalTimeZone();
}

void Session::LookAround() {
  out_look_ = LookOf(STDOUT_FILENO, options);
  err_look_ = LookOf(STDERR_FILENO, options);
}

absl::StatusOr<std::string> Session::FindToken() const {
  if (!options.token.empty()) return options.token;
  if (!options.token_file.empty()) {
    absl::StatusOr<std::string> text = ReadFile(options.token_file, kTokenMaxBytes);
    if (!text.ok()) return UsageError(fmt::format("--token-file: {}", MessageOf(text.status())));
    std::string token = Trimmed(*text);
    if (token.empty()) {
      return UsageError(fmt::format("--token-file: {} is empty; expected one line, tdm_…",
                                    Printable(options.token_file)));
    }
    return token;
  }
  // The token of an installation on this machine never goes to another one by itself.
  const ClientOptions target{.address = options.address};
  if (UsesTls(target) || access(kLocalToken, R_OK) != 0) return std::string();
  absl::StatusOr<std::string> text = ReadFile(kLocalToken, kTokenMaxBytes);
  return text.ok() ? Trimmed(*text) : std::string();
}

absl::StatusOr<Client*> Session::Connect() {
  if (client_ == nullptr) {
    TANDEM_ASSIGN_OR_RETURN(std::string token, FindToken());
    TANDEM_ASSIGN_OR_RETURN(const absl::Duration timeout, Timeout());
    TANDEM_ASSIGN_OR_RETURN(client_, Client::Make({.address = options.address,
                                                   .token = std::move(token),
                                                   .ca = options.ca,
                                                   .cert = options.cert,
                                                   .key = options.key,
                                                   .plaintext = options.plaintext,
                                                   .timeout = timeout}));
  }
  return client_.get();
}

absl::StatusOr<absl::Duration> Session::Timeout() const {
  const absl::StatusOr<absl::Duration> timeout = ReadDuration(options.timeout);
  if (timeout.ok() && *timeout > absl::ZeroDuration()) return timeout;
  return UsageError(fmt::format("--timeout \"{}\": expected a duration above 0 such as 10s or 1m",
                                Printable(options.timeout)));
}

absl::StatusOr<std::string> Session::Tenant() const { return TenantName(options.tenant); }

absl::StatusOr<std::string> Session::NamedTenant() const {
  TANDEM_ASSIGN_OR_RETURN(std::string name, Tenant());
  if (!name.empty() && name != kAllTenants) return name;
  return Error(absl::StatusCode::kInvalidArgument, kTenantMissing,
               "this needs one tenant: give --tenant T, or set TANDEM_TENANT");
}

absl::StatusOr<std::string> Session::OneTenant() {
  absl::StatusOr<std::string> named = NamedTenant();
  if (named.ok() || !options.tenant.empty()) return named;
  TANDEM_ASSIGN_OR_RETURN(Client * client, Connect());
  TANDEM_ASSIGN_OR_RETURN(
      const v1::WhoAmIResponse me,
      client->Call("Admin/WhoAmI", &v1::Admin::Stub::WhoAmI, v1::WhoAmIRequest()));
  const auto& tenants = me.principal().tenants();
  if (tenants.size() == 1 && tenants[0] != kAllTenants) return tenants[0];
  return named;
}

absl::StatusOr<std::string> Session::Name(NameReader read, std::string_view text) {
  absl::StatusOr<std::string> name = read(text, options.tenant);
  if (name.ok() || ReasonOf(name.status()) != kTenantMissing || !options.tenant.empty()) {
    return name;
  }
  const absl::StatusOr<std::string> tenant = OneTenant();
  if (tenant.ok()) return read(text, *tenant);
  return ReasonOf(tenant.status()) == kTenantMissing ? name.status() : tenant.status();
}

Look Session::look() const {
  Look look = out_look_;
  look.now = clock_.Now();
  return look;
}

Look Session::err_look() const {
  Look look = err_look_;
  look.now = clock_.Now();
  return look;
}

void Session::PrintJson(const google::protobuf::Message& message) {
  out_ << JsonText(message, JsonShape::kIndented) << "\n";
}

std::string NewRequestId() {
  std::random_device device;
  const auto word = [&] { return static_cast<std::uint32_t>(device()); };
  const std::uint32_t b = word();
  const std::uint32_t c = word();
  const std::uint32_t d = word();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:04x}{:08x}", word(), b >> 16, b & 0xFFF,
                     0x8000 | (c >> 18), c & 0xFFFF, d);
}

}  // namespace tandem::cli
