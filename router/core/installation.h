// The installation itself: tenants, principals and tokens. A tenant of its own in the journal, with
// its own inputs and facts; here every input is one fact.
//
// Pure; one thread at a time. Readers on other threads get immutable copies (router/engine).
#pragma once

#include <absl/container/btree_map.h>
#include <absl/container/btree_set.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "router/base/ids.h"
#include "router/base/words.h"
#include "router/core/fact.h"
#include "router/core/input.h"

namespace tandem::core {

// Names the installation's own history; no tenant can have this id.
inline const TenantId kInstallation{"_installation"};

// Numbers equal those of tandem.v1.Role.
enum class PrincipalRole : std::uint8_t {
  kViewer = 1,
  kResponder = 2,
  kEditor = 3,
  kAdmin = 4,
  kAgent = 5,
  kService = 6
};

struct TenantCreated {
  TenantId tenant;
  std::string display_name;
  absl::Time created;
  friend bool operator==(const TenantCreated&, const TenantCreated&) = default;
};

struct PrincipalPut {
  std::string id;
  std::string display_name;
  Side side = Side::kUnspecified;
  PrincipalRole role = PrincipalRole::kViewer;
  bool all_tenants = false;
  std::vector<TenantId> tenants;  // sorted
  friend bool operator==(const PrincipalPut&, const PrincipalPut&) = default;
};

struct TokenCreated {
  std::string id;           // the public part
  std::string secret_hash;  // SHA-256 of the whole token, 64 hexadecimal digits
  std::string principal;
  absl::Time created;
  absl::Time expires;  // absl::InfiniteFuture(): never
  friend bool operator==(const TokenCreated&, const TokenCreated&) = default;
};

struct TokenRevoked {
  std::string id;
  friend bool operator==(const TokenRevoked&, const TokenRevoked&) = default;
};

using InstallationFact = std::variant<TenantCreated, PrincipalPut, TokenCreated, TokenRevoked>;

// What an administrator asks for: the fact it would become, and who asks.
struct InstallationInput {
  Actor actor;
  InstallationFact wanted;
  std::string request_id = {};  // empty: not remembered
};

// A request with an id, and the fact that it became.
struct InstallationRequest {
  Micros time = 0;
  std::shared_ptr<const InstallationFact> fact;
};

struct InstallationState {
  Sequence last_sequence;
  Micros last_time = 0;
  absl::btree_map<TenantId, TenantCreated> tenants;
  absl::btree_map<std::string, PrincipalPut> principals;
  // Live ones, and expired ones until kExpiredTokenKept after: so long a list tells people which
  // token of theirs has ended. The next change of the installation then forgets them.
  absl::btree_map<std::string, TokenCreated> tokens;
  absl::btree_set<std::pair<absl::Time, std::string>> tokens_by_expiry;  // of those that expire

  // By RequestKey (state.h), for 24 h.
  absl::btree_map<std::string, InstallationRequest> requests;
  absl::btree_set<std::pair<Micros, std::string>> requests_by_age;

  static constexpr std::size_t kTenantsMax = 10'000;
  static constexpr std::size_t kPrincipalsMax = 100'000;
  static constexpr std::size_t kTokensMax = 200'000;
  static constexpr absl::Duration kExpiredTokenKept = absl::Hours(30 * 24);
  // Above it, and after 24 h, the oldest request is forgotten: a repeat of it is judged anew. Every
  // change copies the state for its readers, so this is less than a tenant remembers.
  static constexpr std::size_t kRequestsMax = 10'000;
};

// Whether `principal` is one that `admin` manages: any, for an administrator of the installation
// (`all_tenants`); for one of some tenants those of his own side that have no tenant beside his.
bool Manages(const PrincipalPut& admin, const PrincipalPut& principal);

// OK when `input` may become its fact; ALREADY_EXISTS, NOT_FOUND, INVALID_ARGUMENT,
// PERMISSION_DENIED, or RESOURCE_EXHAUSTED at a limit. What an administrator of some tenants does
// not manage does not exist for him. An actor that is no principal (the router itself) may all.
absl::Status DecideInstallation(const InstallationState& state, const InstallationInput& input);

// The fact that the same request has become already; nullptr when it is new, has no id, or came
// more than 24 h before `now`. INVALID_ARGUMENT, REQUEST_ID_REUSED, when the actor has used its id
// for something else.
absl::StatusOr<std::shared_ptr<const InstallationFact>> FindRepeated(const InstallationState& state,
                                                                     const InstallationInput& input,
                                                                     Micros now);

// `input` becomes its fact. REQUIRES: DecideInstallation said OK.
void ApplyInstallation(InstallationState& state, const InstallationInput& input, Sequence sequence,
                       Micros time);

}  // namespace tandem::core
