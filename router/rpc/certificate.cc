#include "router/rpc/certificate.h"

#include <fmt/format.h>
#include <grpc/grpc_security_constants.h>

#include <algorithm>

#include "router/base/status.h"
#include "router/base/text.h"

namespace tandem::rpc {
namespace {

constexpr std::string_view kScheme = "tandem:";
constexpr std::string_view kPrincipals = "tandem://principals/";
constexpr std::size_t kPrincipalMax = 63;  // bytes; see Principal.id in admin.proto

bool IsPrincipalId(std::string_view id) {
  return !id.empty() && id.size() <= kPrincipalMax && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '@' ||
           c == '-';
  });
}

absl::Status Invalid(std::string_view what) {
  return Error(absl::StatusCode::kUnauthenticated, "CERTIFICATE_INVALID",
               fmt::format("the client certificate {}; expected one SAN URI of the form "
                           "tandem://principals/{{principal}}",
                           what));
}

}  // namespace

absl::StatusOr<std::optional<std::string>> PrincipalOfUris(
    const std::vector<std::string_view>& uris) {
  std::optional<std::string> principal;
  for (const std::string_view uri : uris) {
    if (uri.substr(0, kScheme.size()) != kScheme) continue;
    const bool ours = uri.substr(0, kPrincipals.size()) == kPrincipals;
    const std::string_view id = ours ? uri.substr(kPrincipals.size()) : std::string_view();
    if (!IsPrincipalId(id)) {
      return Invalid(fmt::format("says \"{}\"", Printable(uri.substr(0, 100))));
    }
    if (principal && *principal != id) return Invalid("names two principals");
    principal = std::string(id);
  }
  return principal;
}

absl::StatusOr<std::optional<std::string>> PrincipalOfPeer(
    const grpc::CallbackServerContext& context) {
  const auto auth = context.auth_context();
  if (auth == nullptr) return std::nullopt;
  const std::vector<grpc::string_ref> found = auth->FindPropertyValues(GRPC_PEER_URI_PROPERTY_NAME);
  std::vector<std::string_view> uris;
  uris.reserve(found.size());
  for (const grpc::string_ref& uri : found) uris.emplace_back(uri.data(), uri.size());
  return PrincipalOfUris(uris);
}

}  // namespace tandem::rpc
