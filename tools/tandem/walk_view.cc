#include "tools/tandem/walk_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "router/base/text.h"
#include "tools/tandem/words.h"

namespace tandem::cli {
namespace {

using Json = nlohmann::ordered_json;
using replay::DiffLine;

Tint TintOfKind(DiffLine::Kind kind) {
  switch (kind) {
    case DiffLine::Kind::kMissing:
    case DiffLine::Kind::kForbidden:
      return Tint::kRed;
    case DiffLine::Kind::kUnexpected:
      return Tint::kGreen;
    case DiffLine::Kind::kNearest:
      return Tint::kYellow;
    case DiffLine::Kind::kOccurred:
    case DiffLine::Kind::kLeftOut:
      return Tint::kDim;
  }
  return Tint::kPlain;
}

std::size_t Green(std::span<const WalkResult> results) {
  return static_cast<std::size_t>(
      std::count_if(results.begin(), results.end(),
                    [](const WalkResult& result) { return result.verdict.green(); }));
}

std::string Xml(std::string_view text) {
  std::string out;
  for (const char c : Printable(text)) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string CountText(const replay::Coverage::Count& count, std::string_view what) {
  return fmt::format("{} of {} {}", count.touched, count.all, what);
}

Json CountJson(const replay::Coverage::Count& count) {
  return {{"touched", count.touched}, {"all", count.all}};
}

}  // namespace

std::string StoryText(const replay::Scenario& scenario, const replay::Story& story,
                      const Look& look) {
  std::string text = Painted(look, Tint::kBold, Printable(scenario.name));
  text += fmt::format(
      "  {}\n", Painted(look, Tint::kDim,
                        absl::FormatTime("%a %Y-%m-%d %H:%M", scenario.start, scenario.zone) + " " +
                            scenario.zone.name()));
  if (!scenario.about.empty()) text += Wrapped(Printable(scenario.about), 2, look.columns);
  for (const replay::StoryLine& line : story.lines) {
    const std::string full = replay::LineText(line);
    const std::size_t blank = full.find(' ');
    text += fmt::format("  {}{}\n", Painted(look, Tint::kCyan, full.substr(0, blank)),
                        Printable(full.substr(blank)));
  }
  return text + "\n";
}

std::string ResultsText(std::string_view file, std::span<const replay::Scenario> scenarios,
                        std::span<const WalkResult> results, const Look& look) {
  std::string text;
  for (std::size_t i = 0; i < scenarios.size(); ++i) {
    const replay::Verdict& verdict = results[i].verdict;
    if (verdict.green()) {
      text += fmt::format("{} {}\n", Painted(look, Tint::kGreen, "ok  "), scenarios[i].name);
      continue;
    }
    text += fmt::format("{} {}  {}\n", Painted(look, Tint::kRed, "FAIL"),
                        Painted(look, Tint::kBold, scenarios[i].name), replay::Summary(verdict));
    text += fmt::format(
        "     {}\n",
        Painted(look, Tint::kDim, fmt::format("{}:{}", Printable(file), scenarios[i].mark.line)));
    for (const DiffLine& line : replay::Diff(scenarios[i], results[i].story, verdict)) {
      text += fmt::format("     {}\n",
                          Painted(look, TintOfKind(line.kind),
                                  std::string(replay::MarkOf(line.kind)) + Printable(line.text)));
    }
  }
  const std::size_t green = Green(results);
  text += fmt::format("{}: {} green, {} red\n", Counted(results.size(), "scenario"), green,
                      results.size() - green);
  return text;
}

std::string CoverageText(const replay::Coverage& coverage, const Look& look) {
  std::string text =
      fmt::format("touched: {}, {}, {}, {}\n", CountText(coverage.rules, "rules"),
                  CountText(coverage.steps, "steps"), CountText(coverage.handlings, "handlings"),
                  CountText(coverage.calendars, "states of calendars"));
  for (const std::string& what : coverage.untouched) {
    text += fmt::format("  {} {}\n", Painted(look, Tint::kYellow, "not touched:"), Printable(what));
  }
  return text;
}

std::string ResultsJson(std::span<const replay::Scenario> scenarios,
                        std::span<const WalkResult> results, const replay::Coverage* coverage) {
  Json list = Json::array();
  for (std::size_t i = 0; i < scenarios.size(); ++i) {
    const replay::Verdict& verdict = results[i].verdict;
    Json story = Json::array();
    for (const replay::StoryLine& line : results[i].story.lines) {
      story.push_back({{"offset", replay::OffsetText(line.at)},
                       {"incident", line.incident.value},
                       {"text", line.text}});
    }
    Json difference = Json::array();
    if (!verdict.green()) {
      for (const DiffLine& line : replay::Diff(scenarios[i], results[i].story, verdict)) {
        difference.push_back(std::string(replay::MarkOf(line.kind)) + line.text);
      }
    }
    list.push_back({{"name", scenarios[i].name},
                    {"line", scenarios[i].mark.line},
                    {"start", TimeText(scenarios[i].start)},
                    {"green", verdict.green()},
                    {"summary", replay::Summary(verdict)},
                    {"difference", std::move(difference)},
                    {"story", std::move(story)}});
  }
  Json root = {{"scenarios", std::move(list)},
               {"green", Green(results)},
               {"red", results.size() - Green(results)}};
  if (coverage != nullptr) {
    root["coverage"] = {{"rules", CountJson(coverage->rules)},
                        {"steps", CountJson(coverage->steps)},
                        {"handlings", CountJson(coverage->handlings)},
                        {"calendars", CountJson(coverage->calendars)},
                        {"untouched", coverage->untouched}};
  }
  return root.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
}

std::string ResultsJUnit(std::string_view file, std::span<const replay::Scenario> scenarios,
                         std::span<const WalkResult> results) {
  const std::size_t red = results.size() - Green(results);
  std::string text = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites tests=\"{0}\" failures=\"{1}\">\n"
      "  <testsuite name=\"{2}\" tests=\"{0}\" failures=\"{1}\" errors=\"0\" skipped=\"0\">\n",
      results.size(), red, Xml(file));
  for (std::size_t i = 0; i < scenarios.size(); ++i) {
    const replay::Verdict& verdict = results[i].verdict;
    text += fmt::format("    <testcase classname=\"{0}\" name=\"{1}\" file=\"{0}\" line=\"{2}\"",
                        Xml(file), Xml(scenarios[i].name), scenarios[i].mark.line);
    if (verdict.green()) {
      text += "/>\n";
      continue;
    }
    text += fmt::format(">\n      <failure message=\"{}\">", Xml(replay::Summary(verdict)));
    for (const DiffLine& line : replay::Diff(scenarios[i], results[i].story, verdict)) {
      text += "\n" + Xml(std::string(replay::MarkOf(line.kind)) + line.text);
    }
    text += "</failure>\n    </testcase>\n";
  }
  return text + "  </testsuite>\n</testsuites>\n";
}

}  // namespace tandem::cli
