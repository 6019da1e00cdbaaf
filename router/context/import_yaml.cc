#include "router/context/import_yaml.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "router/base/text.h"
#include "router/context/content.h"
#include "router/context/limits.h"
#include "router/context/validate.h"
#include "router/context/yaml_tree.h"

namespace tandem::context {
namespace {

// Reads one item of the list into an entity, and remembers where each of its parts stood.
class ItemReader {
 public:
  explicit ItemReader(EntityProblem problem) : problem_(problem) {}

  // nullopt, with the mistakes said, when it cannot be taken.
  std::optional<ImportedEntity> Read(const YamlNode& item) {
    Remember("", item.position);
    Map("", item,
        {"kind", "id", "name", "attributes", "relations", "calendars", "matchers", "coordination"},
        [&](const YamlNode::Entry& entry) { Part(entry); });
    if (item.type != YamlNode::Type::kMap) return std::nullopt;
    CheckKey();
    for (const FieldError& wrong : CheckEntity(entity_)) {
      Problem(FindPosition(wrong.field), wrong.field, wrong.description);
    }
    if (problems_ > 0) return std::nullopt;
    return ImportedEntity{{*ParseEntityKind(kind_), id_}, PackContent(entity_)};
  }

  void Problem(YamlPosition position, std::string_view path, std::string_view description) {
    ++problems_;
    problem_(position, path == "display_name" ? "name" : path, description);
  }

 private:
  // The position of `path`, or of the nearest part around it that has one.
  YamlPosition FindPosition(std::string_view path) const {
    while (true) {
      const auto found = positions_.find(path);
      if (found != positions_.end()) return found->second;
      const std::size_t cut = path.find_last_of(".[");
      path = path.substr(0, cut == std::string_view::npos ? 0 : cut);
    }
  }

  void Remember(std::string path, YamlPosition position) {
    positions_.insert_or_assign(std::move(path), position);
  }

  // Visits the entries of a map whose keys are among `names`.
  template <typename Visit>
  void Map(std::string_view path, const YamlNode& node, std::vector<std::string> names,
           Visit visit) {
    if (!Expect(path, node, YamlNode::Type::kMap)) return;
    for (const YamlNode::Entry& entry : node.entries) {
      if (std::find(names.begin(), names.end(), entry.key) != names.end()) {
        visit(entry);
        continue;
      }
      const std::string nearest = NearestName(entry.key.substr(0, 64), names);
      Problem(
          entry.position, path,
          fmt::format("unknown key \"{}\"; expected {}{}", Shown(entry.key), fmt::join(names, ", "),
                      nearest.empty() ? "" : fmt::format(" (nearest: \"{}\")", nearest)));
    }
  }

  bool Expect(std::string_view path, const YamlNode& node, YamlNode::Type type) {
    if (node.type == type) return true;
    Problem(node.position, path,
            fmt::format("is {}; expected {}", ToText(node.type), ToText(type)));
    return false;
  }

  // The text of a scalar; "" with the mistake said for anything else.
  std::string Text(const std::string& path, const YamlNode& node) {
    Remember(path, node.position);
    return Expect(path, node, YamlNode::Type::kScalar) ? node.text : "";
  }

  template <typename Visit>
  void List(const std::string& path, const YamlNode& node, Visit visit) {
    Remember(path, node.position);
    if (!Expect(path, node, YamlNode::Type::kList)) return;
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      visit(fmt::format("{}[{}]", path, i), node.items[i]);
    }
  }

  template <typename Add>
  void Texts(const std::string& path, const YamlNode& node, Add add) {
    List(path, node, [&](const std::string& at, const YamlNode& item) { add(Text(at, item)); });
  }

  void Part(const YamlNode::Entry& entry) {
    const YamlNode& value = entry.value;
    if (entry.key == "kind") kind_ = Text("kind", value);
    if (entry.key == "id") id_ = Text("id", value);
    if (entry.key == "name") entity_.set_display_name(Text("display_name", value));
    if (entry.key == "attributes") Attributes(value);
    if (entry.key == "relations") Relations(value);
    if (entry.key == "calendars") Calendars(value);
    if (entry.key == "matchers") {
      Texts("matchers", value, [&](std::string text) { entity_.add_matchers(std::move(text)); });
    }
    if (entry.key == "coordination") {
      Texts("coordination", value,
            [&](std::string text) { entity_.add_coordination(std::move(text)); });
    }
  }

