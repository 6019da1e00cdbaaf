// The context of one tenant as rules see it: entities, their attributes, relations and calendars,
// and which of them an alert is bound to.
//
// Values in, values out; no I/O. Not thread-safe while it is changed; const use is safe from any
// thread.
#pragma once

#include <absl/container/btree_map.h>
#include <absl/status/status.h>
#include <absl/time/time.h>

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "router/playbook/calendar.h"
#include "router/playbook/matcher.h"
#include "router/playbook/text_map.h"

namespace tandem::playbook {

// The kinds of entity, in the order in which they are listed and searched.
inline constexpr std::string_view kEntityKinds[] = {"site", "service", "device", "application"};

// Source form of an entity, as the context service sends it and the journal stores it.
struct EntitySpec {
  std::string kind;  // one of kEntityKinds
  std::string id;
  std::string display_name;
  std::vector<std::pair<std::string, std::string>> attributes;  // sorted by name, unique
  std::vector<std::pair<std::string, std::string>> relations;   // (relation, "kind/id")
  std::vector<std::pair<std::string, CalendarSpec>> calendars;  // sorted by name, unique
  std::vector<std::string> matchers;
  std::vector<std::string> coordination;
  friend bool operator==(const EntitySpec&, const EntitySpec&) = default;
};

// An entity ready for look-up. Immutable.
struct Entity {
  EntitySpec spec;
  std::vector<std::pair<std::string, Calendar>> calendars;  // sorted by name
  std::vector<Matcher> matchers;

  // nullopt when it has no such attribute. `id`, `name` (the display name) and `coordination`
  // (joined by commas) are always there.
  std::optional<std::string_view> Attribute(std::string_view name) const;
  // nullptr when it has no such calendar.
  const Calendar* FindCalendar(std::string_view name) const;
  std::string coordination_text;
};

struct LabelView {
  std::string_view name;
  std::string_view value;
  friend auto operator<=>(const LabelView&, const LabelView&) = default;
};
// The place of `kind` in kEntityKinds; nullopt when it is none of them.
std::optional<std::size_t> EntityKindIndex(std::string_view kind);
// "site, service, device or application", for messages.
std::string EntityKindList();

// Sorted by name, names unique, no empty value.
using LabelsView = std::span<const LabelView>;

// The value of a label; "" when it is absent (as in Alertmanager).
std::string_view FindLabel(LabelsView labels, std::string_view name);

// The entities that an alert is bound to: at most one of each kind.
struct Binding {
  struct Bound {
    const Entity* entity = nullptr;  // owned by the Environment
    std::string_view how;            // "label", "matcher", or the relation: "runs_at"
    const Entity* via = nullptr;     // for a relation: the entity that has it
  };
  Bound bound[std::size(kEntityKinds)];  // by index of kEntityKinds

  // `site` → the bound site, nullptr when there is none or the kind is unknown.
  const Entity* Find(std::string_view kind) const;
};

class Environment {
 public:
  // Creates or replaces. INVALID_ARGUMENT when the kind is unknown, a name occurs twice, or a
  // calendar or matcher does not compile (the context service refuses such an entity; a router that
  // meets one leaves its old form in place).
  absl::Status Put(EntitySpec spec);
  // Does nothing when there is none.
  void Remove(std::string_view kind, std::string_view id);
  void Clear();

  // nullptr when there is none.
  const Entity* Find(std::string_view kind, std::string_view id) const;

  // An entity binds by the label with its kind as name and its id as value; failing that by its own
  // matchers (the smallest id of those that match); failing that by a relation of an entity that
  // was bound so (`device runs_at site` binds the site), one step, in the order of kEntityKinds.
  Binding Bind(LabelsView labels) const;

  std::size_t size() const { return entities_.size(); }
  // In the order of (kind, id).
  const absl::btree_map<std::pair<std::string, std::string>, std::shared_ptr<const Entity>>&
  entities() const {
    return entities_;
  }

 private:
  // Fills the kinds that are still free from the relations of those that are bound.
  void BindRelated(Binding& binding) const;

  absl::btree_map<std::pair<std::string, std::string>, std::shared_ptr<const Entity>> entities_;
  // The same entities for look-up by id, by kind. The pointers stay good in a copy of the
  // environment: it shares the entities.
  TextMap<const Entity*> by_id_[std::size(kEntityKinds)];
  // Entities with matchers of their own, by kind, then by id; few.
  std::vector<const Entity*> by_matcher_[std::size(kEntityKinds)];
};

}  // namespace tandem::playbook
