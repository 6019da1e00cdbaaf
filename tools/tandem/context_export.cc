#include "tools/tandem/context_export.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "router/base/status.h"
#include "router/base/text.h"

namespace tandem::cli {
namespace {

using Json = nlohmann::ordered_json;

// "tenants/acme/entities/site/plant-7" → {"site", "plant-7"}.
std::pair<std::string, std::string> KindAndId(const std::string& name) {
  constexpr std::string_view kMiddle = "/entities/";
  const std::size_t middle = name.find(kMiddle);
  const std::string rest =
      middle == std::string::npos ? name : name.substr(middle + kMiddle.size());
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  return {rest.substr(0, slash), rest.substr(std::min(slash + 1, rest.size()))};
}

template <typename Map>
std::map<std::string, typename Map::mapped_type> Sorted(const Map& map) {
  return {map.begin(), map.end()};
}

template <typename Texts>
void PutTexts(const char* name, const Texts& texts, Json& to) {
  if (!texts.empty()) to[name] = std::vector<std::string>(texts.begin(), texts.end());
}

Json IntervalOf(const v1::TimeInterval& interval) {
  Json json = Json::object();
  PutTexts("times", interval.times(), json);
  PutTexts("weekdays", interval.weekdays(), json);
  PutTexts("days_of_month", interval.days_of_month(), json);
  PutTexts("months", interval.months(), json);
  PutTexts("years", interval.years(), json);
  return json;
}

Json RecurrenceOf(const v1::Recurrence& recurrence) {
  Json json = {{"start", recurrence.start()}, {"duration", recurrence.duration()}};
  if (!recurrence.rule().empty()) json["rule"] = recurrence.rule();
  PutTexts("exceptions", recurrence.exceptions(), json);
  return json;
}

Json CalendarOf(const v1::Calendar& calendar) {
  Json json = Json::object();
  if (!calendar.location().empty()) json["location"] = calendar.location();
  for (const auto& interval : calendar.intervals())
    json["intervals"].push_back(IntervalOf(interval));
  PutTexts("dates", calendar.dates(), json);
  for (const auto& recurrence : calendar.recurring())
    json["recurring"].push_back(RecurrenceOf(recurrence));
  PutTexts("exceptions", calendar.exceptions(), json);
  return json;
}

Json EntityOf(const v1::Entity& entity) {
  const auto [kind, id] = KindAndId(entity.name());
  Json json = {{"kind", kind}, {"id", id}};
  if (!entity.display_name().empty()) json["name"] = entity.display_name();
  for (const auto& [name, value] : Sorted(entity.attributes())) json["attributes"][name] = value;
  for (const v1::Relation& relation : entity.relations()) {
    json["relations"].push_back({{"kind", relation.kind()}, {"target", relation.target()}});
  }
  for (const auto& [name, calendar] : Sorted(entity.calendars())) {
    json["calendars"][name] = CalendarOf(calendar);
  }
  PutTexts("matchers", entity.matchers(), json);
  PutTexts("coordination", entity.coordination(), json);
  return json;
}

// A word that every reader of YAML takes for text.
bool IsWord(const std::string& text) {
  constexpr std::array kOtherMeaning = {"true", "false", "yes", "no", "null",
                                        "on",   "off",   "y",   "n"};
  std::string lower = text;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto plain = [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '/';
  };
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return !text.empty() && letter(text[0]) && std::all_of(text.begin(), text.end(), plain) &&
         std::find(kOtherMeaning.begin(), kOtherMeaning.end(), lower) == kOtherMeaning.end();
}

void EmitText(const std::string& text, YAML::Emitter& out) {
  if (!IsWord(text)) out << YAML::DoubleQuoted;
  out << text;
}

// A map of texts or a list of them stands on one line.
void Emit(const Json& json, YAML::Emitter& out) {
  if (json.is_string()) return EmitText(json.get<std::string>(), out);
  if (std::none_of(json.begin(), json.end(),
                   [](const Json& part) { return part.is_structured(); })) {
    out << YAML::Flow;
  }
  if (json.is_array()) {
    out << YAML::BeginSeq;
    for (const Json& part : json) Emit(part, out);
    out << YAML::EndSeq;
    return;
  }
  out << YAML::BeginMap;
  for (const auto& [key, value] : json.items()) {
    out << YAML::Key;
    EmitText(key, out);
    out << YAML::Value;
    Emit(value, out);
  }
  out << YAML::EndMap;
}

Json FileOf(const v1::ListEntitiesResponse& list) {
  Json entities = Json::array();
  for (const v1::Entity& entity : list.entities()) entities.push_back(EntityOf(entity));
  return {{"entities", std::move(entities)}};
}

// ---- CSV ----

std::string Cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

absl::Status NotInCsv(const v1::Entity& entity, std::string_view what) {
  const auto [kind, id] = KindAndId(entity.name());
  return Error(absl::StatusCode::kFailedPrecondition, "NOT_IN_CSV",
               fmt::format("{}/{}: {}, which CSV cannot say; export it as yaml or json",
                           Printable(kind), Printable(id), what));
}

bool HasOuterBlanks(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  return !text.empty() && (blank(text.front()) || blank(text.back()));
}

// The columns that the entities need, and the row of one.
class CsvTable {
 public:
  explicit CsvTable(const v1::ListEntitiesResponse& list) {
    std::set<std::string> attributes;
    for (const v1::Entity& entity : list.entities()) {
      for (const auto& [name, value] : entity.attributes()) attributes.insert(name);
      for (const v1::Relation& relation : entity.relations()) {
        const bool known =
            std::find(relations_.begin(), relations_.end(), relation.kind()) != relations_.end();
        if (!known) relations_.push_back(relation.kind());
      }
    }
    attributes_.assign(attributes.begin(), attributes.end());
  }

