// Sees to it that somebody can administer the installation: otherwise a token that was lost, or
// revoked in error, would lock everybody out for good.
//
// Waits for the engine's commits; called by the main thread before anybody is served.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <optional>
#include <string>

#include "router/engine/engine.h"

namespace tandem::tandemd {

struct AdministratorNeed {
  std::string data_dir;
  absl::Time now;
  // Client certificates are taken: an administrator may have one and needs no token.
  bool takes_certificates = false;
};

// A token that was made.
struct NewAdministratorToken {
  std::string file;              // `{data_dir}/admin.token`, mode 0600
  std::string principal;         // whose it is
  bool is_installation = false;  // the installation is new, too
};

// A new installation gets an administrator and a token for it. One in which no administrator of all
// tenants has a token that holds, nor could call by certificate, gets a token for the first of
// them, or, when there is none, another one: whoever may read the data folder can take up the
// administration again. nullopt when nothing had to be done.
//
// The file is written before the token holds; a start after one that ended in between makes
// another.
absl::StatusOr<std::optional<NewAdministratorToken>> EnsureAdministrator(
    engine::Engine& engine, const AdministratorNeed& need);

}  // namespace tandem::tandemd
