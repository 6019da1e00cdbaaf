#include "services/tandemd/administrator.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <utility>

#include "router/base/status.h"
#include "router/rpc/token.h"
#include "services/tandemd/private_file.h"

namespace tandem::tandemd {
namespace {

using core::InstallationState;
using core::PrincipalPut;

bool AdministersAll(const PrincipalPut& principal) {
  return principal.role == core::PrincipalRole::kAdmin && principal.all_tenants;
}

bool HasToken(const InstallationState& state, absl::Time now) {
  return std::any_of(state.tokens.begin(), state.tokens.end(), [&](const auto& token) {
    const auto principal = state.principals.find(token.second.principal);
    return token.second.expires > now && principal != state.principals.end() &&
           AdministersAll(principal->second);
  });
}

// The first, by id; nullptr when there is none.
const PrincipalPut* FirstAdministrator(const InstallationState& state) {
  const auto found =
      std::find_if(state.principals.begin(), state.principals.end(),
                   [](const auto& principal) { return AdministersAll(principal.second); });
  return found == state.principals.end() ? nullptr : &found->second;
}

bool CanAdminister(const InstallationState& state, const AdministratorNeed& need) {
  if (HasToken(state, need.now)) return true;
  // Nothing but the first administrator was ever written: the first start ended before its token.
  const bool half_made = state.last_sequence == Sequence(1);
  return need.takes_certificates && !half_made && FirstAdministrator(state) != nullptr;
}

// Never one who is there already: nobody gains rights by being called "admin".
PrincipalPut NewAdministrator(const InstallationState& state) {
  std::string id = "admin";
  for (int i = 2; state.principals.contains(id); ++i) id = fmt::format("admin-{}", i);
  return {.id = std::move(id),
          .display_name = "Administrator of this installation",
          .side = Side::kProvider,
          .role = core::PrincipalRole::kAdmin,
          .all_tenants = true,
          .tenants = {}};
}

absl::Status Install(engine::Engine& engine, core::InstallationFact fact) {
  std::promise<absl::Status> done;
  engine.Submit(
      {.tenant = core::kInstallation,
       .request = core::InstallationInput{{"tandem", Side::kUnspecified}, std::move(fact)},
       .done = [&done](absl::StatusOr<engine::Reply> reply) { done.set_value(reply.status()); }});
  return done.get_future().get();
}

}  // namespace

absl::StatusOr<std::optional<NewAdministratorToken>> EnsureAdministrator(
    engine::Engine& engine, const AdministratorNeed& need) {
  const auto state = engine.Installation();
  if (CanAdminister(*state, need)) return std::nullopt;
  const PrincipalPut* known = FirstAdministrator(*state);
  const PrincipalPut administrator = known != nullptr ? *known : NewAdministrator(*state);
  const rpc::NewToken token = rpc::MakeToken();
  NewAdministratorToken made{.file = need.data_dir + "/admin.token",
                             .principal = administrator.id,
                             .is_installation = state->principals.empty()};
  // The file first: a token that nobody can read would lock everybody out.
  TANDEM_RETURN_IF_ERROR(WritePrivateFile(made.file, token.text + "\n"));
  if (known == nullptr) TANDEM_RETURN_IF_ERROR(Install(engine, administrator));
  TANDEM_RETURN_IF_ERROR(Install(engine, core::TokenCreated{.id = token.id,
                                                            .secret_hash = token.sha256,
                                                            .principal = administrator.id,
                                                            .created = need.now,
                                                            .expires = absl::InfiniteFuture()}));
  return made;
}

}  // namespace tandem::tandemd
