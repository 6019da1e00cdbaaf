// How a client reaches the router: address, TLS, token, keepalive.
//
// Safe to call from any thread.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <memory>
#include <string>
#include <string_view>

namespace tandem::client {

struct Connection {
  std::string address;  // "host:port" or "unix:/path"
  // TLS is used as soon as one of these is set, and always unless the address is loopback or a Unix
  // socket. Empty: the system's authorities.
  std::string ca_file;
  // For mTLS: both or none, PEM.
  std::string certificate_file;
  std::string key_file;
  // The name that the router's certificate must carry, when it is not the host of the address.
  std::string server_name;
  // What stands behind "Bearer "; empty: no token. Sent over TLS, loopback or a Unix socket only.
  std::string token;
  // Takes the place of `token`; read anew for each stream, so that a rotated token needs no
  // restart. White space around the token is cut off.
  std::string token_file;
  // Speak without TLS to a host that is not loopback. For test set-ups.
  bool plaintext = false;
};

// Loopback or a Unix socket: nobody on the network reads along.
bool IsLocal(std::string_view address);

// A channel; does not connect yet. INVALID_ARGUMENT or NOT_FOUND when a file cannot be read, when
// only one of certificate and key is given, or when a token would travel in the clear.
absl::StatusOr<std::shared_ptr<grpc::Channel>> OpenChannel(const Connection& connection);

// Adds the token to a call. An error when the token's file cannot be read.
absl::Status Authorize(const Connection& connection, grpc::ClientContext& context);

// A status of gRPC with what google.rpc details add: reason and retry delay.
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace tandem::client
