// Errors on the wire: the one place where an absl::Status becomes a grpc::Status, an exit code or
// an HTTP status, and where a client gets it back.
//
// Every error travels with a google.rpc.Status in `grpc-status-details-bin`: ErrorInfo (reason,
// domain "tandem.v1", facts) and RequestInfo always; BadRequest, PreconditionFailure and RetryInfo
// where the error has them. Pure; safe from any thread.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/support/status.h>

#include <string>
#include <string_view>

namespace tandem::rpc {

inline constexpr std::string_view kErrorDomain = "tandem.v1";

// gRPC's peers take 8 KiB of trailers by default, message and details together, the details in
// base64 (4/3) and the message percent-encoded (up to 3 times): 3 × 512 B + 4/3 × 4 KiB ≈ 7 KiB.
// A longer message is cut with "…", and so is the path or the description of a field; fields beyond
// the limit are left out and counted in the fact `fields_omitted`.
inline constexpr std::size_t kWireMessageMax = 512;   // bytes
inline constexpr std::size_t kWireFieldMax = 256;     // bytes
inline constexpr std::size_t kWireDetailsMax = 4096;  // bytes, before base64

// `status` for the wire. OK gives OK. Ill-formed UTF-8 and control
// characters are written as `\xNN`.
grpc::Status ToGrpc(const absl::Status& status, std::string_view request_id);

// The reverse, for clients: code, message, reason, fields, retry delay and facts restored. A status
// of a server that is not ours, or of gRPC itself, keeps code and message.
absl::Status FromGrpc(const grpc::Status& status);

// The request id that the server gave the call, or "".
std::string RequestIdOf(const grpc::Status& status);

// 0 done · 1 refused, or a finding · 2 wrong usage (INVALID_ARGUMENT) · 3 not reachable
// (UNAVAILABLE, DEADLINE_EXCEEDED).
int ExitCode(const absl::Status& status);

// The HTTP status of the Connect protocol: 200, 400, 401, 403, 404, 409, 429, 499, 500, 501, 503,
// 504.
int HttpStatus(const absl::Status& status);

}  // namespace tandem::rpc