  void CheckKey() {
    if (positions_.count("kind") == 0) {
      Problem(FindPosition(""), "kind",
              "is missing; expected site, service, device or application");
    } else if (!kind_.empty() && !ParseEntityKind(kind_)) {
      Problem(FindPosition("kind"), "kind", NoSuchKind(kind_));
    }
    if (positions_.count("id") == 0) {
      Problem(FindPosition(""), "id", "is missing; expected what names it within its kind");
    } else if (!IsEntityId(id_)) {
      Problem(FindPosition("id"), "id",
              fmt::format("\"{}\" is no id; expected 1 to {} bytes of [a-zA-Z0-9._-]", Shown(id_),
                          kEntityIdBytesMax));
    }
  }

  void Attributes(const YamlNode& node) {
    Remember("attributes", node.position);
    if (!Expect("attributes", node, YamlNode::Type::kMap)) return;
    for (const YamlNode::Entry& entry : node.entries) {
      // As CheckEntity writes it.
      const std::string path = fmt::format("attributes[\"{}\"]", Shown(entry.key));
      (*entity_.mutable_attributes())[entry.key] = Text(path, entry.value);
    }
  }

  void Relations(const YamlNode& node) {
    List("relations", node, [&](const std::string& path, const YamlNode& item) {
      Remember(path, item.position);
      v1::Relation& relation = *entity_.add_relations();
      if (item.type == YamlNode::Type::kScalar) {  // `runs_at site/plant-7`
        const std::size_t blank = item.text.find(' ');
        relation.set_kind(item.text.substr(0, blank));
        if (blank != std::string::npos) relation.set_target(item.text.substr(blank + 1));
        return;
      }
      Map(path, item, {"kind", "target"}, [&](const YamlNode::Entry& entry) {
        std::string text = Text(fmt::format("{}.{}", path, entry.key), entry.value);
        entry.key == "kind" ? relation.set_kind(std::move(text))
                            : relation.set_target(std::move(text));
      });
    });
  }

  void Calendars(const YamlNode& node) {
    Remember("calendars", node.position);
    if (!Expect("calendars", node, YamlNode::Type::kMap)) return;
    for (const YamlNode::Entry& entry : node.entries) {
      const std::string path = fmt::format("calendars[\"{}\"]", Shown(entry.key));
      Remember(path, entry.position);
      v1::Calendar& calendar = (*entity_.mutable_calendars())[entry.key];
      std::vector<std::string> keys = {"location", "intervals", "dates", "recurring", "exceptions"};
      for (const YamlNode::Entry& part : entry.value.entries) {
        // Known, so that CalendarPart can say more about it than that there is no such key.
        if (part.key == "any_of" || part.key == "except") keys.push_back(part.key);
      }
      Map(path, entry.value, std::move(keys),
          [&](const YamlNode::Entry& part) { CalendarPart(path, part, calendar); });
    }
  }

  void CalendarPart(const std::string& path, const YamlNode::Entry& part, v1::Calendar& calendar) {
    const std::string at = fmt::format("{}.{}", path, part.key);
    if (part.key == "location") {
      calendar.set_location(Text(at, part.value));
    } else if (part.key == "intervals") {
      List(at, part.value, [&](const std::string& interval, const YamlNode& item) {
        Interval(interval, item, *calendar.add_intervals());
      });
    } else if (part.key == "recurring") {
      List(at, part.value, [&](const std::string& recurrence, const YamlNode& item) {
        Recurrence(recurrence, item, *calendar.add_recurring());
      });
    } else if (part.key == "dates") {
      Texts(at, part.value, [&](std::string text) { calendar.add_dates(std::move(text)); });
    } else if (part.key == "exceptions") {
      Texts(at, part.value, [&](std::string text) { calendar.add_exceptions(std::move(text)); });
    } else {
      Problem(part.position, at,
              "a calendar of an entity stands alone; any_of and except are for the calendars of a "
              "playbook, which can name each other");
    }
  }

