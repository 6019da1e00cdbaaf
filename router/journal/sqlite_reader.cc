#include "router/journal/sqlite_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

#include "router/base/check.h"
#include "router/base/status.h"
#include "router/base/text.h"
#include "router/journal/errors.h"
#include "router/journal/sqlite_schema.h"

namespace tandem::journal::sqlite {
namespace {

// Columns: id, time_us, previous, hash, body.
absl::StatusOr<RecordRow> RecordOf(const TenantId& tenant, const Statement& row) {
  RecordRow record;
  record.tenant = tenant;
  record.sequence = Sequence(NumberOf(row.Integer(0)));
  record.time = absl::FromUnixMicros(row.Integer(1));
  if (row.Bytes(2).size() != record.previous.size() || row.Bytes(3).size() != record.hash.size()) {
    return DamagedRecord(tenant, record.sequence, "a hash of it has not 32 bytes");
  }
  std::ranges::copy(row.Bytes(2), record.previous.begin());
  std::ranges::copy(row.Bytes(3), record.hash.begin());
  record.body = row.Bytes(4);
  if (ChainHash(record.previous, tenant, record.sequence, record.time, record.body) !=
      record.hash) {
    return DamagedRecord(tenant, record.sequence, "its bytes do not fit its hash");
  }
  return record;
}

// Columns: id, updated_us, state, severity, owner_side, owner_team, rule, seal, body.
absl::StatusOr<IncidentRow> IncidentOf(const TenantId& tenant, const Statement& row) {
  IncidentRow incident{.tenant = tenant,
                       .number = IncidentNumber(NumberOf(row.Integer(0))),
                       .state = static_cast<IncidentState>(row.Integer(2)),
                       .severity = static_cast<Severity>(row.Integer(3)),
                       .owner_side = static_cast<Side>(row.Integer(4)),
                       .owner_team = std::string(row.Bytes(5)),
                       .rule = std::string(row.Bytes(6)),
                       .updated = absl::FromUnixMicros(row.Integer(1)),
                       .body = std::string(row.Bytes(8))};
  if (SealOf(incident) != row.Integer(7)) {
    return DamagedRow(
        fmt::format("incident {} of tenant {}", incident.number.value, Printable(tenant.value)));
  }
  return incident;
}

// Columns: record, incident, seal, body.
absl::StatusOr<EventRow> EventOf(const TenantId& tenant, const Statement& row) {
  EventRow event{.tenant = tenant,
                 .sequence = Sequence(NumberOf(row.Integer(0))),
                 .incident = IncidentNumber(NumberOf(row.Integer(1))),
                 .body = std::string(row.Bytes(3))};
  if (SealOf(event) != row.Integer(2)) {
    return DamagedRow(fmt::format("the event of incident {} in record {} of tenant {}",
                                  event.incident.value, event.sequence.value,
                                  Printable(tenant.value)));
  }
  return event;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Reader>> SqliteReader::Open(const std::string& path) {
  TANDEM_ASSIGN_OR_RETURN(Connection connection, Connection::Open(path, Access::kRead));
  TANDEM_RETURN_IF_ERROR(SetUpReader(connection));
  std::unique_ptr<SqliteReader> reader(new SqliteReader(std::move(connection)));
  TANDEM_RETURN_IF_ERROR(reader->PrepareStatements());
  return reader;
}

absl::Status SqliteReader::PrepareStatements() {
  absl::Status status;
  const auto prepare = [&](const char* sql) {
    absl::StatusOr<Statement> statement = connection_.Prepare(sql);
    status.Update(statement.status());
    return statement.ok() ? *std::move(statement) : Statement();
  };
  statements_ = std::make_unique<Statements>(Statements{
      .begin = prepare("BEGIN"),
      .end = prepare("COMMIT"),
      .tenant = prepare("SELECT id FROM tenants WHERE name = ?1"),
      .heads = prepare("SELECT records.id, time_us, previous, hash, body, name FROM tenants JOIN "
                       "records ON records.id = (SELECT max(id) FROM records WHERE id BETWEEN "
                       "tenants.id << 40 AND (tenants.id << 40) + 0xffffffffff) ORDER BY name"),
      .records = prepare("SELECT id, time_us, previous, hash, body FROM records "
                         "WHERE id BETWEEN ?1 AND ?2 ORDER BY id"),
      .pruned = {},
      .event_runs = {},
      .incident = prepare("SELECT id, updated_us, state, severity, owner_side, owner_team, rule, "
                          "seal, body FROM incidents WHERE id = ?1"),
      .incidents = prepare(
          "SELECT id, updated_us, state, severity, owner_side, owner_team, rule, seal, body "
          "FROM incidents INDEXED BY incidents_by_update "
          "WHERE tenant = ?1 AND state = ?2 AND (updated_us, id) < (?3, ?4) "
          "AND (1 << severity) & ?5 AND (1 << owner_side) & ?6 "
          "ORDER BY updated_us DESC, id DESC"),
      .event = prepare("SELECT record, incident, seal, body FROM events "
                       "WHERE record = ?1 AND incident = ?2"),
      .events = prepare("SELECT record, incident, seal, body FROM events "
                        "WHERE record > ?1 AND record <= ?2 ORDER BY record, incident"),
      .deliveries = prepare("SELECT deliveries.id, seal, body, name FROM deliveries JOIN tenants "
                            "ON tenants.id = deliveries.id >> 40 ORDER BY name, deliveries.id"),
  });
  TANDEM_RETURN_IF_ERROR(status);
  TANDEM_ASSIGN_OR_RETURN(
      const std::string has_pruned,
      connection_.Ask("SELECT count(*) FROM sqlite_schema WHERE name = 'pruned'"));
  if (has_pruned != "0") {
    statements_->pruned = prepare(
        "SELECT first, last, seal FROM pruned WHERE first BETWEEN ?1 AND ?2 ORDER BY first");
    statements_->event_runs =
        prepare("SELECT run FROM event_runs WHERE incident = ?1 AND run >= ?2 ORDER BY run");
  }
  return status;
}

absl::StatusOr<std::int64_t> SqliteReader::TenantKey(const TenantId& tenant) {
  if (const auto known = tenant_keys_.find(tenant.value); known != tenant_keys_.end()) {
    return known->second;
  }
  Statement& statement = statements_->tenant;
  const ResetAtEnd reset(statement);
  TANDEM_ASSIGN_OR_RETURN(const bool found, statement.BindText(1, tenant.value).Step());
  if (!found) return 0;
  const std::int64_t key = statement.Integer(0);
  if (key <= 0 || key > kTenantMax) {
    return DamagedRow(fmt::format("the key of tenant {}", Printable(tenant.value)));
  }
  tenant_keys_.emplace(tenant.value, key);
  return key;
}

absl::Status SqliteReader::ReadRecords(const TenantId& tenant, Sequence from,
                                       absl::FunctionRef<bool(const RecordRow&)> visit) {
  TANDEM_ASSIGN_OR_RETURN(const std::int64_t key, TenantKey(tenant));
  if (key == 0 || from.value > static_cast<std::uint64_t>(kNumberMax)) return absl::OkStatus();
  Statement& records = statements_->records;
  const ResetAtEnd reset(records);
  records.Bind(1, RowKey(key, from.value)).Bind(2, LastKey(key));
  std::optional<TenantHead> before;
  for (;;) {
    TANDEM_ASSIGN_OR_RETURN(const bool found, records.Step());
    if (!found) return absl::OkStatus();
    TANDEM_ASSIGN_OR_RETURN(const RecordRow record, RecordOf(tenant, records));
    if (before && record.sequence != before->sequence.Next()) {
      const PrunedRange missing{before->sequence.Next(), Sequence(record.sequence.value - 1)};
      TANDEM_ASSIGN_OR_RETURN(const bool pruned, WasPruned(tenant, missing));
      if (!pruned) return DamagedRecord(tenant, missing.first, "it is missing");
    } else if (before && record.previous != before->hash) {
      return DamagedRecord(tenant, record.sequence, "it is not chained to the record before it");
    }
    if (!visit(record)) return absl::OkStatus();
    before = {.tenant = {}, .sequence = record.sequence, .hash = record.hash, .time = {}};
  }
}

absl::StatusOr<std::vector<PrunedRange>> SqliteReader::ReadPruned(const TenantId& tenant) {
  std::vector<PrunedRange> ranges;
  TANDEM_ASSIGN_OR_RETURN(const std::int64_t key, TenantKey(tenant));
  if (key == 0 || !statements_->pruned.is_prepared()) return ranges;
  Statement& statement = statements_->pruned;
  const ResetAtEnd reset(statement);
  statement.Bind(1, FirstKey(key)).Bind(2, LastKey(key));
  for (;;) {
    TANDEM_ASSIGN_OR_RETURN(const bool found, statement.Step());
    if (!found) return ranges;
    const PrunedRange range{Sequence(NumberOf(statement.Integer(0))),
                            Sequence(NumberOf(statement.Integer(1)))};
    if (SealOf(tenant, range) != statement.Integer(2)) {
      return DamagedRow(fmt::format("the range at record {} of tenant {}", range.first.value,
                                    Printable(tenant.value)));
    }
    ranges.push_back(range);
  }
}

absl::StatusOr<bool> SqliteReader::WasPruned(const TenantId& tenant, const PrunedRange& range) {
  TANDEM_ASSIGN_OR_RETURN(const std::vector<PrunedRange> ranges, ReadPruned(tenant));
  return std::ranges::find(ranges, range) != ranges.end();
}

absl::StatusOr<std::optional<RecordRow>> SqliteReader::ReadRecord(const TenantId& tenant,
                                                                  Sequence sequence) {
  TANDEM_ASSIGN_OR_RETURN(const std::int64_t key, TenantKey(tenant));
  if (key == 0 || sequence.value > static_cast<std::uint64_t>(kNumberMax)) return std::nullopt;
  Statement& records = statements_->records;
  const ResetAtEnd reset(records);
  const std::int64_t id = RowKey(key, sequence.value);
  TANDEM_ASSIGN_OR_RETURN(const bool found, records.Bind(1, id).Bind(2, id).Step());
  if (!found) return std::nullopt;
  TANDEM_ASSIGN_OR_RETURN(RecordRow record, RecordOf(tenant, records));
  return record;
}

absl::StatusOr<std::vector<TenantHead>> SqliteReader::ReadHeads() {
  std::vector<TenantHead> result;
  Statement& heads = statements_->heads;
  const ResetAtEnd reset(heads);
  for (;;) {
    TANDEM_ASSIGN_OR_RETURN(const bool found, heads.Step());
    if (!found) return result;
    const TenantId tenant{std::string(heads.Bytes(5))};
    TANDEM_ASSIGN_OR_RETURN(const RecordRow record, RecordOf(tenant, heads));
    result.push_back({tenant, record.sequence, record.hash, record.time});
  }
}

absl::StatusOr<std::optional<IncidentRow>> SqliteReader::ReadIncident(const TenantId& tenant,
                                                                      IncidentNumber number) {
  TANDEM_ASSIGN_OR_RETURN(const std::int64_t key, TenantKey(tenant));
  if (key == 0 || number.value > static_cast<std::uint64_t>(kNumberMax)) return std::nullopt;
  Statement& incident = statements_->incident;
  const ResetAtEnd reset(incident);
  TANDEM_ASSIGN_OR_RETURN(const bool found, incident.Bind(1, RowKey(key, number.value)).Step());
  if (!found) return std::nullopt;
  TANDEM_ASSIGN_OR_RETURN(IncidentRow row, IncidentOf(tenant, incident));
  return row;
}

// Each (tenant, state) is one stream that the index yields in order. The streams are read one after
// the other, each only as far as its rows can still be among the newest: in all hardly more rows
// than the answer has.
absl::StatusOr<std::vector<IncidentRow>> SqliteReader::ListIncidents(const IncidentQuery& query) {
  TANDEM_CHECK(!query.tenants.empty() && query.limit > 0, "an incident query has tenants");
  TANDEM_RETURN_IF_ERROR(statements_->begin.Run());
  NewestIncidents newest(query.limit);
  const IncidentFilter filter(query);
  absl::Status status;
  for (const TenantId& tenant : std::set(query.tenants.begin(), query.tenants.end())) {
    for (const IncidentState state :
         {IncidentState::kOpen, IncidentState::kAcknowledged, IncidentState::kResolved}) {
      if (status.ok()) status = AddStream(query, filter, tenant, state, newest);
    }
  }
  status.Update(statements_->end.Run());
  TANDEM_RETURN_IF_ERROR(status);
  return std::move(newest).Take();
}

absl::Status SqliteReader::AddStream(const IncidentQuery& query, const IncidentFilter& filter,
                                     const TenantId& tenant, IncidentState state,
                                     NewestIncidents& newest) {
  if (((filter.states() >> static_cast<std::uint8_t>(state)) & 1u) == 0) return absl::OkStatus();
  TANDEM_ASSIGN_OR_RETURN(const std::int64_t key, TenantKey(tenant));
  if (key == 0) return absl::OkStatus();
  // Where `after` stands in the order of this tenant: of two tenants with the same `updated` the
  // one with the smaller id comes first.
  std::int64_t updated_us = std::numeric_limits<std::int64_t>::max();
  std::int64_t id = std::numeric_limits<std::int64_t>::max();
  if (query.after) {
    updated_us = absl::ToUnixMicros(query.after->updated);
    if (tenant == query.after->tenant) {
      id = RowKey(key, query.after->number.value);
    } else if (tenant < query.after->tenant) {
      id = 0;
    }
  }
  Statement& rows = statements_->incidents;
  const ResetAtEnd reset(rows);
  rows.Bind(1, key)
      .Bind(2, static_cast<std::int64_t>(state))
      .Bind(3, updated_us)
      .Bind(4, id)
      .Bind(5, filter.severities())
      .Bind(6, filter.sides());
  for (;;) {
    TANDEM_ASSIGN_OR_RETURN(const bool found, rows.Step());
    if (!found) return absl::OkStatus();
    if (!newest.Wants({absl::FromUnixMicros(rows.Integer(1)), tenant.value,
                       IncidentNumber(NumberOf(rows.Integer(0)))})) {
      return absl::OkStatus();
    }
    if (!filter.PassesTexts(rows.Bytes(5), rows.Bytes(6))) continue;
    TANDEM_ASSIGN_OR_RETURN(IncidentRow row, IncidentOf(tenant, rows));
    newest.Add(std::move(row));
  }
}

absl::StatusOr<std::vector<EventRow>> SqliteReader::ListIncidentEvents(const TenantId& tenant,
                                                                       IncidentNumber incident,
                                                                       Sequence after,
                                                                       std::uint32_t limit) {
  std::vector<EventRow> result;
  TANDEM_ASSIGN_OR_RETURN(const std::int64_t key, TenantKey(tenant));
  if (key == 0 || std::max(incident.value, after.value) > static_cast<std::uint64_t>(kNumberMax)) {
    return result;
  }
  if (!statements_->event_runs.is_prepared()) {
    return Error(absl::StatusCode::kFailedPrecondition, "JOURNAL_OLD",
                 "journal: a database of format 1 must be brought up to date first: start the "
                 "router on it once");
  }
  const std::int64_t incident_key = RowKey(key, incident.value);
  std::int64_t next = RowKey(key, after.value) + 1;
  Statement& runs = statements_->event_runs;
  const ResetAtEnd reset(runs);
  runs.Bind(1, incident_key).Bind(2, next >> kRunBits);
  while (result.size() < limit) {
    TANDEM_ASSIGN_OR_RETURN(const bool found, runs.Step());
    if (!found) break;
    const std::int64_t run = runs.Integer(0);
    next = std::max(next, run << kRunBits);
    for (; next >> kRunBits == run && result.size() < limit; ++next) {
      Statement& event = statements_->event;
      const ResetAtEnd reset_event(event);
      TANDEM_ASSIGN_OR_RETURN(const bool is_there,
                              event.Bind(1, next).Bind(2, incident_key).Step());
      if (!is_there) continue;
      TANDEM_ASSIGN_OR_RETURN(EventRow row, EventOf(tenant, event));
      result.push_back(std::move(row));
    }
  }
  return result;
}

absl::StatusOr<std::vector<EventRow>> SqliteReader::ListEvents(const TenantId& tenant,
                                                               Sequence after,
                                                               std::uint32_t limit) {
  std::vector<EventRow> result;
  TANDEM_ASSIGN_OR_RETURN(const std::int64_t key, TenantKey(tenant));
  if (key == 0 || after.value > static_cast<std::uint64_t>(kNumberMax)) return result;
  Statement& events = statements_->events;
  const ResetAtEnd reset(events);
  events.Bind(1, RowKey(key, after.value)).Bind(2, LastKey(key));
  for (;;) {
    TANDEM_ASSIGN_OR_RETURN(const bool found, events.Step());
    if (!found) return result;
    TANDEM_ASSIGN_OR_RETURN(EventRow event, EventOf(tenant, events));
    const bool only_one_record = !result.empty() && result.front().sequence == event.sequence;
    if (!result.empty() && result.size() >= limit && !only_one_record) {
      // One event too many: its record does not fit, unless it begins here.
      while (result.back().sequence == event.sequence) result.pop_back();
      return result;
    }
    result.push_back(std::move(event));
  }
}

absl::StatusOr<std::vector<DeliveryRow>> SqliteReader::ListOpenDeliveries() {
  std::vector<DeliveryRow> result;
  Statement& deliveries = statements_->deliveries;
  const ResetAtEnd reset(deliveries);
  for (;;) {
    TANDEM_ASSIGN_OR_RETURN(const bool found, deliveries.Step());
    if (!found) return result;
    DeliveryRow row{.tenant = TenantId(std::string(deliveries.Bytes(3))),
                    .number = DeliveryNumber(NumberOf(deliveries.Integer(0))),
                    .open = true,
                    .body = std::string(deliveries.Bytes(2))};
    if (SealOf(row) != deliveries.Integer(1)) {
      return DamagedRow(
          fmt::format("delivery {} of tenant {}", row.number.value, Printable(row.tenant.value)));
    }
    result.push_back(std::move(row));
  }
}

absl::Status SqliteReader::CheckStructure() {
  TANDEM_ASSIGN_OR_RETURN(std::string answer, connection_.Ask("PRAGMA integrity_check(1)"));
  if (answer == "ok" && statements_->event_runs.is_prepared()) {
    TANDEM_ASSIGN_OR_RETURN(
        answer,
        connection_.Ask(fmt::format("SELECT coalesce(min('an event of record ' || record || "
                                    "' is in no run'), 'ok') FROM events WHERE (incident, "
                                    "record >> {}) NOT IN event_runs",
                                    kRunBits)
                            .c_str()));
  }
  if (answer == "ok") return absl::OkStatus();
  return Error(absl::StatusCode::kDataLoss, "JOURNAL_DAMAGED",
               fmt::format("journal: {}: {}. Restore the journal from a copy",
                           sqlite3_db_filename(connection_.handle(), "main"), Printable(answer)));
}

}  // namespace tandem::journal::sqlite
