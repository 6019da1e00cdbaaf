#include "router/journal/sqlite_schema.h"

#include <fmt/format.h>

#include <string>

#include "router/base/check.h"
#include "router/base/status.h"
#include "router/journal/sha256.h"

namespace tandem::journal::sqlite {
namespace {

// `previous` and `hash` stand before `body`: reading a head does not walk the pages of the body.
constexpr char kTables[] = R"sql(
CREATE TABLE tenants(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE records(
  id INTEGER PRIMARY KEY,
  time_us INTEGER NOT NULL,
  previous BLOB NOT NULL,
  hash BLOB NOT NULL,
  body BLOB NOT NULL) STRICT;
CREATE TABLE incidents(
  id INTEGER PRIMARY KEY,
  tenant INTEGER NOT NULL,
  state INTEGER NOT NULL,
  severity INTEGER NOT NULL,
  owner_side INTEGER NOT NULL,
  updated_us INTEGER NOT NULL,
  seal INTEGER NOT NULL,
  owner_team TEXT NOT NULL,
  rule TEXT NOT NULL,
  body BLOB NOT NULL) STRICT;
CREATE INDEX incidents_by_update
  ON incidents(tenant, state, updated_us, id, severity, owner_side);
CREATE TABLE events(
  record INTEGER NOT NULL,
  incident INTEGER NOT NULL,
  seal INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY(record, incident)) STRICT, WITHOUT ROWID;
CREATE TABLE deliveries(
  id INTEGER PRIMARY KEY,
  seal INTEGER NOT NULL,
  body BLOB NOT NULL) STRICT;
)sql";

// Since format 2.
constexpr char kFormat2[] = R"sql(
CREATE TABLE pruned(
  first INTEGER PRIMARY KEY,
  last INTEGER NOT NULL,
  seal INTEGER NOT NULL) STRICT;
CREATE TABLE event_runs(
  incident INTEGER NOT NULL,
  run INTEGER NOT NULL,
  PRIMARY KEY(incident, run)) STRICT, WITHOUT ROWID;
)sql";

// Format 1 had an index over all events instead of event_runs.
constexpr char kFromFormat1[] = R"sql(
INSERT INTO event_runs SELECT DISTINCT incident, record >> 5 FROM events;
DROP INDEX IF EXISTS events_by_incident;
)sql";
static_assert(kRunBits == 5, "the upgrade spells it");

// Sets a pragma and reads it back.
absl::Status Demand(const Connection& connection, std::string_view pragma, std::string_view setting,
                    std::string_view read_back) {
  TANDEM_RETURN_IF_ERROR(
      connection.Execute(fmt::format("PRAGMA {} = {}", pragma, setting).c_str()));
  TANDEM_ASSIGN_OR_RETURN(const std::string got,
                          connection.Ask(fmt::format("PRAGMA {}", pragma).c_str()));
  if (got == read_back) return absl::OkStatus();
  return Error(absl::StatusCode::kInternal, "JOURNAL_SETTINGS",
               fmt::format("journal: SQLite answers {} for PRAGMA {}, expected {}: what is "
                           "acknowledged would not be durable. Is the file system local?",
                           got, pragma, read_back));
}

absl::StatusOr<std::int64_t> AskNumber(const Connection& connection, const char* sql) {
  TANDEM_ASSIGN_OR_RETURN(const std::string text, connection.Ask(sql));
  return text.empty() ? 0 : std::stoll(text);
}

std::int64_t FirstEight(const Hash& hash) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number = (number << 8) | hash[i];
  return static_cast<std::int64_t>(number);
}

Sha256& Fresh() {
  thread_local Sha256 sha256;
  return sha256;
}

}  // namespace

std::int64_t RowKey(std::int64_t tenant, std::uint64_t number) {
  TANDEM_CHECK(tenant > 0 && tenant <= kTenantMax, "a tenant's key has 23 bits");
  TANDEM_CHECK(number <= static_cast<std::uint64_t>(kNumberMax), "a row's number has 40 bits");
  return (tenant << kNumberBits) | static_cast<std::int64_t>(number);
}

std::int64_t SealOf(const IncidentRow& row) {
  return FirstEight(Fresh()
                        .Byte('i')
                        .Sized(row.tenant.value)
                        .Number(row.number.value)
                        .Byte(static_cast<std::uint8_t>(row.state))
                        .Byte(static_cast<std::uint8_t>(row.severity))
                        .Byte(static_cast<std::uint8_t>(row.owner_side))
                        .Number(static_cast<std::uint64_t>(absl::ToUnixMicros(row.updated)))
                        .Sized(row.owner_team)
                        .Sized(row.rule)
                        .Bytes(row.body)
                        .Finish());
}

