#include "tools/tandem/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/rpc/grpc_status.h"
#include "tools/tandem/failure.h"
#include "tools/tandem/files.h"
#include "tools/tandem/names.h"

namespace tandem::cli {
namespace {

// A list answer holds up to 500 incidents; an exported playbook up to 4 MiB.
constexpr int kReceiveMaxBytes = 64 << 20;
constexpr std::size_t kPemMaxBytes = 1 << 20;

// The token of this machine goes in the clear to these, so a name that only looks like a loopback
// address (127.0.0.1.example.org) must not pass.
bool IsThisMachine(std::string_view address) {
  if (address.starts_with("unix:")) return true;
  const std::string_view host = address.substr(0, address.rfind(':'));
  return host == "localhost" || host == "[::1]" ||
         (host.starts_with("127.") &&
          host.find_first_not_of("0123456789.") == std::string_view::npos);
}

// "Connection refused" and "Domain name not found" instead of gRPC's whole story in front of it.
std::string_view WithoutPrefix(std::string_view message) {
  for (const std::string_view story :
       {"last error: ", "Failed to connect to remote host: ", "is_balancer=0: "}) {
    const std::size_t at = message.find(story);
    if (at != std::string_view::npos) message.remove_prefix(at + story.size());
  }
  for (const std::string_view word : {"UNKNOWN: ", "UNAVAILABLE: "}) {
    if (message.starts_with(word)) message.remove_prefix(word.size());
  }
  return message;
}

// HOST:PORT or unix:PATH; gRPC would take anything, and look for it in the DNS.
absl::Status CheckAddress(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  const std::string_view port = colon == std::string_view::npos ? "" : address.substr(colon + 1);
  std::uint32_t number = 0;
  const auto read = std::from_chars(port.data(), port.data() + port.size(), number);
  const bool is_port = read.ec == std::errc() && read.ptr == port.data() + port.size() &&
                       number >= 1 && number <= 65'535;
  if (address.starts_with("unix:") || (is_port && colon > 0)) return absl::OkStatus();
  return UsageError(fmt::format(
      "--address \"{}\": expected HOST:PORT such as 127.0.0.1:7443, with a port from 1 to "
      "65535, or unix:/PATH",
      Shown(address)));
}

// What a connection that failed is called. A router that wants TLS, or another certificate of ours,
// just ends the connection; gRPC tells of that only as a broken one.
absl::Status Unreachable(const ClientOptions& options, const std::string& message) {
  using std::string_view;
  const auto says = [&](string_view text) { return message.find(text) != std::string::npos; };
  const absl::StatusCode code = absl::StatusCode::kUnavailable;
  if (says("CERTIFICATE_VERIFY_FAILED") || says("certificate verify failed") || says("Peer name") ||
      says("Cannot check peer")) {
    return Error(
        code, "TLS_UNTRUSTED",
        fmt::format("the router at {} shows a certificate that {} does not vouch for",
                    options.address, options.ca.empty() ? "this machine" : Printable(options.ca)));
  }
  // As gRPC puts it when the other end closes without a word of HTTP/2.
  if (says("Socket closed")) {
    const string_view why = !UsesTls(options)      ? "it may speak only TLS (--ca)"
                            : options.cert.empty() ? "it may want a certificate of yours"
                                                   : "it may not know who signed your certificate";
    return Error(code, UsesTls(options) ? "TLS_REFUSED" : "UNREACHABLE",
                 fmt::format("the router at {} ended the connection: {}, or it is stopping",
                             options.address, why));
  }
  if (says("WRONG_VERSION_NUMBER") || says("wrong version number")) {
    return Error(code, "UNREACHABLE",
                 fmt::format("what answers at {} does not speak TLS", options.address));
  }
  return Error(code, "UNREACHABLE",
               fmt::format("no router answers at {}: {}", options.address, WithoutPrefix(message)));
}

absl::StatusOr<std::string> Pem(std::string_view option, const std::string& path) {
  if (path.empty()) return std::string();
  absl::StatusOr<std::string> text = ReadFile(path, kPemMaxBytes);
  if (!text.ok()) return UsageError(fmt::format("{}: {}", option, MessageOf(text.status())));
  return text;
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> Credentials(
    const ClientOptions& options) {
  if (!UsesTls(options)) return grpc::InsecureChannelCredentials();
  if (options.cert.empty() != options.key.empty()) {
    return UsageError("--cert and --key come together: a certificate is of no use without its key");
  }
  grpc::SslCredentialsOptions ssl;
  TANDEM_ASSIGN_OR_RETURN(ssl.pem_root_certs, Pem("--ca", options.ca));
  TANDEM_ASSIGN_OR_RETURN(ssl.pem_cert_chain, Pem("--cert", options.cert));
  TANDEM_ASSIGN_OR_RETURN(ssl.pem_private_key, Pem("--key", options.key));
  return grpc::SslCredentials(ssl);
}

}  // namespace

bool UsesTls(const ClientOptions& options) {
  if (options.plaintext) return false;
  const bool asked = !options.ca.empty() || !options.cert.empty() || !options.key.empty();
  return asked || !IsThisMachine(options.address);
}

Client::Client(ClientOptions options, std::shared_ptr<grpc::Channel> channel)
    : options_(std::move(options)), channel_(std::move(channel)) {}

absl::StatusOr<std::unique_ptr<Client>> Client::Make(ClientOptions options) {
  const auto printable = [](char c) { return c > ' ' && c < '\x7f'; };
  if (!std::all_of(options.token.begin(), options.token.end(), printable)) {
    return UsageError(
        "the token has blanks or bytes outside ASCII: a token is `tdm_…` as it was "
        "shown when it was made, on one line");
  }
  TANDEM_RETURN_IF_ERROR(CheckAddress(options.address));
  TANDEM_ASSIGN_OR_RETURN(auto credentials, Credentials(options));
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kReceiveMaxBytes);
  arguments.SetUserAgentPrefix("tandem-cli");
  // Nobody waits minutes at a terminal for the next attempt to connect.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 200);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2'000);
  // A router that hangs is noticed on a stream too: a ping a minute, which the server allows.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  auto channel = grpc::CreateCustomChannel(options.address, credentials, arguments);
  return std::unique_ptr<Client>(new Client(std::move(options), std::move(channel)));
}

void Client::Prepare(grpc::ClientContext& context) const {
  if (!options_.token.empty()) context.AddMetadata("authorization", "Bearer " + options_.token);
}

void Client::SetDeadline(grpc::ClientContext& context) const {
  context.set_deadline(std::chrono::system_clock::now() +
                       absl::ToChronoMicroseconds(options_.timeout));
}

absl::Status Client::Failed(std::string_view call, const grpc::Status& status) const {
  absl::Status error = rpc::FromGrpc(status);
  if (error.ok()) return error;
  // Without details it does not come from a router but from gRPC itself.
  if (error.code() == absl::StatusCode::kUnavailable && status.error_details().empty()) {
    error = Unreachable(options_, status.error_message());
  }
  if (const std::string id = rpc::RequestIdOf(status); !id.empty()) {
    error = AddFact(std::move(error), kFactRequestId, id);
  }
  return AddFact(AddFact(std::move(error), kFactCall, call), kFactAddress, options_.address);
}

}  // namespace tandem::cli
