#include "router/rpc/server.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "router/base/check.h"
#include "router/rpc/certificate.h"
#include "router/rpc/grpc_status.h"

namespace tandem::rpc {
namespace {

constexpr std::size_t kRequestIdMax = 128;  // bytes; a longer one is replaced
constexpr std::size_t kPeerMax = 256;       // bytes

std::string_view View(grpc::string_ref ref) { return {ref.data(), ref.size()}; }

// The value of `key`, or "" when it is absent or given more than once.
std::string_view Metadata(const grpc::CallbackServerContext& context, const char* key) {
  const auto [first, last] = context.client_metadata().equal_range(key);
  if (first == last || std::next(first) != last) return {};
  return View(first->second);
}

bool IsPrintableAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

// RFC 9562, version 4.
std::string NewUuid() {
  std::array<unsigned char, 16> b;
  TANDEM_CHECK(RAND_bytes(b.data(), static_cast<int>(b.size())) == 1,
               "the machine's random number generator must work");
  b[6] = static_cast<unsigned char>((b[6] & 0x0F) | 0x40);
  b[8] = static_cast<unsigned char>((b[8] & 0x3F) | 0x80);
  std::string out;
  for (std::size_t i = 0; i < b.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += fmt::format("{:02x}", b[i]);
  }
  return out;
}

// A call through a channel inside this process has no address of its own (gRPC 1.51 calls it
// "unknown" or "inproc"); one from a socket always has.
std::string PeerOf(const grpc::CallbackServerContext& context) {
  const std::string peer = context.peer();
  for (const std::string_view scheme : {"ipv4:", "ipv6:", "unix:", "unix-abstract:", "vsock:"}) {
    if (std::string_view(peer).substr(0, scheme.size()) == scheme) return peer;
  }
  const std::string_view bridged = Metadata(context, kPeerKey);
  const bool usable = !bridged.empty() && bridged.size() <= kPeerMax && IsPrintableAscii(bridged);
  return usable ? std::string(bridged) : "inproc";
}

absl::Time DeadlineOf(const grpc::CallbackServerContext& context) {
  const auto deadline = context.deadline();
  // gRPC's "none" is the largest value of its clock.
  if (deadline == std::chrono::system_clock::time_point::max()) return absl::InfiniteFuture();
  return absl::FromChrono(deadline);
}

// What stands behind "Bearer " (RFC 6750; the scheme in any case). TOKEN_MISSING when there is no
// such metadata, TOKEN_INVALID for another scheme or two of them.
absl::StatusOr<std::string_view> BearerToken(const grpc::CallbackServerContext& context) {
  constexpr std::string_view kScheme = "bearer ";
  if (context.client_metadata().find(kAuthorizationKey) == context.client_metadata().end()) {
    return Error(absl::StatusCode::kUnauthenticated, "TOKEN_MISSING",
                 "the call carries no token; send metadata `authorization: Bearer tdm_…`");
  }
  const std::string_view value = Metadata(context, kAuthorizationKey);
  const bool bearer = value.size() > kScheme.size() &&
                      std::equal(kScheme.begin(), kScheme.end(), value.begin(), [](char a, char b) {
                        return a == (b >= 'A' && b <= 'Z' ? b + ('a' - 'A') : b);
                      });
  if (!bearer) {
    return Error(absl::StatusCode::kUnauthenticated, "TOKEN_INVALID",
                 "metadata `authorization` is not of the form `Bearer tdm_…`, or is given twice");
  }
  return value.substr(kScheme.size());
}

// UNAUTHENTICATED when it shows neither a token nor a certificate of ours.
absl::StatusOr<Credential> CredentialOf(const grpc::CallbackServerContext& context) {
  TANDEM_ASSIGN_OR_RETURN(const auto principal, PrincipalOfPeer(context));
  const absl::StatusOr<std::string_view> token = BearerToken(context);
  if (!token.ok() && (!principal || ReasonOf(token.status()) != "TOKEN_MISSING")) {
    return token.status();
  }
  return Credential{.token = std::string(token.value_or("")),
                    .certificate = principal.value_or("")};
}

}  // namespace

CallGuard::CallGuard(Parts parts) : parts_(parts) {
  TANDEM_CHECK(
      parts_.authenticator != nullptr && parts_.clock != nullptr && parts_.registry != nullptr,
      "a guard without its parts");
}

Call CallGuard::Open(grpc::CallbackServerContext* context, Method method) const {
  if (parts_.observer != nullptr) parts_.observer->Started(method);
  const std::string_view id = Metadata(*context, kRequestIdKey);
  const bool usable = !id.empty() && id.size() <= kRequestIdMax && IsPrintableAscii(id);
  Call call{.method = method,
            .caller = {},
            .request_id = usable ? std::string(id) : NewUuid(),
            .trace = ParseTraceparent(Metadata(*context, kTraceparentKey)),
            .peer = PeerOf(*context),
            .received = parts_.clock->Now(),
            .deadline = DeadlineOf(*context)};
  context->AddInitialMetadata(kRequestIdKey, call.request_id);
  return call;
}

absl::Status CallGuard::Admit(const grpc::CallbackServerContext& context, Call& call) const {
  TANDEM_ASSIGN_OR_RETURN(call.credential, CredentialOf(context));
  TANDEM_ASSIGN_OR_RETURN(call.caller,
                          Identify(call.credential, *parts_.authenticator, call.received));
  return CheckAccess(call.caller, call.method.name());
}

grpc::Status CallGuard::Close(const Call& call, const absl::Status& status) const {
  if (parts_.observer != nullptr) {
    // The wall clock may be set back between the two readings.
    const absl::Duration took = std::max(absl::ZeroDuration(), parts_.clock->Now() - call.received);
    parts_.observer->Finished(call, status, took);
  }
  return ToGrpc(status, call.request_id);
}

}  // namespace tandem::rpc
