#include "router/journal/sqlite_writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/journal/errors.h"
#include "router/journal/sqlite_schema.h"

namespace tandem::journal::sqlite {
namespace {

// Incidents whose last run is remembered: 100,000 × 16 bytes. Above it all are forgotten, and
// noting one again does nothing.
constexpr std::size_t kNotedRunsMax = 100'000;

std::string_view View(const Hash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

}  // namespace

absl::StatusOr<std::unique_ptr<Writer>> Writer::Open(Connection connection) {
  std::unique_ptr<Writer> writer(new Writer(std::move(connection)));
  TANDEM_RETURN_IF_ERROR(writer->PrepareStatements());
  TANDEM_RETURN_IF_ERROR(writer->LoadTenants());
  return writer;
}

absl::Status Writer::PrepareStatements() {
  absl::Status status;
  const auto prepare = [&](const char* sql) {
    absl::StatusOr<Statement> statement = connection_.Prepare(sql);
    status.Update(statement.status());
    return statement.ok() ? *std::move(statement) : Statement();
  };
  statements_ = std::make_unique<Statements>(Statements{
      .begin = prepare("BEGIN IMMEDIATE"),
      .commit = prepare("COMMIT"),
      .rollback = prepare("ROLLBACK"),
      .tenant = prepare("INSERT INTO tenants(id, name) VALUES(?1, ?2)"),
      .record = prepare("INSERT INTO records(id, time_us, previous, hash, body) "
                        "VALUES(?1, ?2, ?3, ?4, ?5)"),
      .incident = prepare(
          "INSERT INTO incidents(id, tenant, state, severity, owner_side, updated_us, seal, "
          "owner_team, rule, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) "
          "ON CONFLICT(id) DO UPDATE SET state = ?3, severity = ?4, owner_side = ?5, "
          "updated_us = ?6, seal = ?7, owner_team = ?8, rule = ?9, body = ?10"),
      .event = prepare("INSERT OR REPLACE INTO events(record, incident, seal, body) "
                       "VALUES(?1, ?2, ?3, ?4)"),
      .event_run = prepare("INSERT OR IGNORE INTO event_runs(incident, run) VALUES(?1, ?2)"),
      .delivery = prepare("INSERT INTO deliveries(id, seal, body) VALUES(?1, ?2, ?3) "
                          "ON CONFLICT(id) DO UPDATE SET seal = ?2, body = ?3"),
      .delivery_done = prepare("DELETE FROM deliveries WHERE id = ?1"),
      .head = prepare("SELECT id, time_us, previous, hash, body FROM records "
                      "WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1"),
  });
  return status;
}

absl::Status Writer::LoadTenants() {
  TANDEM_ASSIGN_OR_RETURN(Statement tenants, connection_.Prepare("SELECT id, name FROM tenants"));
  for (;;) {
    TANDEM_ASSIGN_OR_RETURN(const bool found, tenants.Step());
    if (!found) return absl::OkStatus();
    const std::string name(tenants.Bytes(1));
    Tenant& tenant = tenants_[name];
    tenant.id = tenants.Integer(0);
    tenant.stored = true;
    last_tenant_ = std::max(last_tenant_, tenant.id);
    TANDEM_RETURN_IF_ERROR(LoadHead(name, tenant));
  }
}

// What is written from now on is chained to the head, so it is checked before anything else.
absl::Status Writer::LoadHead(const std::string& name, Tenant& tenant) {
  if (tenant.id <= 0 || tenant.id > kTenantMax) {
    return DamagedRow(fmt::format("the key of tenant {}", Printable(name)));
  }
  Statement& head = statements_->head;
  const ResetAtEnd reset(head);
  TANDEM_ASSIGN_OR_RETURN(const bool found,
                          head.Bind(1, FirstKey(tenant.id)).Bind(2, LastKey(tenant.id)).Step());
  if (!found) return absl::OkStatus();
  const Sequence sequence(NumberOf(head.Integer(0)));
  Hash previous;
  if (head.Bytes(2).size() != previous.size() || head.Bytes(3).size() != previous.size()) {
    return DamagedRecord(TenantId(name), sequence, "a hash of it has not 32 bytes");
  }
  std::ranges::copy(head.Bytes(2), previous.begin());
  tenant.head = {sequence, ChainHash(previous, TenantId(name), sequence,
                                     absl::FromUnixMicros(head.Integer(1)), head.Bytes(4))};
  if (View(tenant.head.hash) != head.Bytes(3)) {
    return DamagedRecord(TenantId(name), sequence, "its bytes do not fit its hash");
  }
  return absl::OkStatus();
}

Writer::Tenant& Writer::Touch(const TenantId& id) {
  const auto [at, is_new] = tenants_.try_emplace(id.value);
  Tenant& tenant = at->second;
  if (is_new) tenant.id = ++last_tenant_;
  if (!tenant.touched) {
    tenant.touched = true;
    tenant.next = tenant.head;
    touched_.push_back(&*at);
  }
  return tenant;
}

// Hashing comes before BEGIN: the transaction holds the writer's lock as short as it can.
absl::Status Writer::Chain(const std::vector<RecordRow>& records) {
  links_.clear();
  for (const RecordRow& row : records) {
    Tenant& tenant = Touch(row.tenant);
    if (row.sequence != tenant.next.sequence.Next()) {
      return Gap(row.tenant, tenant.next.sequence, row.sequence);
    }
    const Hash hash = ChainHash(tenant.next.hash, row.tenant, row.sequence, row.time, row.body);
    links_.push_back({RowKey(tenant.id, row.sequence.value), tenant.next.hash, hash});
    tenant.next = {row.sequence, hash};
  }
  return absl::OkStatus();
}

absl::Status Writer::Write(const Commit& commit) {
  absl::Status status = Chain(commit.records);
  if (status.ok()) {
    for (const IncidentRow& row : commit.incidents) Touch(row.tenant);
    for (const EventRow& row : commit.events) Touch(row.tenant);
    for (const DeliveryRow& row : commit.deliveries) Touch(row.tenant);
    status = WriteRows(commit);
  }
  if (!status.ok()) return Undo(status);
  Adopt();
  return absl::OkStatus();
}

absl::Status Writer::WriteRows(const Commit& commit) {
  TANDEM_RETURN_IF_ERROR(statements_->begin.Run());
  TANDEM_RETURN_IF_ERROR(WriteTenants());
  TANDEM_RETURN_IF_ERROR(WriteRecords(commit.records));
  TANDEM_RETURN_IF_ERROR(WriteIncidents(commit.incidents));
  TANDEM_RETURN_IF_ERROR(WriteEvents(commit.events));
  TANDEM_RETURN_IF_ERROR(WriteDeliveries(commit.deliveries));
  return statements_->commit.Run();
}

absl::Status Writer::WriteTenants() {
  for (const auto* entry : touched_) {
    if (entry->second.stored) continue;
    TANDEM_RETURN_IF_ERROR(
        statements_->tenant.Bind(1, entry->second.id).BindText(2, entry->first).Run());
  }
  return absl::OkStatus();
}

absl::Status Writer::WriteRecords(const std::vector<RecordRow>& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    TANDEM_RETURN_IF_ERROR(statements_->record.Bind(1, links_[i].key)
                               .Bind(2, absl::ToUnixMicros(rows[i].time))
                               .BindBlob(3, View(links_[i].previous))
                               .BindBlob(4, View(links_[i].hash))
                               .BindBlob(5, rows[i].body)
                               .Run());
  }
  return absl::OkStatus();
}

absl::Status Writer::WriteIncidents(const std::vector<IncidentRow>& rows) {
  for (const IncidentRow& row : rows) {
    const std::int64_t tenant = Touch(row.tenant).id;
    TANDEM_RETURN_IF_ERROR(statements_->incident.Bind(1, RowKey(tenant, row.number.value))
                               .Bind(2, tenant)
                               .Bind(3, static_cast<std::int64_t>(row.state))
                               .Bind(4, static_cast<std::int64_t>(row.severity))
                               .Bind(5, static_cast<std::int64_t>(row.owner_side))
                               .Bind(6, absl::ToUnixMicros(row.updated))
                               .Bind(7, SealOf(row))
                               .BindText(8, row.owner_team)
                               .BindText(9, row.rule)
                               .BindBlob(10, row.body)
                               .Run());
  }
  return absl::OkStatus();
}

absl::Status Writer::WriteEvents(const std::vector<EventRow>& rows) {
  for (const EventRow& row : rows) {
    const std::int64_t tenant = Touch(row.tenant).id;
    const std::int64_t record = RowKey(tenant, row.sequence.value);
    const std::int64_t incident = RowKey(tenant, row.incident.value);
    TANDEM_RETURN_IF_ERROR(statements_->event.Bind(1, record)
                               .Bind(2, incident)
                               .Bind(3, SealOf(row))
                               .BindBlob(4, row.body)
                               .Run());
    TANDEM_RETURN_IF_ERROR(NoteRun(incident, record >> kRunBits));
  }
  return absl::OkStatus();
}

absl::Status Writer::NoteRun(std::int64_t incident, std::int64_t run) {
  const auto [noted, is_new] = noted_runs_.try_emplace(incident, run);
  if (!is_new && noted->second == run) return absl::OkStatus();
  noted->second = run;
  if (noted_runs_.size() > kNotedRunsMax) noted_runs_.clear();
  return statements_->event_run.Bind(1, incident).Bind(2, run).Run();
}

absl::Status Writer::WriteDeliveries(const std::vector<DeliveryRow>& rows) {
  for (const DeliveryRow& row : rows) {
    const std::int64_t key = RowKey(Touch(row.tenant).id, row.number.value);
    TANDEM_RETURN_IF_ERROR(
        row.open
            ? statements_->delivery.Bind(1, key).Bind(2, SealOf(row)).BindBlob(3, row.body).Run()
            : statements_->delivery_done.Bind(1, key).Run());
  }
  return absl::OkStatus();
}

void Writer::Adopt() {
  for (auto* entry : touched_) {
    entry->second.head = entry->second.next;
    entry->second.stored = true;
    entry->second.touched = false;
  }
  touched_.clear();
}

// Answers with `reason`, or with a final error when a full disk left a state that is not the old
// one.
absl::Status Writer::Undo(const absl::Status& reason) {
  absl::Status status = reason;
  noted_runs_.clear();  // what was noted since the last commit is undone
  if (connection_.in_transaction()) {
    // When this fails the transaction stays open, which AssertNothingWritten sees.
    statements_->rollback.Run().IgnoreError();
  }
  if (IsDiskFull(reason)) {
    const absl::Status untouched = AssertNothingWritten();
    if (!untouched.ok()) status = untouched;
  }
  for (auto* entry : touched_) {
    entry->second.touched = false;
    if (!entry->second.stored) tenants_.erase(tenants_.find(entry->first));
  }
  touched_.clear();
  return status;
}

absl::Status Writer::AssertNothingWritten() {
  const auto unknown = [](std::string_view what) {
    return Error(absl::StatusCode::kInternal, "JOURNAL_UNKNOWN",
                 fmt::format("journal: whether the last commit was written is unknown ({}); stop "
                             "and recover from the journal",
                             what));
  };
  if (connection_.in_transaction()) return unknown("it could not be rolled back");
  for (const auto* entry : touched_) {
    const Tenant& tenant = entry->second;
    Statement& head = statements_->head;
    const ResetAtEnd reset(head);
    const absl::StatusOr<bool> found =
        head.Bind(1, FirstKey(tenant.id)).Bind(2, LastKey(tenant.id)).Step();
    if (!found.ok()) return unknown(MessageOf(found.status()));
    const Sequence sequence(*found ? NumberOf(head.Integer(0)) : 0);
    if (sequence != tenant.head.sequence) return unknown("a head has moved");
  }
  return absl::OkStatus();
}

}  // namespace tandem::journal::sqlite
