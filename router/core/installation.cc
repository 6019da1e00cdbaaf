#include "router/core/installation.h"

#include <fmt/format.h>

#include <algorithm>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/core/state.h"

namespace tandem::core {
namespace {

using absl::StatusCode;

bool IsTenantId(const std::string& id) {
  const auto valid = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !id.empty() && id.size() <= 63 && id[0] >= 'a' && id[0] <= 'z' &&
         std::all_of(id.begin(), id.end(), valid);
}

bool IsPrincipalId(const std::string& id) {
  const auto valid = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '@' ||
           c == '-';
  };
  return !id.empty() && id.size() <= 63 && std::all_of(id.begin(), id.end(), valid);
}

absl::Status Full(std::string_view what, std::size_t max) {
  return Error(StatusCode::kResourceExhausted, "LIMIT_REACHED",
               fmt::format("this installation holds at most {} {}", max, what));
}

absl::Status CheckSide(const PrincipalPut& wanted) {
  const bool of_installation =
      wanted.role == PrincipalRole::kAdmin || wanted.role == PrincipalRole::kService;
  if (wanted.side == Side::kUnspecified && wanted.role != PrincipalRole::kService) {
    return InvalidField("SIDE_MISSING", "principal.side",
                        "every principal acts for one side: PROVIDER or CUSTOMER");
  }
  if (wanted.all_tenants && !of_installation) {
    return InvalidField("TENANTS_INVALID", "principal.tenants",
                        "\"tenants/-\" is only for the roles ADMIN and SERVICE");
  }
  if (wanted.side == Side::kCustomer && (wanted.all_tenants || wanted.tenants.size() != 1)) {
    return InvalidField("TENANTS_INVALID", "principal.tenants",
                        "a principal of the customer's side has exactly one tenant");
  }
  if (!wanted.all_tenants && wanted.tenants.empty()) {
    return InvalidField("TENANTS_INVALID", "principal.tenants", "expected at least one tenant");
  }
  if (wanted.tenants.size() > 1000) {
    return InvalidField("TENANTS_INVALID", "principal.tenants", "expected at most 1,000 tenants");
  }
  return absl::OkStatus();
}

absl::Status PrincipalNotFound(const std::string& id) {
  return Error(StatusCode::kNotFound, "PRINCIPAL_NOT_FOUND",
               fmt::format("there is no principal {}", Printable(id.substr(0, 63))));
}

bool HasForgettableToken(const InstallationState& state, absl::Time now) {
  return !state.tokens_by_expiry.empty() &&
         state.tokens_by_expiry.begin()->first < now - InstallationState::kExpiredTokenKept;
}

void ForgetToken(InstallationState& state, const std::string& id) {
  const auto token = state.tokens.find(id);
  if (token == state.tokens.end()) return;
  state.tokens_by_expiry.erase({token->second.expires, id});
  state.tokens.erase(token);
}

void PutToken(InstallationState& state, const TokenCreated& token) {
  ForgetToken(state, token.id);
  state.tokens[token.id] = token;
  if (token.expires != absl::InfiniteFuture()) {
    state.tokens_by_expiry.insert({token.expires, token.id});
  }
}

struct Judge {
  const InstallationState& state;
  // The administrator who asks, when he has only some tenants; nullptr for one who has them all.
  const PrincipalPut* local = nullptr;

  absl::Status operator()(const TenantCreated& wanted) const {
    if (local != nullptr) {
      return Error(StatusCode::kPermissionDenied, "INSTALLATION_ADMIN_NEEDED",
                   "only an administrator of the whole installation (\"tenants/-\") may create "
                   "tenants");
    }
    if (!IsTenantId(wanted.tenant.value)) {
      return InvalidField("NAME_INVALID", "tenant.name",
                          "expected tenants/{tenant} with 1 to 63 bytes of [a-z0-9-] that start "
                          "with a letter");
    }
    if (state.tenants.contains(wanted.tenant)) {
      return Error(StatusCode::kAlreadyExists, "TENANT_EXISTS",
                   fmt::format("tenant {} exists already", wanted.tenant.value));
    }
    if (state.tenants.size() >= InstallationState::kTenantsMax) {
      return Full("tenants", InstallationState::kTenantsMax);
    }
    return absl::OkStatus();
  }

  absl::Status operator()(const PrincipalPut& wanted) const {
    if (!IsPrincipalId(wanted.id)) {
      return InvalidField("NAME_INVALID", "principal.id", "expected 1 to 63 bytes of [a-z0-9._@-]");
    }
    if (static_cast<int>(wanted.role) < 1 || static_cast<int>(wanted.role) > 6) {
      return InvalidField("ROLE_INVALID", "principal.role",
                          "expected VIEWER, RESPONDER, EDITOR, ADMIN, AGENT or SERVICE");
    }
    TANDEM_RETURN_IF_ERROR(CheckSide(wanted));
    if (local != nullptr) TANDEM_RETURN_IF_ERROR(CheckReach(wanted));
    for (const TenantId& tenant : wanted.tenants) {
      if (!state.tenants.contains(tenant) || !Reaches(tenant)) {
        return Error(StatusCode::kNotFound, "TENANT_NOT_FOUND",
                     fmt::format("principal.tenants: there is no tenant {}",
                                 Printable(tenant.value.substr(0, 63))));
      }
    }
    const auto known = state.principals.find(wanted.id);
    if (local != nullptr && known != state.principals.end() && !Manages(*local, known->second)) {
      return Error(
          StatusCode::kAlreadyExists, "PRINCIPAL_ID_TAKEN",
          fmt::format("the id {} is taken in this installation; choose another", wanted.id));
    }
    if (known == state.principals.end() &&
        state.principals.size() >= InstallationState::kPrincipalsMax) {
      return Full("principals", InstallationState::kPrincipalsMax);
    }
    // One person never stands for both sides.
    if (known != state.principals.end() && known->second.side != wanted.side) {
      return InvalidField("SIDE_CHANGED", "principal.side",
                          fmt::format("{} acts for the {} and cannot change sides; create another "
                                      "principal",
                                      wanted.id, ToText(known->second.side)));
    }
    return absl::OkStatus();
  }

