#include "router/codec/convert.h"

#include <fmt/format.h>

#include "router/base/status.h"
#include "router/playbook/parse.h"

namespace tandem::codec {

void Put(const std::vector<std::pair<std::string, std::string>>& pairs, PairFields* out) {
  for (const auto& [name, value] : pairs) {
    stored::Pair* pair = out->Add();
    pair->set_name(name);
    pair->set_value(value);
  }
}

std::vector<std::pair<std::string, std::string>> Get(const PairFields& pairs) {
  std::vector<std::pair<std::string, std::string>> out;
  out.reserve(static_cast<std::size_t>(pairs.size()));
  for (const stored::Pair& pair : pairs) out.emplace_back(pair.name(), pair.value());
  return out;
}

void Put(const core::Actor& actor, stored::Actor* out) {
  out->set_principal(actor.principal);
  out->set_side(static_cast<std::uint32_t>(actor.side));
}

core::Actor Get(const stored::Actor& actor) {
  return {actor.principal(), static_cast<Side>(actor.side())};
}

void Put(const playbook::EntitySpec& entity, stored::Entity* out) {
  out->set_kind(entity.kind);
  out->set_id(entity.id);
  out->set_display_name(entity.display_name);
  Put(entity.attributes, out->mutable_attributes());
  Put(entity.relations, out->mutable_relations());
  for (const auto& [name, calendar] : entity.calendars) {
    stored::Calendar* to = out->add_calendars();
    to->set_name(name);
    to->set_location(calendar.location);
    for (const playbook::IntervalSpec& interval : calendar.intervals) {
      stored::Interval* i = to->add_intervals();
      i->mutable_times()->Add(interval.times.begin(), interval.times.end());
      i->mutable_weekdays()->Add(interval.weekdays.begin(), interval.weekdays.end());
      i->mutable_days_of_month()->Add(interval.days_of_month.begin(), interval.days_of_month.end());
      i->mutable_months()->Add(interval.months.begin(), interval.months.end());
      i->mutable_years()->Add(interval.years.begin(), interval.years.end());
    }
    to->mutable_dates()->Add(calendar.dates.begin(), calendar.dates.end());
    for (const playbook::RecurrenceSpec& recurrence : calendar.recurring) {
      stored::Recurrence* r = to->add_recurring();
      r->set_start(recurrence.start);
      r->set_duration(recurrence.duration);
      r->set_rule(recurrence.rule);
      r->mutable_exceptions()->Add(recurrence.exceptions.begin(), recurrence.exceptions.end());
    }
    to->mutable_exceptions()->Add(calendar.exceptions.begin(), calendar.exceptions.end());
  }
  out->mutable_matchers()->Add(entity.matchers.begin(), entity.matchers.end());
  out->mutable_coordination()->Add(entity.coordination.begin(), entity.coordination.end());
}

playbook::EntitySpec Get(const stored::Entity& entity) {
  playbook::EntitySpec out{.kind = entity.kind(),
                           .id = entity.id(),
                           .display_name = entity.display_name(),
                           .attributes = Get(entity.attributes()),
                           .relations = Get(entity.relations())};
  for (const stored::Calendar& calendar : entity.calendars()) {
    playbook::CalendarSpec spec{
        .location = calendar.location(),
        .dates = {calendar.dates().begin(), calendar.dates().end()},
        .exceptions = {calendar.exceptions().begin(), calendar.exceptions().end()}};
    for (const stored::Recurrence& r : calendar.recurring()) {
      spec.recurring.push_back({.start = r.start(),
                                .duration = r.duration(),
                                .rule = r.rule(),
                                .exceptions = {r.exceptions().begin(), r.exceptions().end()}});
    }
    for (const stored::Interval& i : calendar.intervals()) {
      spec.intervals.push_back(
          {.times = {i.times().begin(), i.times().end()},
           .weekdays = {i.weekdays().begin(), i.weekdays().end()},
           .days_of_month = {i.days_of_month().begin(), i.days_of_month().end()},
           .months = {i.months().begin(), i.months().end()},
           .years = {i.years().begin(), i.years().end()}});
    }
    out.calendars.emplace_back(calendar.name(), std::move(spec));
  }
  out.matchers.assign(entity.matchers().begin(), entity.matchers().end());
  out.coordination.assign(entity.coordination().begin(), entity.coordination().end());
  return out;
}

void Put(const core::Actor& actor, v1::Actor* out) {
  out->set_principal(actor.principal);
  out->set_side(ToProto(actor.side));
}

v1::Side ToProto(Side side) { return static_cast<v1::Side>(side); }
v1::Severity ToProto(Severity severity) { return static_cast<v1::Severity>(severity); }
v1::Handling ToProto(Handling handling) { return static_cast<v1::Handling>(handling); }
v1::IncidentState ToProto(IncidentState state) { return static_cast<v1::IncidentState>(state); }

void PutTime(core::Micros micros, google::protobuf::Timestamp* out) {
  std::int64_t seconds = micros / 1'000'000;
  if (micros % 1'000'000 < 0) --seconds;  // nanos are never negative
  out->set_seconds(seconds);
  out->set_nanos(static_cast<std::int32_t>((micros - seconds * 1'000'000) * 1000));
}

absl::StatusOr<std::shared_ptr<const playbook::Playbook>> CompileStored(const std::string& source) {
  playbook::Compiled compiled = playbook::CompilePlaybook(source);
  if (compiled.playbook != nullptr) return std::move(compiled.playbook);
  const playbook::Finding* first = nullptr;
  for (const playbook::Finding& finding : compiled.findings) {
    if (first == nullptr && finding.level == playbook::Finding::Level::kError) first = &finding;
  }
  return Error(absl::StatusCode::kFailedPrecondition, "PLAYBOOK_UNREADABLE",
               fmt::format("a playbook that was live cannot be read by this release: {}:{}: {}",
                           first ? first->line : 0, first ? first->column : 0,
                           first ? first->message : "no reason given"));
}

}  // namespace tandem::codec
