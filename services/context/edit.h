// One change of a tenant's context while it is being made: what an entity is, and what it shall be.
// Made by Store::Change; everything happens in its transaction.
//
// One thread.
#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "router/base/ids.h"
#include "router/context/entity_key.h"
#include "services/context/sqlite.h"

namespace tandem::context {

// What a change came to.
struct Outcome {
  Version version = {};  // the newest after it
  std::uint32_t created = 0;
  std::uint32_t updated = 0;
  std::uint32_t unchanged = 0;
  std::uint32_t deleted = 0;
  bool repeated = false;  // the outcome of an earlier request with the same id
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

class Edit {
 public:
  // `version` is the one that this change becomes. Both references outlive the Edit.
  Edit(Connection& connection, const TenantId& tenant, Version version)
      : connection_(connection), tenant_(tenant), version_(version) {}
  Edit(const Edit&) = delete;
  Edit& operator=(const Edit&) = delete;

  // The content of an entity as this change has left it so far; nullopt when there is none.
  absl::StatusOr<std::optional<std::string>> Find(const EntityKey& key);
  // The version in which it last changed; Version(0) when there is none.
  absl::StatusOr<Version> VersionOf(const EntityKey& key);
  // Every entity that there is, by key.
  absl::StatusOr<std::vector<EntityKey>> Keys();
  // Shows the entities whose content has `bytes` in it (all of them for ""), by key, until `see`
  // returns false or an error, which is returned. The content lives as long as the call of `see`,
  // which changes nothing.
  absl::Status Visit(
      std::string_view bytes,
      absl::FunctionRef<absl::StatusOr<bool>(const EntityKey& key, std::string_view content)> see);

  // Creates or replaces; equal content changes nothing. An entity is put or deleted at most once.
  absl::Status Put(const EntityKey& key, std::string_view content);
  // Does nothing when there is none.
  absl::Status Delete(const EntityKey& key);

  bool changed() const { return outcome_.created + outcome_.updated + outcome_.deleted > 0; }
  const Outcome& outcome() const { return outcome_; }

 private:
  absl::Status Record(const EntityKey& key, const std::optional<std::string_view>& content);

  Connection& connection_;
  const TenantId& tenant_;
  const Version version_;
  Outcome outcome_;
};

}  // namespace tandem::context
