#include "router/replay/actions.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "router/base/status.h"
#include "router/base/words.h"
#include "router/context/entity_spec.h"
#include "router/context/import_yaml.h"
#include "router/context/limits.h"

namespace tandem::replay {
namespace {

using playbook::ConfigNode;
using playbook::Quoted;
using playbook::Reader;

constexpr std::size_t kLabelsMax = 64;  // as the router takes of an alert
constexpr std::size_t kTextMaxBytes = 4 * 1024;
constexpr std::size_t kNameMaxBytes = 256;
constexpr std::uint32_t kIncidentMax = 1'000'000;

// `{name: value}`, sorted by name, without empty values.
Pairs ReadPairs(const ConfigNode& map, Reader& reader) {
  Pairs pairs;
  if (!reader.IsMap(map)) return pairs;
  if (map.children.size() > kLabelsMax) {
    reader.Error(map,
                 fmt::format("{} entries; at most {} are taken", map.children.size(), kLabelsMax));
    return pairs;
  }
  for (const ConfigNode* child : map.children) {
    if (child->kind == ConfigNode::Kind::kText && child->text.empty()) continue;
    if (auto text = reader.Text(*child, kTextMaxBytes)) pairs.emplace_back(child->key, *text);
  }
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

Pairs ReadLabels(const ConfigNode& node, Reader& reader) {
  Pairs labels = ReadPairs(node, reader);
  if (labels.empty() && node.kind == ConfigNode::Kind::kMap && node.children.empty()) {
    reader.Error(node, "an alert has at least one label, such as {alertname: LinkDown}");
  }
  return labels;
}

Action ReadAlert(const ConfigNode& node, Reader& reader) {
  RaiseAlert alert{.labels = ReadLabels(node, reader)};
  if (const ConfigNode* annotations = node.parent->Find("annotations")) {
    alert.annotations = ReadPairs(*annotations, reader);
  }
  return alert;
}

Action ReadClear(const ConfigNode& node, Reader& reader) {
  return ClearAlert{ReadLabels(node, reader)};
}

// The keys that what people do has in common, and `more` of it.
void ReadOnIncident(const ConfigNode& node, std::string_view text_key,
                    std::vector<std::string> more, Reader& reader, OnIncident& into) {
  if (!reader.IsMap(node)) return;
  more.insert(more.begin(), {"by", "side", "incident", std::string(text_key)});
  reader.OnlyKeys(node, more);
  if (const ConfigNode* by = reader.Required(node, "by", "who does it")) {
    into.actor.principal = reader.Text(*by, kNameMaxBytes).value_or("");
  }
  if (const ConfigNode* side = reader.Required(node, "side", "provider or customer")) {
    const auto word = reader.Word(*side, {"provider", "customer"});
    if (word) into.actor.side = ParseSide(*word).value_or(Side::kUnspecified);
  }
  if (const ConfigNode* incident = node.Find("incident")) {
    const auto number = reader.Number(*incident, kIncidentMax);
    if (number && *number == 0) reader.Error(*incident, "incidents count from 1");
    if (number) into.incident = *number;
  }
  if (const ConfigNode* text = node.Find(text_key)) {
    into.text = reader.Text(*text, kTextMaxBytes).value_or("");
  }
}

Action ReadAcknowledge(const ConfigNode& node, Reader& reader) {
  Acknowledge action;
  ReadOnIncident(node, "comment", {"for"}, reader, action);
  if (const ConfigNode* holds = node.Find("for")) {
    action.holds = reader.Duration(*holds, {absl::Seconds(1), kStoryMax});
  }
  return action;
}

Action ReadNote(const ConfigNode& node, Reader& reader) {
  AddNote action;
  ReadOnIncident(node, "text", {}, reader, action);
  if (node.kind == ConfigNode::Kind::kMap) reader.Required(node, "text", "what is noted");
  return action;
}

template <typename T>
Action ReadPlain(const ConfigNode& node, Reader& reader) {
  T action;
  ReadOnIncident(node, "comment", {}, reader, action);
  return action;
}

Action ReadAnswer(const ConfigNode& node, Reader& reader) {
  Answer action;
  ReadOnIncident(node, "comment", {"answer"}, reader, action);
  if (node.kind != ConfigNode::Kind::kMap) return action;
  if (const ConfigNode* answer = reader.Required(node, "answer", "what is answered")) {
    action.answer = reader.Text(*answer, kTextMaxBytes).value_or("");
  }
  return action;
}

Action ReadOffer(const ConfigNode& node, Reader& reader) {
  OfferLead action;
  ReadOnIncident(node, "comment", {"team"}, reader, action);
  if (node.kind != ConfigNode::Kind::kMap) return action;
  if (const ConfigNode* team = reader.Required(node, "team", "who is to lead")) {
    action.team = reader.Name(*team).value_or("");
  }
  return action;
}

Action ReadOutage(const ConfigNode& node, Reader& reader) {
  Outage outage;
  if (!reader.IsMap(node)) return outage;
  reader.OnlyKeys(node, {"contact", "for"});
  if (const ConfigNode* contact = reader.Required(node, "contact", "a contact of the playbook")) {
    outage.contact = reader.Name(*contact).value_or("");
    outage.mark = contact->mark;
  }
  if (const ConfigNode* lasts = reader.Required(node, "for", "a duration such as 30m")) {
    outage.lasts =
        reader.Duration(*lasts, {absl::Seconds(1), kStoryMax}).value_or(absl::ZeroDuration());
  }
  return outage;
}

Action ReadPutContext(const ConfigNode& node, Reader& reader) {
  auto entity = ReadEntity(node, reader);
  if (!entity) return Nothing{};
  return PutContext{*std::move(entity)};
}

Action ReadRemoveContext(const ConfigNode& node, Reader& reader) {
  const std::string name = reader.Text(node, kNameMaxBytes).value_or("");
  const std::size_t slash = name.find('/');
  RemoveContext action{name.substr(0, slash), ""};
  if (slash != std::string::npos) action.id = name.substr(slash + 1);
  const bool known = playbook::EntityKindIndex(action.kind).has_value();
  if (!name.empty() && (!known || action.id.empty())) {
    reader.Error(node, fmt::format("{} names no entity; expected KIND/ID such as device/sw-7, of "
                                   "kind {}",
                                   Quoted(name), playbook::EntityKindList()));
  }
  return action;
}

Action ReadNothing(const ConfigNode& node, Reader& reader) {
  if (node.kind != ConfigNode::Kind::kNothing && reader.IsMap(node)) reader.OnlyKeys(node, {});
  return Nothing{};
}

struct Verb {
  std::string_view name;
  Action (*read)(const ConfigNode& node, Reader& reader);
};

constexpr Verb kVerbs[] = {
    {"alert", ReadAlert},
    {"clear", ReadClear},
    {"acknowledge", ReadAcknowledge},
    {"note", ReadNote},
    {"resolve", ReadPlain<Resolve>},
    {"reopen", ReadPlain<Reopen>},
    {"answer", ReadAnswer},
    {"offer", ReadOffer},
    {"accept", ReadPlain<AcceptLead>},
    {"decline", ReadPlain<DeclineLead>},
    {"outage", ReadOutage},
    {"put_context", ReadPutContext},
    {"remove_context", ReadRemoveContext},
    {"nothing", ReadNothing},
};

// The same tree in the words of the reader of context files.
context::YamlNode ToYaml(const ConfigNode& node) {
  context::YamlNode out{
      .position = {static_cast<int>(node.mark.line), static_cast<int>(node.mark.column)}};
  switch (node.kind) {
    case ConfigNode::Kind::kNothing:
      break;
    case ConfigNode::Kind::kText:
      out.type = context::YamlNode::Type::kScalar;
      out.text = node.text;
      break;
    case ConfigNode::Kind::kList:
      out.type = context::YamlNode::Type::kList;
      for (const ConfigNode* child : node.children) out.items.push_back(ToYaml(*child));
      break;
    case ConfigNode::Kind::kMap:
      out.type = context::YamlNode::Type::kMap;
      for (const ConfigNode* child : node.children) {
        out.entries.push_back(
            {child->key,
             {static_cast<int>(child->key_mark.line), static_cast<int>(child->key_mark.column)},
             ToYaml(*child)});
      }
      break;
  }
  return out;
}

}  // namespace

const std::vector<std::string>& Verbs() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    for (const Verb& verb : kVerbs) names.emplace_back(verb.name);
    return names;
  }();
  return kNames;
}

