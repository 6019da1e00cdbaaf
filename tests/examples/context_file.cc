#include "tests/examples/context_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "router/playbook/node.h"

namespace tandem::playbook {
namespace {

std::string Text(const ConfigNode& map, std::string_view key) {
  const ConfigNode* node = map.Find(key);
  return node == nullptr ? "" : node->text;
}

std::vector<std::string> Texts(const ConfigNode& map, std::string_view key) {
  std::vector<std::string> texts;
  if (const ConfigNode* list = map.Find(key)) {
    EXPECT_EQ(list->kind, ConfigNode::Kind::kList) << list->Path();
    for (const ConfigNode* item : list->children) texts.push_back(item->text);
  }
  return texts;
}

void ExpectKeys(const ConfigNode& map, const std::vector<std::string>& keys) {
  for (const ConfigNode* child : map.children) {
    EXPECT_NE(std::find(keys.begin(), keys.end(), child->key), keys.end()) << child->Path();
  }
}

CalendarSpec ReadCalendar(const ConfigNode& node) {
  ExpectKeys(node, {"location", "intervals", "dates", "recurring", "exceptions"});
  CalendarSpec spec;
  spec.location = Text(node, "location");
  spec.dates = Texts(node, "dates");
  spec.exceptions = Texts(node, "exceptions");
  if (const ConfigNode* recurring = node.Find("recurring")) {
    for (const ConfigNode* item : recurring->children) {
      ExpectKeys(*item, {"start", "duration", "rule", "exceptions"});
      spec.recurring.push_back({Text(*item, "start"), Text(*item, "duration"), Text(*item, "rule"),
                                Texts(*item, "exceptions")});
    }
  }
  const ConfigNode* intervals = node.Find("intervals");
  if (intervals == nullptr) return spec;
  for (const ConfigNode* item : intervals->children) {
    ExpectKeys(*item, {"times", "weekdays", "days_of_month", "months", "years"});
    spec.intervals.push_back({Texts(*item, "times"), Texts(*item, "weekdays"),
                              Texts(*item, "days_of_month"), Texts(*item, "months"),
                              Texts(*item, "years")});
  }
  return spec;
}

EntitySpec ReadEntity(const ConfigNode& node) {
  ExpectKeys(node, {"kind", "id", "name", "attributes", "relations", "calendars", "matchers",
                    "coordination"});
  EntitySpec spec;
  spec.kind = Text(node, "kind");
  spec.id = Text(node, "id");
  spec.display_name = Text(node, "name");
  if (const ConfigNode* attributes = node.Find("attributes")) {
    for (const ConfigNode* item : attributes->children) {
      spec.attributes.emplace_back(item->key, item->text);
    }
  }
  if (const ConfigNode* relations = node.Find("relations")) {
    for (const ConfigNode* item : relations->children) {
      ExpectKeys(*item, {"kind", "target"});
      spec.relations.emplace_back(Text(*item, "kind"), Text(*item, "target"));
    }
  }
  if (const ConfigNode* calendars = node.Find("calendars")) {
    for (const ConfigNode* item : calendars->children) {
      spec.calendars.emplace_back(item->key, ReadCalendar(*item));
    }
  }
  spec.matchers = Texts(node, "matchers");
  spec.coordination = Texts(node, "coordination");
  return spec;
}

}  // namespace

std::vector<EntitySpec> ReadContextFile(std::string_view source) {
  const ConfigDocument document(source);
  for (const Finding& finding : document.findings()) {
    ADD_FAILURE() << finding.line << ":" << finding.column << ": " << finding.message;
  }
  std::vector<EntitySpec> specs;
  const ConfigNode* entities =
      document.root() == nullptr ? nullptr : document.root()->Find("entities");
  if (entities == nullptr) {
    ADD_FAILURE() << "no list under `entities:`";
    return specs;
  }
  for (const ConfigNode* item : entities->children) specs.push_back(ReadEntity(*item));
  return specs;
}

}  // namespace tandem::playbook
