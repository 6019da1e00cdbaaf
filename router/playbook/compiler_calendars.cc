// The calendars of a playbook: their form, and which of them name which.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "router/base/status.h"
#include "router/playbook/compiler.h"

namespace tandem::playbook {
namespace {

constexpr std::size_t kTextMaxBytes = 1024;

}  // namespace

std::vector<std::string> Compiler::ReadTexts(const ConfigNode& map, std::string_view key,
                                             std::size_t max, bool& readable) {
  std::vector<std::string> texts;
  const ConfigNode* list = map.Find(key);
  if (list == nullptr) return texts;
  readable = readable && list->kind == ConfigNode::Kind::kList && !list->children.empty() &&
             list->children.size() <= max;
  if (list->kind == ConfigNode::Kind::kList && list->children.empty()) {
    reader_.Error(*list, "an empty list would never hold; leave it out, or say when");
  }
  for (const ConfigNode* entry : reader_.List(*list, max)) {
    texts.push_back(reader_.Text(*entry, kTextMaxBytes).value_or(""));
    readable = readable && !texts.back().empty();
  }
  return texts;
}

IntervalSpec Compiler::ReadInterval(const ConfigNode& node, bool& readable) {
  readable = reader_.IsMap(node) && readable;
  reader_.OnlyKeys(node, {"times", "weekdays", "days_of_month", "months", "years"});
  const auto read = [&](std::string_view key) {
    return ReadTexts(node, key, kCalendarEntriesMax, readable);
  };
  return {.times = read("times"),
          .weekdays = read("weekdays"),
          .days_of_month = read("days_of_month"),
          .months = read("months"),
          .years = read("years")};
}

RecurrenceSpec Compiler::ReadRecurrence(const ConfigNode& node, bool& readable) {
  if (!reader_.IsMap(node)) {
    readable = false;
    return {};
  }
  reader_.OnlyKeys(node, {"start", "duration", "rule", "exceptions"});
  const auto read = [&](const ConfigNode* value) -> std::string {
    const auto text = value == nullptr ? std::nullopt : reader_.Text(*value, kTextMaxBytes);
    readable = readable && text.has_value();
    return text.value_or("");
  };
  RecurrenceSpec spec;
  spec.start = read(reader_.Required(node, "start", "the first one, such as 2026-01-13 22:00"));
  spec.duration = read(reader_.Required(node, "duration", "how long each one is, such as 4h"));
  if (const ConfigNode* rule = node.Find("rule")) spec.rule = read(rule);
  spec.exceptions = ReadTexts(node, "exceptions", kCalendarExceptionsMax, readable);
  return spec;
}

void Compiler::ReadCalendar(CalendarDraft& draft) {
  const ConfigNode& node = *draft.node;
  draft.readable = reader_.IsMap(node);
  if (!draft.readable) return;
  reader_.OnlyKeys(
      node, {"location", "intervals", "dates", "recurring", "exceptions", "any_of", "except"});
  CalendarSpec& spec = draft.spec;
  if (const ConfigNode* location = node.Find("location")) {
    spec.location = reader_.Text(*location, kTextMaxBytes).value_or("");
  }
  const auto items = [&](std::string_view key, std::size_t max) -> std::vector<ConfigNode*> {
    const ConfigNode* list = node.Find(key);
    if (list == nullptr) return {};
    draft.readable = draft.readable && list->kind == ConfigNode::Kind::kList &&
                     !list->children.empty() && list->children.size() <= max;
    if (list->kind == ConfigNode::Kind::kList && list->children.empty()) {
      reader_.Error(*list, "an empty list would never hold; leave it out, or say when");
    }
    return reader_.List(*list, max);
  };
  for (const ConfigNode* item : items("intervals", kCalendarIntervalsMax)) {
    spec.intervals.push_back(ReadInterval(*item, draft.readable));
  }
  for (const ConfigNode* item : items("recurring", kCalendarRecurringMax)) {
    spec.recurring.push_back(ReadRecurrence(*item, draft.readable));
  }
  spec.dates = ReadTexts(node, "dates", kCalendarDatesMax, draft.readable);
  spec.exceptions = ReadTexts(node, "exceptions", kCalendarExceptionsMax, draft.readable);
}

void Compiler::ResolveCalendars(CalendarDraft& draft) {
  if (draft.node->kind != ConfigNode::Kind::kMap) return;
  const auto resolve = [&](std::string_view key, std::vector<std::string>& names) {
    std::vector<std::uint32_t> indices;
    const ConfigNode* list = draft.node->Find(key);
    if (list == nullptr) return indices;
    indices = calendars_.ResolveList(*list, kCalendarOthersMax, reader_);
    if (list->kind == ConfigNode::Kind::kList && list->children.empty()) {
      reader_.Error(*list, "an empty list of calendars; leave it out, or name one");
    }
    draft.readable = draft.readable && !indices.empty() && indices.size() == list->children.size();
    for (const std::uint32_t index : indices) names.push_back(calendars_.names()[index]);
    return indices;
  };
  draft.any_of = resolve("any_of", draft.spec.any_of);
  draft.except = resolve("except", draft.spec.except);
  for (std::size_t i = 0; i < draft.except.size(); ++i) {
    if (std::find(draft.any_of.begin(), draft.any_of.end(), draft.except[i]) ==
        draft.any_of.end()) {
      continue;
    }
    const ConfigNode* list = draft.node->Find("except");
    reader_.Error(i < list->children.size() ? *list->children[i] : *list,
                  fmt::format("{} is in any_of too, where it would never count",
                              Quoted(calendars_.names()[draft.except[i]])));
    draft.readable = false;
  }
}

void Compiler::RefuseCircle(const std::vector<CalendarDraft>& drafts,
                            const std::vector<std::uint32_t>& path, std::uint32_t again) {
  const auto begin = std::find(path.begin(), path.end(), again);
  std::string circle;
  const ConfigNode* closing = nullptr;
  for (auto at = begin; at != path.end(); ++at) {
    const std::uint32_t named = at + 1 == path.end() ? again : *(at + 1);
    const CalendarDraft& draft = drafts[*at];
    const bool any =
        std::find(draft.any_of.begin(), draft.any_of.end(), named) != draft.any_of.end();
    const std::string& name = calendars_.names()[named];
    for (const ConfigNode* item : draft.node->Find(any ? "any_of" : "except")->children) {
      if (item->text == name) closing = item;
    }
    circle += fmt::format("{}{} names {} ({}:{})", circle.empty() ? "" : ", ",
                          calendars_.names()[*at], name, closing->mark.line, closing->mark.column);
  }
  reader_.Error(*closing,
                fmt::format("calendars name each other in a circle: {}; take one of these "
                            "names out",
                            circle));
}

void Compiler::FinishCalendar(std::vector<CalendarDraft>& drafts,
                              std::vector<std::uint32_t>& path) {
  CalendarDraft& draft = drafts[path.back()];
  draft.state = CalendarDraft::State::kOpen;
  Calendar::Others others;
  const auto finish = [&](const std::vector<std::uint32_t>& names,
                          std::vector<std::shared_ptr<const Calendar>>& to) {
    for (const std::uint32_t name : names) {
      if (drafts[name].state == CalendarDraft::State::kOpen) {
        RefuseCircle(drafts, path, name);
      } else if (drafts[name].state == CalendarDraft::State::kWaiting) {
        path.push_back(name);
        FinishCalendar(drafts, path);
        path.pop_back();
      }
      to.push_back(drafts[name].calendar);
      draft.readable = draft.readable && to.back() != nullptr;
    }
  };
  finish(draft.any_of, others.any_of);
  finish(draft.except, others.except);
  draft.state = CalendarDraft::State::kDone;
  if (!draft.readable) return;
  auto calendar = Calendar::Compile(draft.spec, others);
  if (calendar.ok()) {
    for (const FieldError& warning : calendar->warnings()) {
      reader_.Warning(Deepest(*draft.node, warning.field), warning.description);
    }
    draft.calendar = std::make_shared<const Calendar>(*std::move(calendar));
    return;
  }
  for (const FieldError& field : FieldsOf(calendar.status())) {
    reader_.Error(Deepest(*draft.node, field.field), field.description);
  }
}

void Compiler::CompileCalendars() {
  std::vector<CalendarDraft> drafts;
  for (const ConfigNode* node : Section("calendars")) {
    reader_.IsName(*node, node->key);
    calendars_.Add(node->key, static_cast<std::uint32_t>(drafts.size()));
    drafts.emplace_back().node = node;
  }
  for (CalendarDraft& draft : drafts) {
    ReadCalendar(draft);
    ResolveCalendars(draft);
  }
  for (std::uint32_t i = 0; i < drafts.size(); ++i) {
    if (drafts[i].state != CalendarDraft::State::kWaiting) continue;
    std::vector<std::uint32_t> path = {i};
    FinishCalendar(drafts, path);
  }
  for (const CalendarDraft& draft : drafts) {
    if (draft.calendar != nullptr) {
      playbook_->calendars_.emplace_back(draft.node->key, *draft.calendar);
    }
  }
  std::sort(playbook_->calendars_.begin(), playbook_->calendars_.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
}

}  // namespace tandem::playbook
