#include "services/context/near_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/context/content.h"

namespace tandem::context {
namespace {

// What a column means by itself, and the attributes that the shipped examples have: a first import
// has no entities to compare with.
constexpr std::string_view kKnown[] = {"kind",    "id",   "name", "coordination", "criticality",
                                       "country", "zone", "area", "risk"};
// A tenant of many odd attributes costs a comparison with each; more are not kept.
constexpr std::size_t kComparedMax = 1'000;

}  // namespace

absl::StatusOr<std::vector<v1::ContextWarning>> NearColumns(
    Edit& edit, const std::vector<std::string>& columns) {
  std::set<std::string> unknown(columns.begin(), columns.end());
  for (const std::string_view name : kKnown) unknown.erase(std::string(name));
  std::set<std::string> attributes;
  if (!unknown.empty()) {
    TANDEM_RETURN_IF_ERROR(
        edit.Visit("", [&](const EntityKey&, std::string_view content) -> absl::StatusOr<bool> {
          TANDEM_ASSIGN_OR_RETURN(const v1::Entity entity, UnpackContent(content));
          for (const auto& [name, value] : entity.attributes()) {
            unknown.erase(name);
            if (attributes.size() < kComparedMax) attributes.insert(name);
          }
          return !unknown.empty();
        }));
  }
  std::vector<std::string> known(std::begin(kKnown), std::end(kKnown));
  known.insert(known.end(), attributes.begin(), attributes.end());
  std::vector<v1::ContextWarning> warnings;
  for (const std::string& column : columns) {
    const std::string near = unknown.count(column) > 0 ? NearestName(column, known) : "";
    if (near.empty()) continue;
    v1::ContextWarning& warning = warnings.emplace_back();
    warning.set_field(fmt::format("column \"{}\"", Shown(column)));
    warning.set_description(
        fmt::format("became an attribute of this name, which nothing has so far; did you mean "
                    "\"{}\"? (a column \"attribute:{}\" says that this name is meant)",
                    Shown(near), Shown(column)));
  }
  return warnings;
}

}  // namespace tandem::context
