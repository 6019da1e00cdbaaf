#include "router/replay/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/playbook/reader.h"
#include "router/playbook/zone.h"
#include "router/replay/actions.h"

namespace tandem::replay {
namespace {

using playbook::ConfigNode;
using playbook::Finding;
using playbook::Quoted;
using playbook::Reader;

constexpr std::size_t kScenariosMax = 1'000;
constexpr std::size_t kStepsMax = 10'000;
constexpr std::size_t kLinesMax = 10'000;
constexpr std::size_t kEntitiesMax = 1'000;
constexpr std::size_t kTextMaxBytes = 1024;
constexpr std::size_t kAboutMaxBytes = 2 * 1024;
constexpr std::string_view kStartForm =
    "local time and zone, such as \"2026-03-02 12:00 Europe/Vienna\"";
// As those of calendars.
constexpr int kYearMin = 1970;
constexpr int kYearMax = 2100;

absl::Status NoStart(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(
      fmt::format("{} {}; expected {}", Quoted(text), why, kStartForm));
}

bool IsScenarioName(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

std::vector<Line> ReadLines(const ConfigNode& list, Reader& reader) {
  std::vector<Line> lines;
  for (const ConfigNode* item : reader.List(list, kLinesMax)) {
    if (auto text = reader.Text(*item, kTextMaxBytes)) {
      lines.push_back({*std::move(text), item->mark});
    }
  }
  return lines;
}

std::vector<Step> ReadSteps(const ConfigNode& list, Reader& reader) {
  std::vector<Step> steps;
  std::vector<std::string> keys = {"at", "annotations"};
  keys.insert(keys.end(), Verbs().begin(), Verbs().end());
  if (list.kind == ConfigNode::Kind::kList && list.children.empty()) {
    reader.Error(list, "a scenario has at least one step");
  }
  for (const ConfigNode* item : reader.List(list, kStepsMax)) {
    if (!reader.IsMap(*item)) continue;
    reader.OnlyKeys(*item, keys);
    Step step;
    if (const ConfigNode* at = reader.Required(*item, "at", "a time from the start, such as 5m")) {
      const auto offset = reader.Duration(*at, {absl::ZeroDuration(), kStoryMax});
      step.at = offset.value_or(absl::ZeroDuration());
      if (offset && !steps.empty() && step.at < steps.back().at) {
        reader.Error(*at, fmt::format("steps stand in the order of time, and the one before is at "
                                      "{}; each counts from the start",
                                      DurationText(steps.back().at)));
      }
    }
    const ConfigNode* annotations = item->Find("annotations");
    if (annotations != nullptr && item->Find("alert") == nullptr) {
      reader.ErrorAtKey(*annotations,
                        "annotations belong to an alert: {at: …, alert: {…}, "
                        "annotations: {…}}");
    }
    step.action = ReadAction(*item, reader);
    steps.push_back(std::move(step));
  }
  return steps;
}

void ReadEnd(const ConfigNode& node, Scenario& scenario, Reader& reader) {
  if (const ConfigNode* until = node.Find("until")) {
    scenario.until = reader.Duration(*until, {absl::ZeroDuration(), kStoryMax});
    if (scenario.until && !scenario.steps.empty() && *scenario.until < scenario.steps.back().at) {
      reader.Error(*until, fmt::format("the story would end before its last step at {}",
                                       DurationText(scenario.steps.back().at)));
    }
  }
  if (const ConfigNode* expect = node.Find("expect")) scenario.expect = ReadLines(*expect, reader);
  if (const ConfigNode* never = node.Find("never")) scenario.never = ReadLines(*never, reader);
  if (const ConfigNode* whole = node.Find("whole")) {
    scenario.whole = reader.Word(*whole, {"true", "false"}).value_or("") == "true";
  }
}

Scenario ReadScenario(const ConfigNode& node, Reader& reader) {
  Scenario scenario{.mark = node.mark};
  reader.OnlyKeys(
      node, {"name", "about", "start", "context", "steps", "until", "expect", "whole", "never"});
  if (const ConfigNode* name = reader.Required(node, "name", "a name of a-z, 0-9 and -")) {
    scenario.name = reader.Text(*name, kTextMaxBytes).value_or("");
    if (!scenario.name.empty() && !IsScenarioName(scenario.name)) {
      reader.Error(*name, fmt::format("{} is not a scenario's name; expected a-z, 0-9 and -, at "
                                      "most 64 bytes",
                                      Quoted(scenario.name)));
    }
  }
  if (const ConfigNode* about = node.Find("about")) {
    scenario.about = reader.Text(*about, kAboutMaxBytes).value_or("");
  }
  if (const ConfigNode* start = reader.Required(node, "start", kStartForm)) {
    const auto text = reader.Text(*start, kTextMaxBytes);
    const auto read = ReadStart(text.value_or(""));
    if (read.ok()) {
      scenario.start = read->time;
      scenario.zone = read->zone;
    } else if (text) {
      reader.Error(*start, MessageOf(read.status()));
    }
  }
  if (const ConfigNode* context = node.Find("context")) {
    for (const ConfigNode* item : reader.List(*context, kEntitiesMax)) {
      if (auto entity = ReadEntity(*item, reader)) scenario.context.push_back(*std::move(entity));
    }
  }
  if (const ConfigNode* steps = reader.Required(node, "steps", "a list of what happens")) {
    scenario.steps = ReadSteps(*steps, reader);
  }
  ReadEnd(node, scenario, reader);
  return scenario;
}

void ReadAll(const ConfigNode& root, Reader& reader, std::vector<Scenario>& into) {
  const ConfigNode* list = root.Find("scenarios");
  if (list == nullptr || list->kind == ConfigNode::Kind::kNothing) return;
  std::set<std::string> names;
  for (const ConfigNode* item : reader.List(*list, kScenariosMax)) {
    if (!reader.IsMap(*item)) continue;
    Scenario scenario = ReadScenario(*item, reader);
    if (!scenario.name.empty() && !names.insert(scenario.name).second) {
      reader.Error(*item->Find("name"),
                   fmt::format("there is a scenario {} already", Quoted(scenario.name)));
    }
    into.push_back(std::move(scenario));
  }
}

}  // namespace

absl::StatusOr<Start> ReadStart(std::string_view text) {
  const std::size_t blank = text.rfind(' ');
  if (blank == std::string_view::npos) return NoStart(text, "is no time with a zone");
  Start start;
  const std::string zone(text.substr(blank + 1));
  if (std::string refused = playbook::LoadZone(zone, start.zone); !refused.empty()) {
    return absl::InvalidArgumentError(refused);
  }
  const std::string local(text.substr(0, blank));
  absl::CivilSecond civil;
  absl::CivilMinute minute;
  if (absl::ParseCivilTime(local, &minute)) {
    civil = absl::CivilSecond(minute);
  } else if (!absl::ParseCivilTime(local, &civil)) {
    std::string iso = local;
    std::replace(iso.begin(), iso.end(), ' ', 'T');
    if (absl::ParseCivilTime(iso, &minute)) {
      civil = absl::CivilSecond(minute);
    } else if (!absl::ParseCivilTime(iso, &civil)) {
      return NoStart(text, "is no time that a clock shows");
    }
  }
  if (civil.year() < kYearMin || civil.year() > kYearMax) {
    return NoStart(text, fmt::format("is not in the years {} to {}", kYearMin, kYearMax));
  }
  const absl::TimeZone::TimeInfo info = start.zone.At(civil);
  if (info.kind == absl::TimeZone::TimeInfo::SKIPPED) {
    return NoStart(text, "is skipped by the clocks there");
  }
  start.time = info.pre;
  return start;
}

Scenarios ReadScenarios(std::string_view source) {
  Scenarios result;
  const playbook::ConfigDocument document(source);
  result.findings = document.findings();
  if (result.findings.empty() && document.root() != nullptr) {
    Reader reader;
    ReadAll(*document.root(), reader, result.scenarios);
    result.findings = reader.Take();
  }
  result.has_errors =
      std::any_of(result.findings.begin(), result.findings.end(),
                  [](const Finding& finding) { return finding.level == Finding::Level::kError; });
  if (result.has_errors) result.scenarios.clear();
  std::stable_sort(result.findings.begin(), result.findings.end(),
                   [](const Finding& a, const Finding& b) {
                     return std::pair(a.line, a.column) < std::pair(b.line, b.column);
                   });
  playbook::CountCharacters(source, result.findings);
  return result;
}

std::vector<Finding> CheckAgainst(const std::vector<Scenario>& scenarios,
                                  const playbook::Playbook& playbook) {
  std::vector<std::string> names;
  for (const playbook::Contact& contact : playbook.contacts()) names.push_back(contact.name);
  std::vector<Finding> findings;
  for (const Scenario& scenario : scenarios) {
    for (const Step& step : scenario.steps) {
      const auto* outage = std::get_if<Outage>(&step.action);
      if (outage == nullptr ||
          std::find(names.begin(), names.end(), outage->contact) != names.end()) {
        continue;
      }
      findings.push_back(
          {Finding::Level::kError, outage->mark.line, outage->mark.column,
           fmt::format("scenario {}: there is no contact {}{}", scenario.name,
                       Quoted(outage->contact), playbook::DidYouMean(outage->contact, names))});
    }
  }
  return findings;
}

}  // namespace tandem::replay
