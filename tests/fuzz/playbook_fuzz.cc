// A source either compiles, and then answers every alert the same by index and by scan, or is
// refused with findings that can be shown.
#include <algorithm>
#include <array>
#include <string_view>

#include "router/base/text.h"
#include "router/playbook/parse.h"
#include "tests/fuzz/fuzz_check.h"

using namespace tandem::playbook;

namespace {

void CheckFindings(std::string_view source, const Compiled& compiled) {
  const auto lines = static_cast<std::uint32_t>(std::count(source.begin(), source.end(), '\n')) + 1;
  bool refused = false;
  const Finding* before = nullptr;
  for (const Finding& finding : compiled.findings) {
    refused = refused || finding.level == Finding::Level::kError;
    FUZZ_CHECK(!finding.message.empty());
    FUZZ_CHECK(tandem::IsUtf8(finding.message));
    FUZZ_CHECK(!tandem::HasControlCharacters(finding.message));
    FUZZ_CHECK(finding.line <= lines);
    FUZZ_CHECK(finding.column <= source.size() + 1);
    FUZZ_CHECK(before == nullptr || before->line <= finding.line);
    before = &finding;
  }
  FUZZ_CHECK(refused == (compiled.playbook == nullptr));
}

Environment MakeEnvironment() {
  EntitySpec site;
  site.kind = "site";
  site.id = "plant-7";
  site.attributes = {{"criticality", "high"}, {"kind", "factory"}};
  CalendarSpec production;
  production.location = "America/Chicago";
  production.intervals.emplace_back().times = {"06:00-22:00"};
  site.calendars = {{"production", production}};
  Environment environment;
  FUZZ_CHECK(environment.Put(site).ok());
  return environment;
}

void CheckMatches(const Playbook& playbook) {
  static const Environment environment = MakeEnvironment();
  static constexpr std::array<LabelView, 4> kLabels = {
      {{"alertname", "Down"}, {"service", "mes"}, {"severity", "critical"}, {"site", "plant-7"}}};
  for (const std::size_t count : {std::size_t{0}, std::size_t{2}, kLabels.size()}) {
    const LabelsView labels(kLabels.data(), count);
    const Binding binding = environment.Bind(labels);
    const absl::Time now = absl::FromUnixSeconds(1780340700);
    const Match indexed = playbook.MatchRule(labels, binding, now);
    const Match scanned = playbook.MatchByScan(labels, binding, now);
    FUZZ_CHECK(indexed.rule == scanned.rule && indexed.handling == scanned.handling);
    FUZZ_CHECK(indexed.gaps == scanned.gaps && indexed.asked == scanned.asked);
    FUZZ_CHECK(playbook.Explain(labels, binding, now).back().matched);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view source(reinterpret_cast<const char*>(data), size);
  const Compiled compiled = CompilePlaybook(source);
  CheckFindings(source, compiled);
  FUZZ_CHECK(CompilePlaybook(source).findings == compiled.findings);
  if (compiled.playbook != nullptr) CheckMatches(*compiled.playbook);
  return 0;
}
