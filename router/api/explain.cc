#include "router/api/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "router/api/alerts_view.h"
#include "router/base/status.h"
#include "router/base/text.h"
#include "router/codec/convert.h"
#include "router/codec/record.h"
#include "router/engine/shard.h"
#include "router/playbook/environment.h"

namespace tandem::api {
namespace {

// The record of the decision, and the fact in it.
struct Decision {
  journal::RecordRow row;
  codec::DecodedRecord record;
  const core::IncidentOpened* opened = nullptr;  // in record.facts
  const core::AlertItem* alert = nullptr;        // in record.batch
};

absl::StatusOr<Decision> FindDecision(journal::Reader& reader, const IncidentRef& ref) {
  const absl::Status expired =
      Error(absl::StatusCode::kNotFound, "EVIDENCE_EXPIRED",
            "the record of this decision is older than what the router keeps");
  TANDEM_ASSIGN_OR_RETURN(const auto first,
                          reader.ListIncidentEvents(ref.tenant, ref.number, Sequence(), 1));
  if (first.empty()) return expired;
  TANDEM_ASSIGN_OR_RETURN(auto row, reader.ReadRecord(ref.tenant, first.front().sequence));
  if (!row) return expired;
  Decision decision{.row = *std::move(row)};
  TANDEM_ASSIGN_OR_RETURN(decision.record, codec::DecodeRecord(decision.row.body, {}));
  for (const core::Fact& fact : decision.record.facts) {
    const auto* opened = std::get_if<core::IncidentOpened>(&fact);
    if (opened != nullptr && opened->incident == ref.number) decision.opened = opened;
  }
  if (decision.opened == nullptr || decision.record.batch == nullptr) return expired;
  for (const core::AlertItem& item : decision.record.batch->items) {
    if (item.index == decision.opened->index) decision.alert = &item;
  }
  if (decision.alert == nullptr) return expired;
  return decision;
}

absl::StatusOr<std::shared_ptr<const playbook::Playbook>> FindPlaybook(
    journal::Reader& reader, const TenantId& tenant, const std::string& digest,
    const std::vector<Sequence>& activations) {
  if (auto built_in = engine::DefaultPlaybook(tenant); built_in->digest() == digest) {
    return built_in;
  }
  for (auto at = activations.rbegin(); at != activations.rend(); ++at) {
    TANDEM_ASSIGN_OR_RETURN(const auto row, reader.ReadRecord(tenant, *at));
    if (!row) continue;
    TANDEM_ASSIGN_OR_RETURN(auto record, codec::DecodeRecord(row->body, {}));
    auto& activation = std::get<core::PlaybookActivation>(record.input);
    if (activation.playbook->digest() == digest) return std::move(activation.playbook);
  }
  return Error(absl::StatusCode::kNotFound, "EVIDENCE_EXPIRED",
               "the playbook of this decision is older than what the router keeps");
}

// The environment as it was when the decision was made, folded from the changes before it.
class Replayed {
 public:
  absl::Status Build(journal::Reader& reader, const TenantId& tenant, Sequence decided,
                     const std::vector<Sequence>& changes) {
    for (const Sequence at : changes) {
      if (at >= decided) break;
      TANDEM_ASSIGN_OR_RETURN(const auto row, reader.ReadRecord(tenant, at));
      if (!row) continue;
      TANDEM_ASSIGN_OR_RETURN(const auto record, codec::DecodeRecord(row->body, {}));
      const auto& change = std::get<core::ContextChange>(record.input);
      if (change.snapshot) environment_.Clear();
      for (const auto& [kind, id] : change.removed) environment_.Remove(kind, id);
      // As in core::Apply: what does not compile leaves its old form.
      for (const auto& entity : change.put) environment_.Put(entity).IgnoreError();
    }
    return absl::OkStatus();
  }
  const playbook::Environment& environment() const { return environment_; }

