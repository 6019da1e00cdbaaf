#include <fmt/format.h>

#include <algorithm>

#include "router/api/cursor.h"
#include "router/api/later.h"
#include "router/api/text_field.h"
#include "router/base/status.h"
#include "router/codec/convert.h"
#include "router/rpc/token.h"

namespace tandem::api {
namespace {

constexpr absl::Duration kTokenDefault = absl::Hours(24 * 90);
constexpr absl::Duration kTokenMax = absl::Hours(24 * 400);
constexpr std::string_view kTenants = "tenants/";

void PutTime(absl::Time time, google::protobuf::Timestamp* out) {
  codec::PutTime(absl::ToUnixMicros(time), out);
}

v1::Tenant TenantMessage(const core::TenantCreated& tenant) {
  v1::Tenant message;
  message.set_name(fmt::format("tenants/{}", tenant.tenant.value));
  message.set_display_name(tenant.display_name);
  PutTime(tenant.created, message.mutable_create_time());
  return message;
}

v1::Principal PrincipalMessage(const core::PrincipalPut& principal) {
  v1::Principal message;
  message.set_id(principal.id);
  message.set_display_name(principal.display_name);
  message.set_side(codec::ToProto(principal.side));
  message.set_role(static_cast<v1::Role>(principal.role));
  for (const TenantId& tenant : principal.tenants) {
    message.add_tenants(fmt::format("tenants/{}", tenant.value));
  }
  if (principal.all_tenants) message.add_tenants("tenants/-");
  return message;
}

v1::Token TokenMessage(const core::TokenCreated& token) {
  v1::Token message;
  message.set_id(token.id);
  message.set_principal(token.principal);
  PutTime(token.created, message.mutable_create_time());
  if (token.expires != absl::InfiniteFuture())
    PutTime(token.expires, message.mutable_expire_time());
  return message;
}

// One page of an ordered map: `add` is called for at most `page_size` entries after the token's
// key. Returns the next token, empty at the end.
template <typename Map, typename KeyOf, typename Add>
absl::StatusOr<std::string> Page(const Map& map, int page_size, const std::string& token,
                                 std::string_view bound_to, KeyOf key_of, Add add) {
  const int limit = std::clamp(page_size == 0 ? 100 : page_size, 1, 1000);
  auto at = map.begin();
  if (!token.empty()) {
    TANDEM_ASSIGN_OR_RETURN(const std::string after, ReadPageToken(token, bound_to));
    at = map.upper_bound(key_of(after));
  }
  int added = 0;
  std::string last;
  for (; at != map.end() && added < limit; ++at) {
    if (!add(at->second)) continue;
    ++added;
    if constexpr (requires { at->first.value; }) {
      last = at->first.value;
    } else {
      last = at->first;
    }
  }
  return at == map.end() ? std::string() : MakePageToken(last, bound_to);
}

// One line of at most 256 bytes.
absl::Status CheckDisplayName(std::string_view name, std::string_view field) {
  constexpr std::size_t kDisplayNameBytesMax = 256;
  return CheckLine(name, field, kDisplayNameBytesMax);
}

// The caller as an administrator, who manages all principals or some (core::Manages).
core::PrincipalPut AdminOf(const rpc::Caller& caller) {
  return {.id = caller.principal,
          .display_name = {},
          .side = caller.side,
          .all_tenants = caller.all_tenants,
          .tenants = caller.tenants};
}

const auto kSame = [](const std::string& text) { return text; };

}  // namespace

std::vector<TenantId> RouterApi::AllTenants() const {
  std::vector<TenantId> all;
  for (const auto& [tenant, created] : parts_.engine->Installation()->tenants)
    all.push_back(tenant);
  return all;
}

void RouterApi::Install(const rpc::Caller& caller, core::InstallationFact wanted,
                        const std::string& request_id, Installed done) {
  core::InstallationInput input{{caller.principal, caller.side}, std::move(wanted), request_id};
  parts_.engine->Submit(
      {.tenant = core::kInstallation,
       .request = std::move(input),
       .done = [this, done = std::move(done)](absl::StatusOr<engine::Reply> reply) {
         if (!reply.ok()) return done(reply.status());
         if (parts_.on_installation_changed) parts_.on_installation_changed();
         done(std::move(reply->installed));
       }});
}

void RouterApi::CreateTenant(const rpc::Caller& caller, const v1::CreateTenantRequest& request,
                             Answer<v1::Tenant> answer) {
  absl::Status checked = CheckRequestId(request.request_id());
  if (checked.ok()) {
    checked = CheckDisplayName(request.tenant().display_name(), "tenant.display_name");
  }
  if (!checked.ok()) return answer(checked);
  const std::string& name = request.tenant().name();
  if (!name.starts_with(kTenants)) {
    return answer(InvalidField("NAME_INVALID", "tenant.name", "expected tenants/{tenant}"));
  }
  core::TenantCreated created{.tenant = TenantId(name.substr(kTenants.size())),
                              .display_name = request.tenant().display_name(),
                              .created = parts_.clock->Now()};
  Install(caller, std::move(created), request.request_id(), [answer](auto installed) {
    if (!installed.ok()) return answer(installed.status());
    answer(TenantMessage(std::get<core::TenantCreated>(**installed)));
  });
}

void RouterApi::PutPrincipal(const rpc::Caller& caller, const v1::PutPrincipalRequest& request,
                             Answer<v1::Principal> answer) {
  const v1::Principal& from = request.principal();
  absl::Status checked = CheckRequestId(request.request_id());
  if (checked.ok()) checked = CheckDisplayName(from.display_name(), "principal.display_name");
  if (!checked.ok()) return answer(checked);
  core::PrincipalPut put{.id = from.id(),
                         .display_name = from.display_name(),
                         .side = static_cast<Side>(from.side()),
                         .role = static_cast<core::PrincipalRole>(from.role())};
  for (const std::string& name : from.tenants()) {
    if (!name.starts_with(kTenants)) {
      return answer(InvalidField("NAME_INVALID", "principal.tenants",
                                 "expected tenants/{tenant} or tenants/-"));
    }
    if (name == "tenants/-") {
      put.all_tenants = true;
    } else {
      put.tenants.emplace_back(name.substr(kTenants.size()));
    }
  }
  std::sort(put.tenants.begin(), put.tenants.end());
  put.tenants.erase(std::unique(put.tenants.begin(), put.tenants.end()), put.tenants.end());
  Install(caller, std::move(put), request.request_id(), [answer](auto installed) {
    if (!installed.ok()) return answer(installed.status());
    answer(PrincipalMessage(std::get<core::PrincipalPut>(**installed)));
  });
}

void RouterApi::CreateToken(const rpc::Caller& caller, const v1::CreateTokenRequest& request,
                            Answer<v1::CreateTokenResponse> answer) {
  absl::Duration lives = kTokenDefault;
  if (request.has_expires_in()) {
    lives = absl::Seconds(request.expires_in().seconds()) +
            absl::Nanoseconds(request.expires_in().nanos());
    if (lives <= absl::ZeroDuration() || lives > kTokenMax) {
      return answer(InvalidField("DURATION_INVALID", "expires_in",
                                 "expected more than nothing and at most 400 days"));
    }
  }
  const rpc::NewToken token = rpc::MakeToken();
  const absl::Time now = parts_.clock->Now();
  core::TokenCreated created{.id = token.id,
                             .secret_hash = token.sha256,
                             .principal = request.principal(),
                             .created = now,
                             .expires = now + lives};
  v1::CreateTokenResponse response;
  *response.mutable_token() = TokenMessage(created);
  response.set_secret(token.text);
  Install(caller, std::move(created), "", [answer, response](auto installed) {
    if (!installed.ok()) return answer(installed.status());
    answer(response);
  });
}

void RouterApi::RevokeToken(const rpc::Caller& caller, const v1::RevokeTokenRequest& request,
                            Answer<v1::RevokeTokenResponse> answer) {
  Install(caller, core::TokenRevoked{request.id()}, "", [answer](auto installed) {
    if (!installed.ok()) return answer(installed.status());
    answer(v1::RevokeTokenResponse());
  });
}

absl::StatusOr<v1::ListTenantsResponse> RouterApi::ListTenants(
    const rpc::Caller& caller, const v1::ListTenantsRequest& request) const {
  const auto installation = parts_.engine->Installation();
  v1::ListTenantsResponse response;
  TANDEM_ASSIGN_OR_RETURN(
      *response.mutable_next_page_token(),
      Page(
          installation->tenants, request.page_size(), request.page_token(), "tenants",
          [](const std::string& text) { return TenantId(text); },
          [&](const core::TenantCreated& tenant) {
            if (!caller.all_tenants &&
                !std::binary_search(caller.tenants.begin(), caller.tenants.end(), tenant.tenant)) {
              return false;
            }
            *response.add_tenants() = TenantMessage(tenant);
            return true;
          }));
  return response;
}

absl::StatusOr<v1::ListPrincipalsResponse> RouterApi::ListPrincipals(
    const rpc::Caller& caller, const v1::ListPrincipalsRequest& request) const {
  const auto installation = parts_.engine->Installation();
  const core::PrincipalPut admin = AdminOf(caller);
  v1::ListPrincipalsResponse response;
  TANDEM_ASSIGN_OR_RETURN(*response.mutable_next_page_token(),
                          Page(installation->principals, request.page_size(), request.page_token(),
                               "principals", kSame, [&](const core::PrincipalPut& principal) {
                                 if (!core::Manages(admin, principal)) return false;
                                 *response.add_principals() = PrincipalMessage(principal);
                                 return true;
                               }));
  return response;
}

absl::StatusOr<v1::ListTokensResponse> RouterApi::ListTokens(
    const rpc::Caller& caller, const v1::ListTokensRequest& request) const {
  const auto installation = parts_.engine->Installation();
  const core::PrincipalPut admin = AdminOf(caller);
  v1::ListTokensResponse response;
  TANDEM_ASSIGN_OR_RETURN(
      *response.mutable_next_page_token(),
      Page(installation->tokens, request.page_size(), request.page_token(),
           "tokens of " + request.principal(), kSame, [&](const core::TokenCreated& token) {
             if (!request.principal().empty() && token.principal != request.principal()) {
               return false;
             }
             const auto principal = installation->principals.find(token.principal);
             if (principal == installation->principals.end() ||
                 !core::Manages(admin, principal->second)) {
               return false;
             }
             *response.add_tokens() = TokenMessage(token);
             return true;
           }));
  return response;
}

v1::WhoAmIResponse RouterApi::WhoAmI(const rpc::Caller& caller) const {
  v1::WhoAmIResponse response;
  const auto installation = parts_.engine->Installation();
  const auto found = installation->principals.find(caller.principal);
  if (found != installation->principals.end()) {
    *response.mutable_principal() = PrincipalMessage(found->second);
  } else {
    core::PrincipalPut self{.id = caller.principal,
                            .side = caller.side,
                            .role = static_cast<core::PrincipalRole>(caller.role),
                            .all_tenants = caller.all_tenants,
                            .tenants = caller.tenants};
    *response.mutable_principal() = PrincipalMessage(self);
  }
  response.set_token_id(caller.token_id);
  const auto token = installation->tokens.find(caller.token_id);
  if (token != installation->tokens.end() && token->second.expires != absl::InfiniteFuture()) {
    PutTime(token->second.expires, response.mutable_token_expire_time());
  }
  return response;
}

}  // namespace tandem::api