std::int64_t SealOf(const EventRow& row) {
  return FirstEight(Fresh()
                        .Byte('e')
                        .Sized(row.tenant.value)
                        .Number(row.sequence.value)
                        .Number(row.incident.value)
                        .Bytes(row.body)
                        .Finish());
}

std::int64_t SealOf(const DeliveryRow& row) {
  return FirstEight(
      Fresh().Byte('d').Sized(row.tenant.value).Number(row.number.value).Bytes(row.body).Finish());
}

std::int64_t SealOf(const TenantId& tenant, const PrunedRange& range) {
  return FirstEight(Fresh()
                        .Byte('g')
                        .Sized(tenant.value)
                        .Number(range.first.value)
                        .Number(range.last.value)
                        .Finish());
}

absl::Status CheckFormat(const Connection& connection, bool* empty) {
  TANDEM_ASSIGN_OR_RETURN(const std::int64_t application,
                          AskNumber(connection, "PRAGMA application_id"));
  TANDEM_ASSIGN_OR_RETURN(const std::int64_t version, AskNumber(connection, "PRAGMA user_version"));
  TANDEM_ASSIGN_OR_RETURN(const std::int64_t tables,
                          AskNumber(connection, "SELECT count(*) FROM sqlite_schema"));
  *empty = application == 0 && version == 0 && tables == 0;
  if (*empty) return absl::OkStatus();
  const std::string path = sqlite3_db_filename(connection.handle(), "main");
  if (application != kApplicationId) {
    return Error(absl::StatusCode::kFailedPrecondition, "JOURNAL_FOREIGN",
                 fmt::format("journal: {} is a SQLite database of another program; name another "
                             "file",
                             path));
  }
  if (version > kFormatVersion) {
    return Error(absl::StatusCode::kFailedPrecondition, "JOURNAL_NEWER",
                 fmt::format("journal: {} has format {}, this program knows up to {}; start the "
                             "newer program that wrote it",
                             path, version, kFormatVersion));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::int64_t> PageBytes(const Connection& connection) {
  return AskNumber(connection, "PRAGMA page_size");
}

absl::Status SetUpWriter(const Connection& connection, std::uint32_t page_bytes_of_a_new_file) {
  // Only a new file takes the page size, and only before it becomes a WAL database.
  TANDEM_RETURN_IF_ERROR(
      connection.Execute(fmt::format("PRAGMA page_size = {}", page_bytes_of_a_new_file).c_str()));
  TANDEM_RETURN_IF_ERROR(Demand(connection, "journal_mode", "WAL", "wal"));
  TANDEM_RETURN_IF_ERROR(Demand(connection, "synchronous", "FULL", "2"));
  TANDEM_RETURN_IF_ERROR(Demand(connection, "wal_autocheckpoint", "0", "0"));
  // The read model's inner pages stay in memory: 64 MiB hold those of millions of incidents.
  // Debian's SQLite overwrites what is deleted; FAST leaves that out where it would cost writes.
  return connection.Execute(
      "PRAGMA cache_size = -65536; PRAGMA secure_delete = FAST; PRAGMA temp_store = MEMORY;"
      "PRAGMA cell_size_check = ON");
}

absl::Status SetUpCheckpointer(const Connection& connection) {
  TANDEM_RETURN_IF_ERROR(Demand(connection, "synchronous", "FULL", "2"));
  // The gate keeps our own writer out; nobody else is waited for.
  sqlite3_busy_timeout(connection.handle(), 0);
  // Reading once makes this connection open the write-ahead log.
  return connection.Ask("SELECT count(*) FROM sqlite_schema").status();
}

absl::Status SetUpReader(const Connection& connection) {
  // Not memory-mapped: a failing disk would then be a SIGBUS instead of an error.
  return connection.Execute(
      "PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON");
}

absl::Status CreateTables(const Connection& connection) {
  return connection.Execute(fmt::format("BEGIN IMMEDIATE; {} {} PRAGMA application_id = {}; "
                                        "PRAGMA user_version = {}; COMMIT",
                                        kTables, kFormat2, kApplicationId, kFormatVersion)
                                .c_str());
}

absl::Status Upgrade(const Connection& connection) {
  TANDEM_ASSIGN_OR_RETURN(const std::int64_t version, AskNumber(connection, "PRAGMA user_version"));
  if (version == kFormatVersion) return absl::OkStatus();
  return connection.Execute(fmt::format("BEGIN IMMEDIATE; {} {} PRAGMA user_version = {}; COMMIT",
                                        kFormat2, kFromFormat1, kFormatVersion)
                                .c_str());
}

}  // namespace tandem::journal::sqlite
