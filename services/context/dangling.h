// Relations that lead to nothing: taken, since the target may come later, and warned of, since more
// often its name is mistyped.
//
// One thread; works inside a change.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "services/context/edit.h"
#include "tandem/v1/context.pb.h"

namespace tandem::context {

class DanglingRelations {
 public:
  // Of more, an answer carries the first and their number.
  static constexpr std::size_t kWarningsMax = 100;

  // `edit` outlives it.
  explicit DanglingRelations(Edit& edit) : edit_(edit) {}

  // Looks at the relations of an entity, as the change has left its targets so far.
  absl::Status Look(const EntityKey& key, const v1::Entity& entity);

  // Looks at all relations to `deleted`, which this change has deleted.
  absl::Status LookForRelationsTo(const EntityKey& deleted);

  std::uint32_t count() const { return count_; }
  const std::vector<v1::ContextWarning>& warnings() const { return warnings_; }

 private:
  absl::StatusOr<bool> Exists(const std::string& target);
  void Warn(const EntityKey& key, int index, const v1::Relation& relation);

  Edit& edit_;
  std::map<std::string, bool> known_;  // by target; a thousand devices run at one site
  std::uint32_t count_ = 0;
  std::vector<v1::ContextWarning> warnings_;
};

}  // namespace tandem::context
