#include "router/context/import_csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "router/base/text.h"
#include "router/context/content.h"
#include "router/context/csv_reader.h"
#include "router/context/limits.h"
#include "router/context/validate.h"

namespace tandem::context {
namespace {

constexpr std::string_view kRelationPrefix = "relation:";
// For attributes whose name alone means something else: `attribute:kind`.
constexpr std::string_view kAttributePrefix = "attribute:";

std::string Place(std::size_t row) { return fmt::format("row {}", row); }
std::string Place(std::size_t row, std::string_view column) {
  return fmt::format("row {}, column \"{}\"", row, Shown(column));
}

std::string_view Trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// "a; b" → {"a", "b"}; empty parts are left out.
std::vector<std::string> SplitList(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    const std::string_view part = Trim(text.substr(0, end));
    if (!part.empty()) parts.emplace_back(part);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

struct Columns {
  std::vector<std::string> names;  // in the order of the file
  std::size_t kind = 0;
  std::size_t id = 0;
};

// Whether a column is an attribute only because it is nothing else.
bool BecomesAttribute(std::string_view column) {
  return column != "kind" && column != "id" && column != "name" && column != "coordination" &&
         !column.starts_with(kRelationPrefix) && !column.starts_with(kAttributePrefix);
}

// The first row; nullopt, with the mistakes said, when the rest cannot be read by it.
std::optional<Columns> ReadColumns(const CsvRow& row, ImportProblems& problems) {
  const std::size_t before = problems.count();
  if (!row.mistake.empty()) problems.Add(Place(row.number), row.mistake);
  if (row.too_many_cells) {
    problems.Add(Place(row.number), fmt::format("more than {} columns", kCsvCellsMax));
  }
  Columns columns;
  std::map<std::string, std::size_t> found;
  for (const std::string& cell : row.cells) {
    const std::string name(Trim(cell));
    if (name.empty()) {
      problems.Add(fmt::format("row {}, cell {}", row.number, columns.names.size() + 1),
                   "a column without a name; expected kind, id, name, coordination, "
                   "relation:{relation} or an attribute");
    } else if (!found.emplace(name, columns.names.size()).second) {
      problems.Add(Place(row.number, name), "occurs twice");
    }
    columns.names.push_back(name);
  }
  for (const char* required : {"kind", "id"}) {
    if (found.count(required) == 0) {
      problems.Add(Place(row.number, required), "is missing; expected a column of this name");
    }
  }
  if (problems.count() > before) return std::nullopt;
  columns.kind = found["kind"];
  columns.id = found["id"];
  return columns;
}

// Reads one row into an entity, and remembers from which column each of its parts came.
class RowReader {
 public:
  RowReader(const Columns& columns, const CsvRow& row, ImportProblems& problems)
      : columns_(columns), row_(row), problems_(problems) {}

  // nullopt, with the mistakes said, when it cannot be taken.
  std::optional<ImportedEntity> Read() {
    const std::size_t before = problems_.count();
    if (!row_.mistake.empty()) {
      problems_.Add(Place(row_.number), row_.mistake);
    } else if (row_.too_many_cells || row_.cells.size() != columns_.names.size()) {
      problems_.Add(Place(row_.number), fmt::format("has {}{} cells; expected {}, as the first row",
                                                    row_.too_many_cells ? "more than " : "",
                                                    row_.cells.size(), columns_.names.size()));
    } else {
      for (std::size_t i = 0; i < row_.cells.size(); ++i) Cell(i, Trim(row_.cells[i]));
      CheckKey();
    }
    if (problems_.count() > before) return std::nullopt;
    for (const FieldError& wrong : CheckEntity(entity_)) {
      problems_.Add(PlaceOf(wrong.field), wrong.description);
    }
    if (problems_.count() > before) return std::nullopt;
    return ImportedEntity{Key(), PackContent(entity_)};
  }

 private:
  void Cell(std::size_t column, std::string_view text) {
    const std::string& name = columns_.names[column];
    if (text.empty() || column == columns_.kind || column == columns_.id) return;
    if (!IsUtf8(text)) {
      problems_.Add(Place(row_.number, name), "is not UTF-8; save the file as UTF-8");
    } else if (name == "name") {
      entity_.set_display_name(std::string(text));
      columns_of_["display_name"] = column;
    } else if (name == "coordination") {
      columns_of_["coordination"] = column;
      for (std::string& team : SplitList(text)) entity_.add_coordination(std::move(team));
    } else if (name.rfind(kRelationPrefix, 0) == 0) {
      Relations(column, text);
    } else {
      Attribute(column, text);
    }
  }

  void Attribute(std::size_t column, std::string_view text) {
    std::string_view name = columns_.names[column];
    if (name.starts_with(kAttributePrefix)) name.remove_prefix(kAttributePrefix.size());
    columns_of_[fmt::format("attributes[\"{}\"]", Shown(name))] = column;
    if (!entity_.mutable_attributes()->insert({std::string(name), std::string(text)}).second) {
      problems_.Add(Place(row_.number, columns_.names[column]),
                    "another column says this attribute, too");
    }
  }

  void Relations(std::size_t column, std::string_view text) {
    for (std::string& target : SplitList(text)) {
      columns_of_[fmt::format("relations[{}]", entity_.relations_size())] = column;
      v1::Relation& relation = *entity_.add_relations();
      relation.set_kind(columns_.names[column].substr(kRelationPrefix.size()));
      relation.set_target(std::move(target));
    }
  }

  void CheckKey() {
    const std::string_view kind = Trim(row_.cells[columns_.kind]);
    const std::string_view id = Trim(row_.cells[columns_.id]);
    if (!ParseEntityKind(kind)) {
      problems_.Add(Place(row_.number, "kind"), NoSuchKind(kind));
    }
    if (!IsEntityId(id)) {
      problems_.Add(Place(row_.number, "id"),
                    fmt::format("\"{}\" is no id; expected 1 to {} bytes of [a-zA-Z0-9._-]",
                                Shown(id), kEntityIdBytesMax));
    }
  }

  EntityKey Key() const {
    return {*ParseEntityKind(Trim(row_.cells[columns_.kind])),
            std::string(Trim(row_.cells[columns_.id]))};
  }

  // The place of a path of CheckEntity, or of the nearest part around it that has one.
  std::string PlaceOf(std::string_view path) const {
    while (!path.empty()) {
      const auto found = columns_of_.find(path);
      if (found != columns_of_.end()) return Place(row_.number, columns_.names[found->second]);
      const std::size_t cut = path.find_last_of(".[");
      path = path.substr(0, cut == std::string_view::npos ? 0 : cut);
    }
    return Place(row_.number);
  }

  const Columns& columns_;
  const CsvRow& row_;
  ImportProblems& problems_;
  v1::Entity entity_;
  std::map<std::string, std::size_t, std::less<>> columns_of_;  // by CheckEntity's paths
};

}  // namespace

absl::StatusOr<ImportedFile> ReadCsv(std::string_view content) {
  ImportProblems problems;
  CsvReader reader(content);
  const std::optional<CsvRow> first = reader.Next();
  if (!first) {
    problems.Add("row 1", "the file is empty; expected a row of column names: kind,id,…");
    return problems.ToStatus();
  }
  const std::optional<Columns> columns = ReadColumns(*first, problems);
  if (!columns) return problems.ToStatus();

  ImportedFile file{.entities = {}, .states_all = false, .attribute_columns = {}};
  for (const std::string& name : columns->names) {
    if (BecomesAttribute(name)) file.attribute_columns.push_back(name);
  }
  ImportedKeys keys;
  while (const std::optional<CsvRow> row = reader.Next()) {
    if (row->number > kEntitiesMax + 1) {
      problems.Add(Place(row->number), fmt::format("more than {} rows in one file", kEntitiesMax));
      break;
    }
    std::optional<ImportedEntity> entity = RowReader(*columns, *row, problems).Read();
    if (!entity) continue;
    const std::string place = Place(row->number);
    std::string_view where = place;
    if (!keys.Add(entity->key, where)) {
      problems.Add(Place(row->number, "id"),
                   fmt::format("{} occurs twice, first in {}", ToText(entity->key), where));
    }
    file.entities.push_back(*std::move(entity));
  }
  if (!problems.empty()) return problems.ToStatus();
  return file;
}

}  // namespace tandem::context
