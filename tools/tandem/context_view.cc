#include "tools/tandem/context_view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "router/base/text.h"
#include "tools/tandem/age.h"
#include "tools/tandem/incident_view.h"
#include "tools/tandem/names.h"
#include "tools/tandem/table.h"
#include "tools/tandem/words.h"

namespace tandem::cli {
namespace {

// `tenants/acme/entities/site/plant-7` → `site/plant-7`.
std::string KindAndId(std::string_view name) {
  const std::string id = LastPartOf(name);
  if (id.size() >= name.size()) return id;
  return LastPartOf(name.substr(0, name.size() - id.size() - 1)) + "/" + id;
}

template <typename Map>
std::map<std::string, typename Map::mapped_type> Sorted(const Map& map) {
  return {map.begin(), map.end()};
}

std::string AttributesText(const v1::Entity& entity) {
  std::string text;
  for (const auto& [name, value] : Sorted(entity.attributes())) {
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
  }
  return text;
}

std::string Fact(const Look& look, std::string_view label, std::string_view text) {
  return Fitted(look,
                fmt::format("  {} {}\n", Painted(look, Tint::kDim, fmt::format("{:<13}", label)),
                            Printable(text)),
                14);
}

std::string IntervalText(const v1::TimeInterval& interval) {
  std::string text;
  const auto add = [&](std::string_view name, const auto& entries) {
    if (entries.empty()) return;
    text += fmt::format("{}{} {}", text.empty() ? "" : "; ", name, fmt::join(entries, ", "));
  };
  add("times", interval.times());
  add("weekdays", interval.weekdays());
  add("days of month", interval.days_of_month());
  add("months", interval.months());
  add("years", interval.years());
  return text.empty() ? "always" : text;
}

}  // namespace

std::string EntityText(const v1::Entity& entity, const Look& look) {
  std::string text =
      fmt::format("{}  {}\n", Painted(look, Tint::kBold, Printable(KindAndId(entity.name()))),
                  Printable(entity.display_name()));
  for (const auto& [name, value] : Sorted(entity.attributes())) {
    text += Fact(look, "attribute", fmt::format("{} = {}", name, value));
  }
  for (const v1::Relation& relation : entity.relations()) {
    text += Fact(look, "relation", fmt::format("{} {}", relation.kind(), relation.target()));
  }
  for (const auto& [name, calendar] : Sorted(entity.calendars())) {
    const std::string zone = calendar.location().empty() ? "UTC" : calendar.location();
    for (const v1::TimeInterval& interval : calendar.intervals()) {
      text +=
          Fact(look, "calendar", fmt::format("{} ({}): {}", name, zone, IntervalText(interval)));
    }
    const std::string named = fmt::format("{} ({})", name, zone);
    const auto fact = [&](std::string_view what) {
      text += Fact(look, "calendar", fmt::format("{}: {}", named, what));
    };
    if (!calendar.dates().empty()) fact(fmt::format("on {}", fmt::join(calendar.dates(), ", ")));
    for (const v1::Recurrence& recurrence : calendar.recurring()) {
      fact(fmt::format("{} for {}{}{}{}", recurrence.start(), recurrence.duration(),
                       recurrence.rule().empty() ? "" : ", " + recurrence.rule(),
                       recurrence.exceptions().empty() ? "" : ", not on ",
                       fmt::join(recurrence.exceptions(), ", ")));
    }
    if (!calendar.exceptions().empty()) {
      fact(fmt::format("not on {}", fmt::join(calendar.exceptions(), ", ")));
    }
  }
  for (const std::string& matcher : entity.matchers()) text += Fact(look, "binds", matcher);
  for (const std::string& team : entity.coordination()) text += Fact(look, "involve", team);
  text += Fact(
      look, "version",
      fmt::format("{}, changed {} by {}", entity.version(),
                  FullTimeText(look, ToTime(entity.update_time())), ActorText(entity.author())));
  return text;
}

std::string EntityTable(const v1::ListEntitiesResponse& list, const Look& look) {
  if (list.entities().empty()) return "No entities.\n";
  Table table(
      {{"ENTITY"}, {"NAME", false, true}, {"CHANGED", true}, {"BY"}, {"ATTRIBUTES", false, true}});
  for (const v1::Entity& entity : list.entities()) {
    table.Row({{KindAndId(entity.name()), Tint::kBold},
               {entity.display_name()},
               {AgeText(look, ToTime(entity.update_time()))},
               {ActorText(entity.author())},
               {AttributesText(entity)}});
  }
  return table.Text(look) + fmt::format("context version {}\n", list.version());
}

std::string HistoryTable(const v1::ListHistoryResponse& history, const Look& look) {
  if (history.revisions().empty()) return "No changes.\n";
  Table table({{"VERSION", true},
               {"WHEN", true},
               {"BY"},
               {"CHANGED", false, true},
               {"COMMENT", false, true}});
  for (const v1::ContextRevision& revision : history.revisions()) {
    std::string changes;
    for (const v1::EntityChange& change : revision.changes()) {
      changes += fmt::format("{}{}{}", changes.empty() ? "" : " ", change.has_after() ? "" : "−",
                             KindAndId(change.name()));
    }
    table.Row({{fmt::format("{}", revision.version())},
               {AgeText(look, ToTime(revision.time()))},
               {ActorText(revision.author())},
               {changes},
               {revision.comment()}});
  }
  return table.Text(look);
}

std::string WarningText(const google::protobuf::RepeatedPtrField<v1::ContextWarning>& warnings,
                        std::uint32_t count) {
  std::string text;
  for (const v1::ContextWarning& warning : warnings) {
    const std::string entity = warning.entity().empty() ? "" : warning.entity() + ": ";
    text += fmt::format("warning: {}{}: {}\n", Printable(entity), Printable(warning.field()),
                        Printable(warning.description()));
  }
  const auto shown = static_cast<std::uint32_t>(warnings.size());
  if (count > shown) text += fmt::format("… and {} more\n", Counted(count - shown, "warning"));
  return text;
}

std::string ImportText(const v1::ImportEntitiesResponse& response, bool only_checked) {
  return fmt::format("{}: {} created, {} updated, {} unchanged, {} deleted\n",
                     only_checked ? std::string("checked only; there would be")
                                  : fmt::format("context version {}", response.version()),
                     response.created(), response.updated(), response.unchanged(),
                     response.deleted());
}

}  // namespace tandem::cli