  absl::Status operator()(const TokenCreated& wanted) const {
    if (!Reaches(wanted.principal)) return PrincipalNotFound(wanted.principal);
    if (state.tokens.contains(wanted.id)) {
      return Error(StatusCode::kAlreadyExists, "TOKEN_EXISTS", "the token id is taken; try again");
    }
    if (state.tokens.size() >= InstallationState::kTokensMax &&
        !HasForgettableToken(state, wanted.created)) {
      return Full("tokens", InstallationState::kTokensMax);
    }
    return absl::OkStatus();
  }

  absl::Status operator()(const TokenRevoked& wanted) const {
    const auto token = state.tokens.find(wanted.id);
    if (token == state.tokens.end() || !Reaches(token->second.principal)) {
      return Error(StatusCode::kNotFound, "TOKEN_NOT_FOUND",
                   fmt::format("there is no live token {}", Printable(wanted.id.substr(0, 63))));
    }
    return absl::OkStatus();
  }

 private:
  bool Reaches(const TenantId& tenant) const {
    return local == nullptr ||
           std::binary_search(local->tenants.begin(), local->tenants.end(), tenant);
  }
  bool Reaches(const std::string& principal) const {
    const auto known = state.principals.find(principal);
    return known != state.principals.end() && (local == nullptr || Manages(*local, known->second));
  }
  // What an administrator of some tenants may make of anybody.
  absl::Status CheckReach(const PrincipalPut& wanted) const {
    if (wanted.all_tenants || wanted.role == PrincipalRole::kService) {
      return Error(StatusCode::kPermissionDenied, "INSTALLATION_ADMIN_NEEDED",
                   "only an administrator of the whole installation (\"tenants/-\") may make "
                   "principals of all tenants or of role SERVICE");
    }
    if (wanted.side != local->side) {
      return Error(
          StatusCode::kPermissionDenied, "OTHER_SIDE",
          fmt::format("you act for the {} and manage its principals only", ToText(local->side)));
    }
    return absl::OkStatus();
  }
};

// When a tenant was created is no part of what was asked for.
bool AskForTheSame(const InstallationFact& a, const InstallationFact& b) {
  const auto* tenant = std::get_if<TenantCreated>(&a);
  const auto* other = std::get_if<TenantCreated>(&b);
  if (tenant == nullptr || other == nullptr) return a == b;
  return tenant->tenant == other->tenant && tenant->display_name == other->display_name;
}

void Remember(InstallationState& state, const InstallationInput& input, Micros time) {
  const std::string key = RequestKey(input.actor, input.request_id);
  if (key.empty()) return;
  // An id that is used anew after its time is as old as its new use.
  if (const auto old = state.requests.find(key); old != state.requests.end()) {
    state.requests_by_age.erase({old->second.time, key});
  }
  state.requests[key] = {time, std::make_shared<const InstallationFact>(input.wanted)};
  state.requests_by_age.insert({time, key});
  while (state.requests.size() > InstallationState::kRequestsMax ||
         state.requests_by_age.begin()->first < time - kRequestsKept) {
    state.requests.erase(state.requests_by_age.begin()->second);
    state.requests_by_age.erase(state.requests_by_age.begin());
  }
}

}  // namespace

bool Manages(const PrincipalPut& admin, const PrincipalPut& principal) {
  if (admin.all_tenants) return true;
  return !principal.all_tenants && principal.side == admin.side && !principal.tenants.empty() &&
         std::includes(admin.tenants.begin(), admin.tenants.end(), principal.tenants.begin(),
                       principal.tenants.end());
}

absl::Status DecideInstallation(const InstallationState& state, const InstallationInput& input) {
  const auto actor = state.principals.find(input.actor.principal);
  const bool local = actor != state.principals.end() && !actor->second.all_tenants;
  return std::visit(Judge{state, local ? &actor->second : nullptr}, input.wanted);
}

absl::StatusOr<std::shared_ptr<const InstallationFact>> FindRepeated(const InstallationState& state,
                                                                     const InstallationInput& input,
                                                                     Micros now) {
  const std::string key = RequestKey(input.actor, input.request_id);
  const auto taken = key.empty() ? state.requests.end() : state.requests.find(key);
  if (taken == state.requests.end() || taken->second.time < now - kRequestsKept) return nullptr;
  if (!AskForTheSame(*taken->second.fact, input.wanted)) return RequestIdReused();
  return taken->second.fact;
}

void ApplyInstallation(InstallationState& state, const InstallationInput& input, Sequence sequence,
                       Micros time) {
  const InstallationFact& fact = input.wanted;
  if (const auto* tenant = std::get_if<TenantCreated>(&fact)) {
    state.tenants[tenant->tenant] = *tenant;
  } else if (const auto* principal = std::get_if<PrincipalPut>(&fact)) {
    state.principals[principal->id] = *principal;
  } else if (const auto* token = std::get_if<TokenCreated>(&fact)) {
    PutToken(state, *token);
  } else {
    ForgetToken(state, std::get<TokenRevoked>(fact).id);
  }
  const absl::Time now = absl::FromUnixMicros(time);
  while (HasForgettableToken(state, now)) {
    ForgetToken(state, std::string(state.tokens_by_expiry.begin()->second));
  }
  state.last_sequence = sequence;
  state.last_time = time;
  Remember(state, input, time);
}

}  // namespace tandem::core