  void Recurrence(const std::string& path, const YamlNode& node, v1::Recurrence& recurrence) {
    Remember(path, node.position);
    Map(path, node, {"start", "duration", "rule", "exceptions"}, [&](const YamlNode::Entry& entry) {
      const std::string at = fmt::format("{}.{}", path, entry.key);
      if (entry.key == "exceptions") {
        Texts(at, entry.value,
              [&](std::string text) { recurrence.add_exceptions(std::move(text)); });
      } else if (entry.key == "start") {
        recurrence.set_start(Text(at, entry.value));
      } else if (entry.key == "duration") {
        recurrence.set_duration(Text(at, entry.value));
      } else {
        recurrence.set_rule(Text(at, entry.value));
      }
    });
  }

  void Interval(const std::string& path, const YamlNode& node, v1::TimeInterval& interval) {
    Remember(path, node.position);
    Map(path, node, {"times", "weekdays", "days_of_month", "months", "years"},
        [&](const YamlNode::Entry& entry) {
          Texts(fmt::format("{}.{}", path, entry.key), entry.value, [&](std::string text) {
            if (entry.key == "times")
              interval.add_times(std::move(text));
            else if (entry.key == "weekdays")
              interval.add_weekdays(std::move(text));
            else if (entry.key == "days_of_month")
              interval.add_days_of_month(std::move(text));
            else if (entry.key == "months")
              interval.add_months(std::move(text));
            else
              interval.add_years(std::move(text));
          });
        });
  }

  EntityProblem problem_;
  std::size_t problems_ = 0;
  std::string kind_, id_;
  v1::Entity entity_;
  std::map<std::string, YamlPosition, std::less<>> positions_;  // by CheckEntity's paths
};

// The line of the first byte that cannot be in such a file, or 0.
int FirstBadLine(std::string_view content) {
  int line = 1;
  while (!content.empty()) {
    const std::size_t end = std::min(content.find('\n'), content.size());
    const std::string_view text = content.substr(0, end);
    if (!IsUtf8(text) || HasControlCharacters(text, {.allow_newlines = true})) return line;
    content.remove_prefix(std::min(end + 1, content.size()));
    ++line;
  }
  return 0;
}

}  // namespace

std::optional<ImportedEntity> ReadYamlEntity(const YamlNode& item, EntityProblem problem) {
  return ItemReader(problem).Read(item);
}

absl::StatusOr<ImportedFile> ReadYaml(std::string_view content) {
  ImportProblems problems;
  if (const int line = FirstBadLine(content); line > 0) {
    problems.Add(fmt::format("{}:1", line),
                 "the line has a control character or is not UTF-8; expected UTF-8 text");
    return problems.ToStatus();
  }
  ImportedFile file;
  ImportedKeys keys;
  ReadYamlList(content, "entities", problems, [&](std::size_t index, YamlNode item) {
    const auto problem = [&](YamlPosition position, std::string_view path,
                             std::string_view description) {
      problems.Add(fmt::format("{} entities[{}]{}{}", ToText(position), index,
                               path.empty() ? "" : ".", path),
                   std::string(description));
    };
    if (index >= kEntitiesMax) {
      if (index > kEntitiesMax) return;
      return problem(item.position, "",
                     fmt::format("more than {} entities in one file", kEntitiesMax));
    }
    std::optional<ImportedEntity> entity = ReadYamlEntity(item, problem);
    if (!entity) return;
    const std::string place = fmt::format("{} entities[{}]", ToText(item.position), index);
    std::string_view where = place;
    if (!keys.Add(entity->key, where)) {
      problem(item.position, "",
              fmt::format("{} occurs twice, first at {}", ToText(entity->key), where));
    }
    file.entities.push_back(*std::move(entity));
  });
  if (!problems.empty()) return problems.ToStatus();
  return file;
}

}  // namespace tandem::context