 private:
  playbook::Environment environment_;
};

void PutEvidence(const TenantId& tenant, const core::Evidence& evidence, absl::Time decided,
                 v1::Explanation* out) {
  out->set_playbook_digest(evidence.playbook_digest);
  out->set_context_version(evidence.context_version);
  const std::int64_t age_us = absl::ToInt64Microseconds(evidence.context_age.age);
  out->mutable_context_age()->set_seconds(age_us / 1'000'000);
  out->mutable_context_age()->set_nanos(static_cast<std::int32_t>(age_us % 1'000'000 * 1000));
  if (!evidence.context_age.heard) {
    const absl::Time start = decided - evidence.context_age.age;
    codec::PutTime(absl::ToUnixMicros(start), out->mutable_context_unheard_since());
  }
  for (const core::EntityFact& entity : evidence.entities) {
    v1::EntityFacts* to = out->add_entities();
    to->set_name(fmt::format("tenants/{}/entities/{}/{}", tenant.value, entity.kind, entity.id));
    to->set_bound_by(entity.how == "label" ? fmt::format("label {}=\"{}\"", entity.kind, entity.id)
                                           : entity.how);
    for (const auto& [name, value] : entity.attributes) (*to->mutable_attributes())[name] = value;
  }
  for (const core::CalendarFact& calendar : evidence.calendars) {
    v1::CalendarState* to = out->add_calendars();
    to->set_calendar(calendar.calendar);
    to->set_on(calendar.on);
    to->set_local_time(calendar.local_time);
  }
  for (const std::string& gap : evidence.gaps) out->add_context_gaps(gap);
}

std::string ContextLine(const v1::Explanation& e) {
  if (e.context_version() == 0) return "Context: none is known for this tenant\n";
  if (e.has_context_unheard_since()) {
    return fmt::format(
        "Context: never heard since the router's start at {}, last known version {} from the "
        "journal\n",
        TimeText(absl::FromUnixSeconds(e.context_unheard_since().seconds())), e.context_version());
  }
  const absl::Duration age = absl::Seconds(e.context_age().seconds());
  return fmt::format("Context: version {}, heard of {} before\n", e.context_version(),
                     DurationText(age));
}

std::string Text(const v1::Explanation& e, const playbook::Playbook& playbook) {
  const v1::RuleVerdict& last = e.rules(e.rules_size() - 1);
  std::string text =
      fmt::format("Rule {} (line {}): {} leads ({}), {}\n", last.rule(), last.line(),
                  e.incident().owner_team(), ToText(static_cast<Side>(e.incident().owner_side())),
                  ToText(static_cast<Handling>(e.incident().handling())));
  text += fmt::format("Because: {}\n", e.reason());
  text += fmt::format("Playbook: {} of {}\n", playbook.digest().substr(0, 12), playbook.tenant());
  text += ContextLine(e);
  for (const v1::EntityFacts& entity : e.entities()) {
    text += fmt::format("  {} by {}\n", entity.name(), Printable(entity.bound_by()));
  }
  for (const v1::CalendarState& calendar : e.calendars()) {
    text += fmt::format("  calendar {} was {} ({})\n", calendar.calendar(),
                        calendar.on() ? "on" : "off", calendar.local_time());
  }
  for (const std::string& gap : e.context_gaps()) {
    text += fmt::format("  missing: {}\n", gap);
  }
  if (e.incident().context_gap()) {
    text +=
        "  With facts missing the handling is at least needs_input, never less than declared.\n";
  }
  if (e.rules_size() > 1) text += "Rules before it that did not match:\n";
  for (int i = 0; i + 1 < e.rules_size(); ++i) {
    text += fmt::format("  {} (line {}): {}\n", e.rules(i).rule(), e.rules(i).line(),
                        Printable(e.rules(i).failed_condition()));
  }
  if (!e.verified()) {
    text += "NOTE: re-deriving this decision gave another outcome. Please report it.\n";
  }
  return text;
}

}  // namespace

absl::StatusOr<v1::Explanation> Explain(journal::Reader& reader, const IncidentRef& ref,
                                        v1::Incident incident, const engine::Reply& milestones) {
  TANDEM_ASSIGN_OR_RETURN(const Decision decision, FindDecision(reader, ref));
  const core::Evidence& evidence = decision.opened->evidence;
  TANDEM_ASSIGN_OR_RETURN(
      const auto playbook,
      FindPlaybook(reader, ref.tenant, evidence.playbook_digest, milestones.activations));
  Replayed replayed;
  TANDEM_RETURN_IF_ERROR(
      replayed.Build(reader, ref.tenant, decision.row.sequence, milestones.context_changes));

  const playbook::Binding binding = replayed.environment().Bind(decision.alert->labels);
  const auto verdicts = playbook->Explain(decision.alert->labels, binding, decision.row.time);
  const playbook::Match match =
      playbook->MatchByScan(decision.alert->labels, binding, decision.row.time);

  v1::Explanation out;
  *out.mutable_incident() = std::move(incident);
  out.set_sequence(decision.row.sequence.value);
  codec::PutTime(absl::ToUnixMicros(decision.row.time), out.mutable_time());
  PutAlert(*decision.alert, out.mutable_alert());
  PutEvidence(ref.tenant, evidence, decision.row.time, &out);
  for (const playbook::Verdict& verdict : verdicts) {
    const playbook::Rule& rule = playbook->rules()[verdict.rule];
    v1::RuleVerdict* to = out.add_rules();
    to->set_rule(rule.name);
    to->set_line(rule.line);
    to->set_matched(verdict.matched);
    to->set_failed_condition(verdict.failed);
  }
  out.set_reason(playbook->rules()[evidence.rule].reason);
  out.set_verified(match.rule == evidence.rule && match.handling == decision.opened->handling &&
                   match.context_gap == decision.opened->context_gap && !verdicts.empty() &&
                   verdicts.back().matched && verdicts.back().rule == evidence.rule);
  if (out.rules_size() > 0) out.set_text(Text(out, *playbook));
  return out;
}

}  // namespace tandem::api
