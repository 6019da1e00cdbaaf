#include "router/engine/shard.h"

#include <fmt/format.h>

#include <algorithm>

#include "router/base/check.h"
#include "router/base/status.h"
#include "router/codec/projection.h"
#include "router/codec/record.h"
#include "router/core/decide.h"

namespace tandem::engine {
namespace {

// Deadlines of one tenant that one group works off, each with a record of its own: a storm of
// time-outs must not hold up those who wait for a receipt.
constexpr int kTimePassedPerGroup = 4;

absl::Status TenantNotFound() {
  return Error(absl::StatusCode::kNotFound, "TENANT_NOT_FOUND",
               "there is no such tenant among those of your credential");
}

}  // namespace

struct Shard::Work {
  Group group;
  codec::Projection projection{group.commit};
  absl::Time now;
};

absl::Status Shard::Recover(journal::Reader& reader, const journal::SnapshotStore* snapshots) {
  absl::Status folded;
  TANDEM_RETURN_IF_ERROR(
      reader.ReadRecords(core::kInstallation, Sequence(1), [&](const journal::RecordRow& row) {
        const auto input = codec::DecodeInstallation(row.body);
        if (!input.ok()) {
          folded = Annotate(input.status(),
                            fmt::format("record {} of the installation", row.sequence.value));
          return false;
        }
        core::ApplyInstallation(installation_, *input, row.sequence, absl::ToUnixMicros(row.time));
        return true;
      }));
  TANDEM_RETURN_IF_ERROR(folded);
  for (const auto& [tenant, created] : installation_.tenants) {
    TANDEM_ASSIGN_OR_RETURN(tenants_[tenant],
                            RecoverTenant(tenant, options_.key, reader, snapshots));
    TakeOver(*tenants_[tenant]);
  }
  TANDEM_ASSIGN_OR_RETURN(const auto heads, reader.ReadHeads());
  for (const journal::TenantHead& head : heads) {
    last_time_ = std::max(last_time_, head.time);
    const core::TenantState* state = FindTenant(head.tenant);
    const Sequence folded_to = head.tenant == core::kInstallation ? installation_.last_sequence
                               : state != nullptr                 ? state->last_sequence
                                                                  : Sequence();
    if (folded_to != head.sequence) {
      return Error(absl::StatusCode::kDataLoss, "HISTORY_INCOMPLETE",
                   fmt::format("the history of tenant {} ends at record {} but could be read only "
                               "to {}",
                               head.tenant.value, head.sequence.value, folded_to.value));
    }
  }
  return absl::OkStatus();
}

Shard::Group Shard::Run(std::span<Command> commands, absl::Time now) {
  last_time_ = std::max(last_time_, now);
  Work work{.now = last_time_};
  if (const auto resumed = std::exchange(resumed_, std::nullopt)) RunResumption(*resumed, work);
  RunDeadlines(work);
  work.group.answers.reserve(commands.size());
  for (Command& command : commands) {
    absl::StatusOr<Reply> reply = RunCommand(command, work);
    work.group.answers.emplace_back(std::move(command.done), std::move(reply));
  }
  work.projection.Finish();
  return std::move(work.group);
}

void Shard::RunResumption(absl::Time resumed, Work& work) {
  const absl::Duration left = resumed + options_.resolve_timeout - work.now;
  if (left <= absl::ZeroDuration()) return;
  const core::Input input = core::Resumption{left};
  for (const auto& [tenant, state] : tenants_) {
    if (resumed <= absl::FromUnixMicros(state->last_time)) continue;
    const core::Outcome outcome = core::Step(*state, input, work.now);
    if (outcome.facts.empty()) continue;
    Record(*state, input, {}, outcome.facts, work);
    TakeOver(*state);
  }
}

void Shard::RunDeadlines(Work& work) {
  std::vector<TenantId> due;
  for (const auto& [at, tenant] : deadlines_) {
    if (at > work.now) break;
    due.push_back(tenant);
  }
  const core::Input time_passed = core::TimePassed{};
  for (const TenantId& tenant : due) {
    core::TenantState& state = *tenants_.at(tenant);
    for (int i = 0; i < kTimePassedPerGroup; ++i) {
      const auto next = core::NextDeadline(state);
      if (!next || *next > work.now) break;
      const core::Outcome outcome = core::Step(state, time_passed, work.now);
      if (!outcome.facts.empty()) Record(state, time_passed, {}, outcome.facts, work);
    }
    TakeOver(state);
  }
}

bool Shard::IsRead(const Request& request) {
  return std::holds_alternative<MilestonesQuery>(request);
}

absl::StatusOr<Reply> Shard::Read(const Command& command) const {
  const core::TenantState* state = FindTenant(command.tenant);
  if (state == nullptr) return TenantNotFound();
  return Reply{.activations = state->activations,
               .context_changes = state->context_changes,
               .context_version = state->context_version};
}

absl::StatusOr<Reply> Shard::RunCommand(Command& command, Work& work) {
  if (const auto* installation = std::get_if<core::InstallationInput>(&command.request)) {
    return RunInstallation(*installation, work);
  }
  const auto found = tenants_.find(command.tenant);
  if (found == tenants_.end()) return TenantNotFound();
  core::TenantState& state = *found->second;
  if (const auto* query = std::get_if<PositionQuery>(&command.request)) {
    const auto client = state.clients.find(query->client_id);
    return Reply{.position = client == state.clients.end() ? 0 : client->second.number};
  }
  if (IsRead(command.request)) return Read(command);
  const auto* alerts = std::get_if<AlertsReceived>(&command.request);
  if (alerts != nullptr && alerts->abandoned != nullptr && alerts->abandoned->load()) {
    return Error(absl::StatusCode::kUnavailable, "STREAM_ENDED",
                 "an earlier batch of this stream was refused; send again from there");
  }

  std::string_view bytes;
  IncidentNumber incident;
  std::optional<DeliveryNumber> delivery;
  const core::Input input = std::visit(
      [&](auto& request) -> core::Input {
        using R = std::decay_t<decltype(request)>;
        if constexpr (std::is_same_v<R, AlertsReceived>) {
          bytes = request.batch.bytes();
          return core::AlertBatch{.client_id = request.client_id,
                                  .number = request.batch.number,
                                  .alerts = request.batch.items,
                                  .resolve_timeout = options_.resolve_timeout,
                                  .context_age = ContextAge(command.tenant, work.now)};
        } else if constexpr (std::is_same_v<R, PositionQuery> ||
                             std::is_same_v<R, MilestonesQuery> ||
                             std::is_same_v<R, core::InstallationInput>) {
          TANDEM_CHECK(false, "answered above");
        } else {
          if constexpr (requires { request.incident; }) incident = request.incident;
          if constexpr (requires { request.delivery; }) delivery = request.delivery;
          return std::move(request);
        }
      },
      command.request);

  core::Outcome outcome = core::Step(state, input, work.now);
  if (!outcome.refused.ok()) return outcome.refused;
  if (!outcome.facts.empty()) {
    Record(state, input, bytes, outcome.facts, work);
    TakeOver(state);
  }
  Reply reply{.sequence = outcome.facts.empty() ? Sequence() : state.last_sequence,
              .repeated = outcome.repeated};
  if (const core::Incident* after = incident ? state.FindIncident(incident) : nullptr) {
    codec::PutIncident(state.tenant, *after, state.last_sequence, &reply.incident.emplace());
  }
  if (delivery) reply.delivery_open = state.deliveries.contains(*delivery);
  return reply;
}

absl::StatusOr<Reply> Shard::RunInstallation(const core::InstallationInput& input, Work& work) {
  TANDEM_ASSIGN_OR_RETURN(auto before,
                          core::FindRepeated(installation_, input, absl::ToUnixMicros(work.now)));
  if (before != nullptr) return Reply{.repeated = true, .installed = std::move(before)};
  TANDEM_RETURN_IF_ERROR(core::DecideInstallation(installation_, input));
  const Sequence sequence = installation_.last_sequence.Next();
  core::ApplyInstallation(installation_, input, sequence, absl::ToUnixMicros(work.now));
  if (const auto* created = std::get_if<core::TenantCreated>(&input.wanted)) {
    AddTenant(created->tenant);
  }
  AddRow(core::kInstallation, sequence, codec::EncodeInstallation(input), work);
  work.group.installation_changed = true;
  return Reply{.sequence = sequence,
               .installed = std::make_shared<const core::InstallationFact>(input.wanted)};
}

void Shard::Record(core::TenantState& state, const core::Input& input, std::string_view bytes,
                   const core::Facts& facts, Work& work) {
  work.projection.AddRecord(state, facts);
  AddRow(state.tenant, state.last_sequence, codec::EncodeRecord(input, bytes, facts), work);
}

void Shard::AddRow(const TenantId& tenant, Sequence sequence, std::string body, Work& work) {
  work.group.commit.records.push_back(
      {.tenant = tenant, .sequence = sequence, .time = work.now, .body = std::move(body)});
}

void Shard::AddTenant(const TenantId& tenant) {
  auto state = std::make_unique<core::TenantState>();
  state->tenant = tenant;
  state->key = options_.key;
  state->playbook = DefaultPlaybook(tenant);
  tenants_[tenant] = std::move(state);
}

void Shard::TakeOver(const core::TenantState& state) {
  Taken& taken = taken_[state.tenant];
  const Totals part{state.alerts.size(), state.incidents.size(), state.deliveries.size()};
  totals_.alerts += part.alerts - taken.part.alerts;
  totals_.incidents += part.incidents - taken.part.incidents;
  totals_.deliveries += part.deliveries - taken.part.deliveries;
  taken.part = part;
  const auto next = core::NextDeadline(state);
  if (next == taken.deadline) return;
  if (taken.deadline) deadlines_.erase({*taken.deadline, state.tenant});
  if (next) deadlines_.insert({*next, state.tenant});
  taken.deadline = next;
}

std::optional<absl::Time> Shard::NextDeadline() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.begin()->first;
}

const core::TenantState* Shard::FindTenant(const TenantId& tenant) const {
  const auto found = tenants_.find(tenant);
  return found == tenants_.end() ? nullptr : found->second.get();
}

void Shard::ContextHeard(const TenantId& tenant, absl::Time at) { context_heard_[tenant] = at; }

core::ContextAge Shard::ContextAge(const TenantId& tenant, absl::Time now) const {
  const auto heard = context_heard_.find(tenant);
  const bool ever = heard != context_heard_.end();
  const absl::Time since = ever ? heard->second : options_.started;
  return {.age = std::max(absl::ZeroDuration(), now - since), .heard = ever};
}

}  // namespace tandem::engine
