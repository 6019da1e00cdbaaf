// Deletes what the retention no longer keeps; the rest of the writer stands in sqlite_writer.cc.
//
// Runs on the writer's connection and thread, a bounded transaction at a time.
#include <fmt/format.h>

#include <algorithm>

#include "router/base/status.h"
#include "router/journal/sqlite_schema.h"
#include "router/journal/sqlite_writer.h"

namespace tandem::journal::sqlite {
namespace {

// 256 records × 20 KiB ≈ 5 MiB a transaction: neither the log nor the cache grows with what is
// pruned.
constexpr std::uint64_t kPruneRecords = 256;

}  // namespace

absl::Status Writer::PreparePruning() {
  if (pruning_ != nullptr) return absl::OkStatus();
  absl::Status status;
  const auto prepare = [&](const char* sql) {
    absl::StatusOr<Statement> statement = connection_.Prepare(sql);
    status.Update(statement.status());
    return statement.ok() ? *std::move(statement) : Statement();
  };
  auto made = std::make_unique<PruneStatements>(PruneStatements{
      .oldest = prepare("SELECT min(id) FROM records WHERE id BETWEEN ?1 AND ?2"),
      .delete_records = prepare("DELETE FROM records WHERE id BETWEEN ?1 AND ?2"),
      .delete_events = prepare("DELETE FROM events WHERE record BETWEEN ?1 AND ?2"),
      .pruned_around = prepare("SELECT min(first), max(last) FROM pruned "
                               "WHERE first BETWEEN ?1 AND ?2 AND last >= ?3"),
      .delete_pruned = prepare("DELETE FROM pruned WHERE first BETWEEN ?1 AND ?2"),
      .pruned = prepare("INSERT INTO pruned(first, last, seal) VALUES(?1, ?2, ?3)"),
      .delete_event_runs = prepare(
          "DELETE FROM event_runs WHERE incident IN (SELECT id FROM incidents "
          "INDEXED BY incidents_by_update WHERE tenant = ?1 AND state = ?2 AND updated_us < ?3 "
          "ORDER BY updated_us, id LIMIT ?4)"),
      .delete_incidents = prepare(
          "DELETE FROM incidents WHERE id IN (SELECT id FROM incidents "
          "INDEXED BY incidents_by_update WHERE tenant = ?1 AND state = ?2 AND updated_us < ?3 "
          "ORDER BY updated_us, id LIMIT ?4)"),
  });
  if (status.ok()) pruning_ = std::move(made);
  return status;
}

absl::Status Writer::Prune(const Cut& cut, CutCounts* counts) {
  const auto at = tenants_.find(cut.tenant.value);
  if (at == tenants_.end()) return absl::OkStatus();
  TANDEM_RETURN_IF_ERROR(PreparePruning());
  const std::int64_t tenant = at->second.id;
  const Sequence head = at->second.head.sequence;
  const Sequence through(std::min(cut.through.value, std::max<std::uint64_t>(head.value, 1) - 1));
  absl::Status status;
  for (Sequence next = cut.first; status.ok() && next <= through;) {
    TANDEM_ASSIGN_OR_RETURN(next, OldestRecord(tenant, next));
    if (next > through) break;
    const Sequence last(std::min(next.value + kPruneRecords - 1, through.value));
    status = PruneSome(cut, tenant, {next, last}, counts);
    next = last.Next();
  }
  if (status.ok()) status = PruneIncidents(cut, tenant, counts);
  return status.ok() ? status : Undo(status);
}

// The oldest record that is there, from `from` on; behind every record when there is none.
absl::StatusOr<Sequence> Writer::OldestRecord(std::int64_t tenant, Sequence from) {
  Statement& oldest = pruning_->oldest;
  const ResetAtEnd reset(oldest);
  TANDEM_ASSIGN_OR_RETURN(
      const bool found, oldest.Bind(1, RowKey(tenant, from.value)).Bind(2, LastKey(tenant)).Step());
  const std::int64_t key = found ? oldest.Integer(0) : 0;  // min() of nothing is null, read as 0
  return key == 0 ? Sequence(static_cast<std::uint64_t>(kNumberMax)) : Sequence(NumberOf(key));
}

// One transaction: what is not kept of the window.
absl::Status Writer::PruneSome(const Cut& cut, std::int64_t tenant, const PrunedRange& window,
                               CutCounts* counts) {
  TANDEM_RETURN_IF_ERROR(statements_->begin.Run());
  std::uint64_t records = 0;
  Sequence next = window.first;
  auto kept = std::ranges::lower_bound(cut.keep, window.first);
  while (next <= window.last) {
    const bool ends_at_kept = kept != cut.keep.end() && *kept <= window.last;
    const Sequence behind = ends_at_kept ? *kept : window.last.Next();
    if (next < behind) {
      TANDEM_ASSIGN_OR_RETURN(const std::uint64_t deleted,
                              DeleteRun(cut.tenant, tenant, {next, Sequence(behind.value - 1)}));
      records += deleted;
    }
    next = behind.Next();
    if (ends_at_kept) ++kept;
  }
  TANDEM_RETURN_IF_ERROR(statements_->commit.Run());
  counts->records += records;
  return absl::OkStatus();
}

absl::StatusOr<std::uint64_t> Writer::DeleteRun(const TenantId& id, std::int64_t tenant,
                                                const PrunedRange& run) {
  const std::int64_t first = RowKey(tenant, run.first.value);
  const std::int64_t last = RowKey(tenant, run.last.value);
  TANDEM_RETURN_IF_ERROR(pruning_->delete_records.Bind(1, first).Bind(2, last).Run());
  const auto deleted = static_cast<std::uint64_t>(sqlite3_changes64(connection_.handle()));
  if (deleted == 0) return deleted;
  TANDEM_RETURN_IF_ERROR(pruning_->delete_events.Bind(1, first).Bind(2, last).Run());
  TANDEM_RETURN_IF_ERROR(NotePruned(id, tenant, run));
  return deleted;
}

// Neighbours and what lies within become one range.
absl::Status Writer::NotePruned(const TenantId& id, std::int64_t tenant, PrunedRange range) {
  {
    Statement& around = pruning_->pruned_around;
    const ResetAtEnd reset(around);
    TANDEM_ASSIGN_OR_RETURN(const bool found, around.Bind(1, FirstKey(tenant))
                                                  .Bind(2, RowKey(tenant, range.last.value + 1))
                                                  .Bind(3, RowKey(tenant, range.first.value - 1))
                                                  .Step());
    if (found && around.Integer(0) != 0) {
      range.first = std::min(range.first, Sequence(NumberOf(around.Integer(0))));
      range.last = std::max(range.last, Sequence(NumberOf(around.Integer(1))));
    }
  }
  const std::int64_t first = RowKey(tenant, range.first.value);
  const std::int64_t last = RowKey(tenant, range.last.value);
  TANDEM_RETURN_IF_ERROR(pruning_->delete_pruned.Bind(1, first).Bind(2, last).Run());
  return pruning_->pruned.Bind(1, first).Bind(2, last).Bind(3, SealOf(id, range)).Run();
}

absl::Status Writer::PruneIncidents(const Cut& cut, std::int64_t tenant, CutCounts* counts) {
  if (cut.resolved_before == absl::InfinitePast()) return absl::OkStatus();
  const auto run = [&](Statement& statement) {
    return statement.Bind(1, tenant)
        .Bind(2, static_cast<std::int64_t>(IncidentState::kResolved))
        .Bind(3, absl::ToUnixMicros(cut.resolved_before))
        .Bind(4, kCutIncidentsMax)
        .Run();
  };
  TANDEM_RETURN_IF_ERROR(statements_->begin.Run());
  TANDEM_RETURN_IF_ERROR(run(pruning_->delete_event_runs));
  TANDEM_RETURN_IF_ERROR(run(pruning_->delete_incidents));
  const auto deleted = static_cast<std::uint64_t>(sqlite3_changes64(connection_.handle()));
  TANDEM_RETURN_IF_ERROR(statements_->commit.Run());
  counts->incidents += deleted;
  noted_runs_.clear();
  return absl::OkStatus();
}

}  // namespace tandem::journal::sqlite
