#include "router/playbook/environment.h"

#include <fmt/format.h>

#include <algorithm>

#include "router/base/status.h"
#include "router/base/text.h"

namespace tandem::playbook {
namespace {

template <typename Named>
auto FindNamed(const std::vector<Named>& sorted, std::string_view name) {
  const auto found =
      std::lower_bound(sorted.begin(), sorted.end(), name,
                       [](const Named& entry, std::string_view key) { return entry.first < key; });
  return found != sorted.end() && found->first == name ? found : sorted.end();
}

// Sorts by name; INVALID_ARGUMENT when a name occurs twice.
template <typename Named>
absl::Status SortByName(std::vector<Named>& entries, std::string_view field) {
  const auto by_name = [](const Named& a, const Named& b) { return a.first < b.first; };
  if (!std::is_sorted(entries.begin(), entries.end(), by_name)) {
    std::stable_sort(entries.begin(), entries.end(), by_name);
  }
  const auto twice =
      std::adjacent_find(entries.begin(), entries.end(),
                         [](const Named& a, const Named& b) { return a.first == b.first; });
  if (twice == entries.end()) return absl::OkStatus();
  return InvalidField("ENTITY_INVALID", fmt::format("{}[\"{}\"]", field, Shown(twice->first)),
                      "the name occurs twice");
}

// The same error with its fields' paths below `prefix`.
absl::Status Below(const absl::Status& status, std::string_view prefix) {
  const std::vector<FieldError> fields = FieldsOf(status);
  if (fields.empty()) return InvalidField(ReasonOf(status), prefix, MessageOf(status));
  const auto path = [&](const FieldError& field) {
    return fmt::format("{}.{}", prefix, field.field);
  };
  absl::Status below = InvalidField(ReasonOf(status), path(fields[0]), fields[0].description);
  for (std::size_t i = 1; i < fields.size(); ++i) {
    below = AddField(std::move(below), {path(fields[i]), fields[i].description});
  }
  return below;
}

absl::Status CompileMatchers(Entity& entity) {
  for (std::size_t i = 0; i < entity.spec.matchers.size(); ++i) {
    const std::string where = fmt::format("matchers[{}]", i);
    auto matcher = Matcher::Parse(entity.spec.matchers[i]);
    if (!matcher.ok()) return Below(matcher.status(), where);
    if (matcher->is_context()) {
      return InvalidField("ENTITY_INVALID", where,
                          fmt::format("\"{}\" asks the context; an entity binds by labels only",
                                      Shown(matcher->name())));
    }
    entity.matchers.push_back(*std::move(matcher));
  }
  return absl::OkStatus();
}

absl::Status CompileCalendars(Entity& entity) {
  for (const auto& [name, spec] : entity.spec.calendars) {
    auto calendar = Calendar::Compile(spec);
    if (!calendar.ok()) {
      return Below(calendar.status(), fmt::format("calendars[\"{}\"]", Shown(name)));
    }
    entity.calendars.emplace_back(name, *std::move(calendar));
  }
  return absl::OkStatus();
}

bool AllMatch(const Entity& entity, LabelsView labels) {
  return std::all_of(entity.matchers.begin(), entity.matchers.end(), [&](const Matcher& matcher) {
    return matcher.Matches(FindLabel(labels, matcher.name()));
  });
}

}  // namespace

std::optional<std::size_t> EntityKindIndex(std::string_view kind) {
  for (std::size_t i = 0; i < std::size(kEntityKinds); ++i) {
    if (kEntityKinds[i] == kind) return i;
  }
  return std::nullopt;
}

std::string EntityKindList() {
  std::string list;
  for (std::size_t i = 0; i < std::size(kEntityKinds); ++i) {
    if (i > 0) list += i + 1 == std::size(kEntityKinds) ? " or " : ", ";
    list += kEntityKinds[i];
  }
  return list;
}

std::string_view FindLabel(LabelsView labels, std::string_view name) {
  for (const LabelView& label : labels) {
    if (label.name == name) return label.value;
    if (label.name > name) break;
  }
  return {};
}

std::optional<std::string_view> Entity::Attribute(std::string_view name) const {
  const auto found = FindNamed(spec.attributes, name);
  if (name == "id") return spec.id;
  if (name == "name") return spec.display_name;
  if (name == "coordination") return coordination_text;
  if (found == spec.attributes.end()) return std::nullopt;
  return found->second;
}

const Calendar* Entity::FindCalendar(std::string_view name) const {
  const auto found = FindNamed(calendars, name);
  return found == calendars.end() ? nullptr : &found->second;
}

const Entity* Binding::Find(std::string_view kind) const {
  const auto index = EntityKindIndex(kind);
  return index ? bound[*index].entity : nullptr;
}

absl::Status Environment::Put(EntitySpec spec) {
  const auto kind = EntityKindIndex(spec.kind);
  if (!kind) {
    return InvalidField("ENTITY_INVALID", "kind",
                        fmt::format("\"{}\" is no kind of entity; expected {}", Shown(spec.kind),
                                    EntityKindList()));
  }
  if (spec.id.empty()) return InvalidField("ENTITY_INVALID", "id", "an entity needs an id");
  TANDEM_RETURN_IF_ERROR(SortByName(spec.attributes, "attributes"));
  TANDEM_RETURN_IF_ERROR(SortByName(spec.calendars, "calendars"));
  auto entity = std::make_shared<Entity>();
  entity->spec = std::move(spec);
  TANDEM_RETURN_IF_ERROR(CompileCalendars(*entity));
  TANDEM_RETURN_IF_ERROR(CompileMatchers(*entity));
  entity->coordination_text = fmt::format("{}", fmt::join(entity->spec.coordination, ","));

  Remove(entity->spec.kind, entity->spec.id);
  const Entity* added = entity.get();
  by_id_[*kind][added->spec.id] = added;
  if (!added->matchers.empty()) {
    std::vector<const Entity*>& list = by_matcher_[*kind];
    list.insert(
        std::lower_bound(list.begin(), list.end(), added,
                         [](const Entity* a, const Entity* b) { return a->spec.id < b->spec.id; }),
        added);
  }
  entities_[{added->spec.kind, added->spec.id}] = std::move(entity);
  return absl::OkStatus();
}

void Environment::Remove(std::string_view kind, std::string_view id) {
  const auto index = EntityKindIndex(kind);
  if (!index) return;
  const auto found = by_id_[*index].find(id);
  if (found == by_id_[*index].end()) return;
  std::vector<const Entity*>& list = by_matcher_[*index];
  list.erase(std::remove(list.begin(), list.end(), found->second), list.end());
  by_id_[*index].erase(found);
  entities_.erase({std::string(kind), std::string(id)});
}

void Environment::Clear() {
  for (auto& by_id : by_id_) by_id.clear();
  for (auto& list : by_matcher_) list.clear();
  entities_.clear();
}

const Entity* Environment::Find(std::string_view kind, std::string_view id) const {
  const auto index = EntityKindIndex(kind);
  if (!index) return nullptr;
  const auto found = by_id_[*index].find(id);
  return found == by_id_[*index].end() ? nullptr : found->second;
}

Binding Environment::Bind(LabelsView labels) const {
  Binding binding;
  bool any = false;
  for (std::size_t kind = 0; kind < std::size(kEntityKinds); ++kind) {
    Binding::Bound& bound = binding.bound[kind];
    if (const std::string_view id = FindLabel(labels, kEntityKinds[kind]); !id.empty()) {
      const auto found = by_id_[kind].find(id);
      if (found != by_id_[kind].end()) bound = {found->second, "label", nullptr};
    }
    if (bound.entity == nullptr) {
      const auto& list = by_matcher_[kind];
      const auto found = std::find_if(list.begin(), list.end(), [&](const Entity* entity) {
        return AllMatch(*entity, labels);
      });
      if (found != list.end()) bound = {*found, "matcher", nullptr};
    }
    any = any || bound.entity != nullptr;
  }
  if (any) BindRelated(binding);
  return binding;
}

void Environment::BindRelated(Binding& binding) const {
  const Binding direct = binding;  // One step: what is bound here does not bind further.
  for (const Binding::Bound& from : direct.bound) {
    if (from.entity == nullptr) continue;
    for (const auto& [relation, target] : from.entity->spec.relations) {
      const std::string_view text = target;
      const std::size_t slash = text.find('/');
      if (slash == std::string_view::npos) continue;
      const auto kind = EntityKindIndex(text.substr(0, slash));
      if (!kind || binding.bound[*kind].entity != nullptr) continue;
      const auto found = by_id_[*kind].find(text.substr(slash + 1));
      if (found == by_id_[*kind].end()) continue;
      binding.bound[*kind] = {found->second, relation, from.entity};
    }
  }
}

}  // namespace tandem::playbook
