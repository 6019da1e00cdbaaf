// What the readers of import files have in common: what they give, and how they say what is wrong.
//
// Values; one thread.
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "router/base/status.h"
#include "router/context/entity_key.h"

namespace tandem::context {

// An entity of a file, checked.
struct ImportedEntity {
  EntityKey key;
  std::string content;  // see content.h
};

struct ImportedFile {
  std::vector<ImportedEntity> entities;  // each key once, in the order of the file
  // False: the format cannot say calendars and matchers, and an entity keeps those that it has.
  bool states_all = true;
  // Columns that became attributes without saying so by `attribute:`, in the order of the file.
  std::vector<std::string> attribute_columns;
};

// The mistakes of a file, by their place in it. Keeps the first kProblemsMax, counts them all.
class ImportProblems {
 public:
  void Add(std::string place, std::string description);

  bool empty() const { return count_ == 0; }
  std::size_t count() const { return count_; }

  // INVALID_ARGUMENT with reason IMPORT_INVALID, one field for each kept mistake.
  // REQUIRES: !empty().
  absl::Status ToStatus() const;

 private:
  std::size_t count_ = 0;
  std::vector<FieldError> kept_;
};

// Which entities a file has named, and where: an entity is named once.
class ImportedKeys {
 public:
  // False when `key` was there already; `where` is then left as its first place.
  bool Add(const EntityKey& key, std::string_view& where);

 private:
  std::map<EntityKey, std::string> places_;
};

}  // namespace tandem::context