  std::string Head() const {
    std::string row = "kind,id,name,coordination";
    for (const std::string& kind : relations_) row += "," + Cell("relation:" + kind);
    // `kind` alone is the entity's own.
    for (const std::string& name : attributes_) {
      row += "," + Cell(name == "kind" ? "attribute:kind" : name);
    }
    return row + "\n";
  }

  absl::StatusOr<std::string> Row(const v1::Entity& entity) const {
    TANDEM_RETURN_IF_ERROR(Check(entity));
    const auto [kind, id] = KindAndId(entity.name());
    std::string row = fmt::format("{},{},{},{}", kind, id, Cell(entity.display_name()),
                                  Cell(fmt::format("{}", fmt::join(entity.coordination(), "; "))));
    for (const std::string& relation : relations_) {
      std::vector<std::string> targets;
      for (const v1::Relation& one : entity.relations()) {
        if (one.kind() == relation) targets.push_back(one.target());
      }
      row += "," + Cell(fmt::format("{}", fmt::join(targets, "; ")));
    }
    for (const std::string& name : attributes_) {
      const auto found = entity.attributes().find(name);
      row += "," + (found == entity.attributes().end() ? "" : Cell(found->second));
    }
    return row + "\n";
  }

 private:
  absl::Status Check(const v1::Entity& entity) const {
    if (HasOuterBlanks(entity.display_name())) {
      return NotInCsv(entity, "its name begins or ends with a blank");
    }
    for (const auto& [name, value] : Sorted(entity.attributes())) {
      if (value.empty() || HasOuterBlanks(value)) {
        return NotInCsv(entity, fmt::format("its attribute {} is empty, or begins or ends with a "
                                            "blank",
                                            Printable(name)));
      }
    }
    for (const std::string& team : entity.coordination()) {
      if (team.find(';') != std::string::npos || HasOuterBlanks(team)) {
        return NotInCsv(entity, fmt::format("it involves the team \"{}\"", Printable(team)));
      }
    }
    // They come back by column.
    std::size_t before = 0;
    for (const v1::Relation& relation : entity.relations()) {
      const auto column = static_cast<std::size_t>(
          std::find(relations_.begin(), relations_.end(), relation.kind()) - relations_.begin());
      if (column < before) {
        return NotInCsv(entity, "its relations are not in the order of the columns");
      }
      before = column;
    }
    return absl::OkStatus();
  }

  std::vector<std::string> relations_;   // kinds, as they come
  std::vector<std::string> attributes_;  // names, sorted
};

}  // namespace

std::string ExportYaml(const v1::ListEntitiesResponse& list) {
  YAML::Emitter out;
  Emit(FileOf(list), out);
  return std::string(out.c_str()) + "\n";
}

std::string ExportJson(const v1::ListEntitiesResponse& list) {
  return FileOf(list).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

absl::StatusOr<std::string> ExportCsv(const v1::ListEntitiesResponse& list) {
  const CsvTable table(list);
  std::string text = table.Head();
  for (const v1::Entity& entity : list.entities()) {
    TANDEM_ASSIGN_OR_RETURN(const std::string row, table.Row(entity));
    text += row;
  }
  return text;
}

}  // namespace tandem::cli
