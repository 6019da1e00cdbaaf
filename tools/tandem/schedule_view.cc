#include "tools/tandem/schedule_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "router/base/text.h"
#include "tools/tandem/age.h"
#include "tools/tandem/table.h"

namespace tandem::cli {
namespace {

using Json = nlohmann::ordered_json;
using playbook::OnDuty;
using playbook::Playbook;
using playbook::Schedule;

std::string LocalText(const Schedule& schedule, absl::Time time) {
  if (time == absl::InfiniteFuture()) return "open end";
  return absl::FormatTime("%a %Y-%m-%d %H:%M %Z", time, schedule.zone());
}

// "eva (Eva Huber)".
std::string PersonText(const playbook::Person& person) {
  return person.display_name.empty() ? person.name
                                     : fmt::format("{} ({})", person.name, person.display_name);
}

std::string SpanOf(absl::Time start, absl::Time end) {
  return end == absl::InfiniteFuture() ? "" : SpanText(end - start);
}

void PutDuty(const Playbook& playbook, const Schedule& schedule, const OnDuty& duty, Json& json) {
  const playbook::Person& person = playbook.people()[duty.person];
  json["person"] = person.name;
  json["personName"] = person.display_name;
  json["contact"] = playbook.contacts()[person.contacts.front()].name;
  if (duty.by == OnDuty::By::kLayer) {
    json["layer"] = schedule.spec().layers[duty.index].name;
  } else {
    json["override"] = duty.index + 1;
    json["reason"] = schedule.spec().overrides[duty.index].reason;
  }
}

Json HeadOf(const Playbook& playbook, const Schedule& schedule) {
  const playbook::Team& team = playbook.teams()[schedule.spec().team];
  return {{"schedule", schedule.name()},
          {"team", team.name},
          {"side", std::string(ToText(team.side))},
          {"timeZone", schedule.spec().time_zone}};
}

std::string Dumped(const Json& json) {
  return json.dump(2, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace) + "\n";
}

// A shift, or a gap when there is no duty.
struct Span {
  absl::Time start, end;
  std::optional<OnDuty> duty;
};

std::vector<Span> SpansOf(const Schedule& schedule, playbook::TimeRange range) {
  std::vector<Span> spans;
  for (const playbook::Shift& shift : schedule.Shifts(range)) {
    spans.push_back({shift.start, shift.end, shift.duty});
  }
  for (const playbook::TimeRange& gap : schedule.Gaps(range)) {
    spans.push_back({gap.from, gap.to, std::nullopt});
  }
  std::sort(spans.begin(), spans.end(),
            [](const Span& a, const Span& b) { return a.start < b.start; });
  return spans;
}

// Who is on call at `at`; without a duty, until somebody is.
Span SpanAt(const Schedule& schedule, absl::Time at) {
  if (const auto shift = schedule.ShiftAt(at)) return {shift->start, shift->end, shift->duty};
  return {at, schedule.NextChange(at).value_or(absl::InfiniteFuture()), std::nullopt};
}

}  // namespace

std::string ShiftsText(const Playbook& playbook, const Schedule& schedule,
                       playbook::TimeRange range, const Look& look) {
  const playbook::Team& team = playbook.teams()[schedule.spec().team];
  std::string text = fmt::format(
      "{}: team {} ({}), {}\n\n", Painted(look, Tint::kBold, Printable(schedule.name())),
      Printable(team.name), SideText(team.side), Printable(schedule.spec().time_zone));
  Table table({{"FROM"}, {"TO"}, {"FOR", true}, {"WHO"}, {"BY", false, true}});
  absl::Duration uncovered;
  std::size_t gaps = 0;
  for (const Span& span : SpansOf(schedule, range)) {
    const std::string from = LocalText(schedule, span.start), to = LocalText(schedule, span.end);
    const std::string length = SpanOf(span.start, span.end);
    if (span.duty) {
      table.Row({{from},
                 {to},
                 {length},
                 {PersonText(playbook.people()[span.duty->person])},
                 {schedule.SourceText(*span.duty)}});
    } else {
      table.Row({{from}, {to}, {length}, {"nobody", Tint::kRed}, {""}});
      uncovered += span.end - span.start;
      ++gaps;
    }
  }
  text += table.Text(look);
  if (gaps == 0) return text + "\nSomebody is on call all the time.\n";
  return text + fmt::format("\nNobody is on call in {} {}, {} in all.\n", gaps,
                            gaps == 1 ? "gap" : "gaps", SpanText(uncovered));
}

std::string ShiftsJson(const Playbook& playbook, const Schedule& schedule,
                       playbook::TimeRange range) {
  Json json = HeadOf(playbook, schedule);
  json["from"] = TimeText(range.from);
  json["to"] = TimeText(range.to);
  Json shifts = Json::array(), gaps = Json::array();
  for (const Span& span : SpansOf(schedule, range)) {
    Json entry = {{"start", TimeText(span.start)}, {"end", TimeText(span.end)}};
    if (span.duty) PutDuty(playbook, schedule, *span.duty, entry);
    (span.duty ? shifts : gaps).push_back(std::move(entry));
  }
  json["shifts"] = std::move(shifts);
  json["gaps"] = std::move(gaps);
  return Dumped(json);
}

std::string OnCallText(const Playbook& playbook, absl::Time at, const Look& look) {
  if (playbook.schedules().empty()) return "The playbook has no schedules.\n";
  Table table({{"SCHEDULE"}, {"TEAM"}, {"WHO"}, {"TOLD BY"}, {"UNTIL"}, {"BY", false, true}});
  for (const Schedule& schedule : playbook.schedules()) {
    const Span span = SpanAt(schedule, at);
    const std::string& team = playbook.teams()[schedule.spec().team].name;
    const std::string until = LocalText(schedule, span.end);
    if (span.duty) {
      const playbook::Person& person = playbook.people()[span.duty->person];
      table.Row({{schedule.name()},
                 {team},
                 {PersonText(person)},
                 {playbook.contacts()[person.contacts.front()].name},
                 {until},
                 {schedule.SourceText(*span.duty)}});
    } else {
      table.Row({{schedule.name()}, {team}, {"nobody", Tint::kRed}, {""}, {until}, {""}});
    }
  }
  return table.Text(look);
}

std::string OnCallJson(const Playbook& playbook, absl::Time at) {
  Json list = Json::array();
  for (const Schedule& schedule : playbook.schedules()) {
    const Span span = SpanAt(schedule, at);
    Json entry = HeadOf(playbook, schedule);
    if (span.duty) {
      PutDuty(playbook, schedule, *span.duty, entry);
      entry["since"] = TimeText(span.start);
    }
    if (span.end != absl::InfiniteFuture()) entry["until"] = TimeText(span.end);
    list.push_back(std::move(entry));
  }
  return Dumped({{"at", TimeText(at)}, {"schedules", std::move(list)}});
}

}  // namespace tandem::cli
