#include "tools/agent/storm_corpus.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <nlohmann/json.hpp>

#include "router/base/status.h"

namespace tandem::client {
namespace {

using Json = nlohmann::json;

absl::Status BadLine(std::size_t line, std::string_view problem) {
  return Error(absl::StatusCode::kInvalidArgument, "RULES_INVALID",
               fmt::format("rules, line {}: {}", line, problem));
}

std::map<std::string, std::string> Strings(const Json& object) {
  std::map<std::string, std::string> strings;
  if (!object.is_object()) return strings;
  for (const auto& [name, value] : object.items()) {
    if (value.is_string()) strings[name] = value.get<std::string>();
  }
  return strings;
}

absl::StatusOr<AlertRule> ReadRule(std::string_view text, std::size_t line) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return BadLine(line, "a JSON object was expected");
  const auto name = json.find("alertname");
  if (name == json.end() || !name->is_string()) {
    return BadLine(line, "`alertname` and a string were expected");
  }
  AlertRule rule;
  rule.alertname = name->get<std::string>();
  rule.technology = json.contains("technology") && json["technology"].is_string()
                        ? json["technology"].get<std::string>()
                        : "unknown";
  rule.labels = Strings(json.value("labels", Json::object()));
  rule.annotations = Strings(json.value("annotations", Json::object()));
  for (const Json& label : json.value("label_names", Json::array())) {
    if (label.is_string()) rule.label_names.push_back(label.get<std::string>());
  }
  return rule;
}

StormEntity ReadEntity(const YAML::Node& node) {
  StormEntity entity{
      .kind = node["kind"].as<std::string>(), .id = node["id"].as<std::string>(), .related = {}};
  for (const YAML::Node& relation : node["relations"]) {
    const auto target = relation["target"].as<std::string>();
    const std::size_t slash = target.find('/');
    if (slash == std::string::npos) continue;
    entity.related.emplace_back(target.substr(0, slash), target.substr(slash + 1));
  }
  return entity;
}

}  // namespace

absl::StatusOr<std::vector<AlertRule>> ReadAlertRules(std::string_view json_lines) {
  std::vector<AlertRule> rules;
  std::size_t line = 1;
  for (std::size_t at = 0; at < json_lines.size(); ++line) {
    const std::size_t end = std::min(json_lines.find('\n', at), json_lines.size());
    const std::string_view text = json_lines.substr(at, end - at);
    at = end + 1;
    if (text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    TANDEM_ASSIGN_OR_RETURN(AlertRule rule, ReadRule(text, line));
    rules.push_back(std::move(rule));
  }
  if (rules.empty()) return BadLine(line, "the file has no rule");
  return rules;
}

absl::StatusOr<std::vector<StormEntity>> ReadStormContext(std::string_view yaml) {
  const auto bad = [](std::string_view problem) {
    return Error(absl::StatusCode::kInvalidArgument, "CONTEXT_INVALID",
                 fmt::format("context: {}", problem));
  };
  std::vector<StormEntity> entities;
  try {
    const YAML::Node root = YAML::Load(std::string(yaml));
    if (!root.IsMap() || !root["entities"].IsSequence()) {
      return bad("a list `entities` was expected at the top");
    }
    for (const YAML::Node& node : root["entities"]) entities.push_back(ReadEntity(node));
  } catch (const YAML::Exception& e) {
    return bad(fmt::format("line {}: {}; each entity needs `kind` and `id`, each relation `target`",
                           e.mark.line + 1, e.msg));
  }
  if (entities.empty()) return bad("the list `entities` is empty");
  return entities;
}

std::vector<StormEntity> MadeUpContext() {
  std::vector<StormEntity> entities;
  for (const char* site : {"plant-1", "plant-2", "warehouse-1", "office-1"}) {
    entities.push_back({.kind = "site", .id = site, .related = {}});
    for (const char* service : {"erp", "mes", "mail", "files"}) {
      entities.push_back({.kind = "service",
                          .id = fmt::format("{}-{}", service, site),
                          .related = {{"site", site}}});
    }
  }
  return entities;
}

}  // namespace tandem::client
