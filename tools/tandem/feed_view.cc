#include "tools/tandem/feed_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "router/base/text.h"
#include "tools/tandem/age.h"
#include "tools/tandem/incident_view.h"

namespace tandem::cli {
namespace {

constexpr std::size_t kSmallestTitle = 16;

std::string Padded(std::string text, std::size_t width) {
  const std::size_t points = CodePoints(text);
  if (points < width) text.append(width - points, ' ');
  return text;
}

bool IsDelivery(const v1::TimelineEntry& entry) { return entry.kind().starts_with("DELIVERY_"); }

std::string Sentence(const v1::TimelineEntry& entry) {
  std::string text = entry.text().empty() ? entry.kind() : entry.text();
  if (!entry.comment().empty()) text += fmt::format(" “{}”", entry.comment());
  return text;
}

}  // namespace

std::string WhatHappened(const v1::FeedEvent& event) {
  std::string text;
  const bool only_deliveries =
      std::all_of(event.entries().begin(), event.entries().end(), IsDelivery);
  for (const v1::TimelineEntry& entry : event.entries()) {
    if (IsDelivery(entry) && !only_deliveries) continue;
    text += (text.empty() ? "" : "; ") + Sentence(entry);
  }
  return text;
}

std::string FeedLine(const v1::FeedEvent& event, const Look& look) {
  const v1::Incident& incident = event.incident();
  const Severity severity = ToSeverity(incident.severity());
  const IncidentState state = ToState(incident.state());
  const std::string time = ClockText(look, ToTime(event.time()));
  const std::string name = Padded(Printable(ShortName(incident.name())), 10);
  const std::string how_bad = Padded(SeverityText(severity), 10);
  const std::string how_far = Padded(StateText(state), 12);
  const std::string owner = fmt::format("{}/{}", SideText(ToSide(incident.owner_side())),
                                        Printable(incident.owner_team()));
  std::string title = Printable(incident.title());
  std::string what = Printable(WhatHappened(event));
  if (look.columns > 0) {
    std::size_t used = 0;
    for (const std::string* part : {&time, &name, &how_bad, &how_far, &owner}) {
      used += CodePoints(*part) + 2;
    }
    // The rest is shared by what happened and the title, which shrinks first.
    const std::size_t rest = look.columns > used ? look.columns - used : 0;
    const std::size_t for_what = CodePoints(what) + 2;
    title = Cut(title, std::max(kSmallestTitle, rest > for_what ? rest - for_what : 0));
  }
  std::string line = fmt::format("{}  {}  {}  {}  {}  {}", Painted(look, Tint::kDim, time), name,
                                 Painted(look, TintOf(severity), how_bad),
                                 Painted(look, TintOf(state), how_far), owner, title);
  if (!what.empty()) line += "  " + Painted(look, Tint::kDim, what);
  return line + "\n";
}

}  // namespace tandem::cli
