#include "router/context/entity_spec.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "router/base/status.h"
#include "router/context/content.h"

namespace tandem::context {
namespace {

template <typename Map>
std::vector<std::pair<std::string, std::string>> SortedPairs(const Map& map) {
  std::vector<std::pair<std::string, std::string>> pairs(map.begin(), map.end());
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

// "tenants/{tenant}/entities/{kind}/{id}" → (kind, id).
std::pair<std::string, std::string> KindAndId(const std::string& name) {
  constexpr std::string_view kMiddle = "/entities/";
  const std::size_t start = name.find(kMiddle);
  if (start == std::string::npos) return {};
  const std::size_t kind = start + kMiddle.size();
  const std::size_t slash = name.find('/', kind);
  if (slash == std::string::npos) return {};
  return {name.substr(kind, slash - kind), name.substr(slash + 1)};
}

std::vector<std::string> Texts(const google::protobuf::RepeatedPtrField<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

}  // namespace

playbook::EntitySpec SpecOf(const v1::Entity& entity) {
  playbook::EntitySpec spec{.display_name = entity.display_name(),
                            .attributes = SortedPairs(entity.attributes()),
                            .matchers = Texts(entity.matchers()),
                            .coordination = Texts(entity.coordination())};
  std::tie(spec.kind, spec.id) = KindAndId(entity.name());
  for (const v1::Relation& relation : entity.relations()) {
    spec.relations.emplace_back(relation.kind(), relation.target());
  }
  for (const auto& [name, calendar] : entity.calendars()) {
    playbook::CalendarSpec to{.location = calendar.location(),
                              .dates = Texts(calendar.dates()),
                              .exceptions = Texts(calendar.exceptions())};
    for (const v1::Recurrence& recurrence : calendar.recurring()) {
      to.recurring.push_back({.start = recurrence.start(),
                              .duration = recurrence.duration(),
                              .rule = recurrence.rule(),
                              .exceptions = Texts(recurrence.exceptions())});
    }
    for (const v1::TimeInterval& interval : calendar.intervals()) {
      to.intervals.push_back({.times = Texts(interval.times()),
                              .weekdays = Texts(interval.weekdays()),
                              .days_of_month = Texts(interval.days_of_month()),
                              .months = Texts(interval.months()),
                              .years = Texts(interval.years())});
    }
    spec.calendars.emplace_back(name, std::move(to));
  }
  std::sort(spec.calendars.begin(), spec.calendars.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return spec;
}

absl::StatusOr<playbook::EntitySpec> SpecOf(const ImportedEntity& entity) {
  TANDEM_ASSIGN_OR_RETURN(const v1::Entity content, UnpackContent(entity.content));
  playbook::EntitySpec spec = SpecOf(content);
  spec.kind = ToText(entity.key.kind);
  spec.id = entity.key.id;
  return spec;
}

}  // namespace tandem::context
