#include "tools/agent/channel.h"

#include <fmt/format.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "router/base/status.h"
#include "tools/agent/disk.h"

namespace tandem::client {
namespace {

constexpr std::size_t kPemMaxBytes = 1u << 20;
constexpr std::size_t kTokenMaxBytes = 8192;

absl::StatusOr<std::string> ReadOptional(const std::string& path) {
  if (path.empty()) return std::string();
  return ReadWholeFile(path, kPemMaxBytes);
}

bool WantsTls(const Connection& connection) {
  return !connection.ca_file.empty() || !connection.certificate_file.empty() ||
         (!IsLocal(connection.address) && !connection.plaintext);
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> Credentials(
    const Connection& connection) {
  if (!WantsTls(connection)) return grpc::InsecureChannelCredentials();
  if (connection.certificate_file.empty() != connection.key_file.empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "KEY_PAIR_INCOMPLETE",
                 "a client certificate needs its key, and a key its certificate");
  }
  grpc::SslCredentialsOptions options;
  TANDEM_ASSIGN_OR_RETURN(options.pem_root_certs, ReadOptional(connection.ca_file));
  TANDEM_ASSIGN_OR_RETURN(options.pem_cert_chain, ReadOptional(connection.certificate_file));
  TANDEM_ASSIGN_OR_RETURN(options.pem_private_key, ReadOptional(connection.key_file));
  return grpc::SslCredentials(options);
}

// The numbers suit the router's, which allows a ping each 10 s: a dead router or a firewall that
// forgot the connection is noticed within 30 + 10 s, with or without a stream.
void SetKeepalive(grpc::ChannelArguments& arguments) {
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
}

}  // namespace

bool IsLocal(std::string_view address) {
  for (const std::string_view prefix : {"unix:", "localhost:", "127.", "[::1]:"}) {
    if (address.starts_with(prefix)) return true;
  }
  return false;
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> OpenChannel(const Connection& connection) {
  const bool has_token = !connection.token.empty() || !connection.token_file.empty();
  if (has_token && !WantsTls(connection) && !IsLocal(connection.address)) {
    return Error(
        absl::StatusCode::kInvalidArgument, "TOKEN_IN_THE_CLEAR",
        fmt::format("a token is not sent to {} without TLS; use TLS or leave the token out",
                    connection.address));
  }
  TANDEM_ASSIGN_OR_RETURN(auto credentials, Credentials(connection));
  grpc::ChannelArguments arguments;
  SetKeepalive(arguments);
  // The client's own backoff decides when to try; the channel's must not add to it.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5'000);  // time for one connection attempt
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1'000);
  // Two clients of one process do not share a connection and its flow control.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  if (!connection.server_name.empty()) arguments.SetSslTargetNameOverride(connection.server_name);
  return grpc::CreateCustomChannel(connection.address, credentials, arguments);
}

absl::Status Authorize(const Connection& connection, grpc::ClientContext& context) {
  std::string token = connection.token;
  if (!connection.token_file.empty()) {
    TANDEM_ASSIGN_OR_RETURN(token, ReadWholeFile(connection.token_file, kTokenMaxBytes));
    const std::size_t begin = token.find_first_not_of(" \t\r\n");
    const std::size_t end = token.find_last_not_of(" \t\r\n");
    if (begin == std::string::npos) {
      return Error(absl::StatusCode::kInvalidArgument, "TOKEN_FILE_EMPTY",
                   fmt::format("{} is empty; expected one line, tdm_…", connection.token_file));
    }
    token = token.substr(begin, end - begin + 1);
  }
  if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
  return absl::OkStatus();
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  google::rpc::Status rich;
  std::string reason;
  std::optional<absl::Duration> retry;
  if (rich.ParseFromString(status.error_details())) {
    for (const auto& detail : rich.details()) {
      google::rpc::ErrorInfo info;
      google::rpc::RetryInfo wait;
      if (detail.UnpackTo(&info)) reason = info.reason();
      if (detail.UnpackTo(&wait)) {
        retry = absl::Seconds(wait.retry_delay().seconds()) +
                absl::Nanoseconds(wait.retry_delay().nanos());
      }
    }
  }
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  absl::Status result = reason.empty() ? absl::Status(code, status.error_message())
                                       : Error(code, reason, status.error_message());
  return retry ? AddRetry(std::move(result), *retry) : result;
}

}  // namespace tandem::client
