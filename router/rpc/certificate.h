// Whom a client certificate speaks for: the principal that a SAN URI `tandem://principals/{id}` in
// it names. The certificate itself was checked by TLS against grpc.tls.client_ca before any of this
// is asked; a name outside a SAN URI (the CN, a DNS name) names nobody.
//
// Pure but for PrincipalOfPeer, which asks gRPC; safe from any thread.
#pragma once

#include <absl/status/statusor.h>
#include <grpcpp/grpcpp.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::rpc {

// nullopt when none of the URIs is of ours. UNAUTHENTICATED with reason CERTIFICATE_INVALID when
// one is ill-formed, or when two name different principals.
absl::StatusOr<std::optional<std::string>> PrincipalOfUris(
    const std::vector<std::string_view>& uris);

// The same of the certificate that the other end has shown; nullopt without one.
absl::StatusOr<std::optional<std::string>> PrincipalOfPeer(
    const grpc::CallbackServerContext& context);

}  // namespace tandem::rpc