Action ReadAction(const ConfigNode& step, Reader& reader) {
  const Verb* chosen = nullptr;
  const ConfigNode* value = nullptr;
  for (const ConfigNode* child : step.children) {
    const auto verb = std::find_if(std::begin(kVerbs), std::end(kVerbs),
                                   [&](const Verb& v) { return v.name == child->key; });
    if (verb == std::end(kVerbs)) continue;
    if (chosen != nullptr) {
      reader.ErrorAtKey(*child, fmt::format("a step does one thing, and {} stands here already; "
                                            "make it a step of its own",
                                            Quoted(chosen->name)));
      return Nothing{};
    }
    chosen = verb;
    value = child;
  }
  if (chosen == nullptr) {
    reader.Error(step,
                 fmt::format("a step says what happens; expected {}", playbook::OneOf(Verbs())));
    return Nothing{};
  }
  return chosen->read(*value, reader);
}

std::optional<playbook::EntitySpec> ReadEntity(const ConfigNode& node, Reader& reader) {
  const auto entity = context::ReadYamlEntity(
      ToYaml(node),
      [&](context::YamlPosition position, std::string_view path, std::string_view description) {
        ConfigNode at = node;  // its path, and the place within
        at.mark = {static_cast<std::uint32_t>(position.line),
                   static_cast<std::uint32_t>(position.column)};
        reader.Error(
            at, path.empty() ? std::string(description) : fmt::format("{}: {}", path, description));
      });
  if (!entity) return std::nullopt;
  auto spec = context::SpecOf(*entity);
  if (spec.ok()) return *std::move(spec);
  reader.Error(node, MessageOf(spec.status()));
  return std::nullopt;
}

}  // namespace tandem::replay
