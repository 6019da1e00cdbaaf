// The connection to a router: address, TLS, token, deadlines.
//
// Nothing is sent before the first call. Safe from any thread once made.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <string_view>

namespace tandem::cli {

struct ClientOptions {
  std::string address = {};  // "127.0.0.1:7443", "router.example:7443", "unix:/run/tandem.sock"
  std::string token = {};    // empty: none is sent
  // PEM files. `ca` empty: the machine's own authorities. `cert` and `key` come together.
  std::string ca = {}, cert = {}, key = {};
  // TLS is used unless the address is of this machine and none of the three is given; this turns it
  // off for every address (inside a container network).
  bool plaintext = false;
  absl::Duration timeout = absl::Seconds(10);  // of a unary call
};

// Whether calls to `options.address` go over TLS.
bool UsesTls(const ClientOptions& options);

class Client {
 public:
  // INVALID_ARGUMENT with reason USAGE when a file cannot be read or the token has bytes that a
  // header cannot carry.
  static absl::StatusOr<std::unique_ptr<Client>> Make(ClientOptions options);

  // One unary call with the common deadline. An error says which call and where
  // (kFactCall, kFactAddress).
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(std::string_view name,
                                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request) {
    Stub stub(channel_);
    grpc::ClientContext context;
    Prepare(context);
    SetDeadline(context);
    Response response;
    const grpc::Status status = (stub.*method)(&context, request, &response);
    if (!status.ok()) return Failed(name, status);
    return response;
  }

  // What every call carries; streams have no deadline of their own.
  void Prepare(grpc::ClientContext& context) const;
  void SetDeadline(grpc::ClientContext& context) const;
  absl::Status Failed(std::string_view call, const grpc::Status& status) const;

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  const ClientOptions& options() const { return options_; }

 private:
  Client(ClientOptions options, std::shared_ptr<grpc::Channel> channel);

  ClientOptions options_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace tandem::cli
