// Reads the database beside the writer, on a connection of its own.
//
// Every call is one read transaction. Every row is checked before it is handed out: a record
// against its hash, the rest against their seals.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "router/journal/incident_query.h"
#include "router/journal/journal.h"
#include "router/journal/sqlite_connection.h"

namespace tandem::journal::sqlite {

class SqliteReader final : public Reader {
 public:
  static absl::StatusOr<std::unique_ptr<Reader>> Open(const std::string& path);

  absl::Status ReadRecords(const TenantId& tenant, Sequence from,
                           absl::FunctionRef<bool(const RecordRow&)> visit) override;
  absl::StatusOr<std::optional<RecordRow>> ReadRecord(const TenantId& tenant,
                                                      Sequence sequence) override;
  absl::StatusOr<std::vector<TenantHead>> ReadHeads() override;
  absl::StatusOr<std::vector<PrunedRange>> ReadPruned(const TenantId& tenant) override;
  absl::StatusOr<std::optional<IncidentRow>> ReadIncident(const TenantId& tenant,
                                                          IncidentNumber number) override;
  absl::StatusOr<std::vector<IncidentRow>> ListIncidents(const IncidentQuery& query) override;
  absl::StatusOr<std::vector<EventRow>> ListIncidentEvents(const TenantId& tenant,
                                                           IncidentNumber incident, Sequence after,
                                                           std::uint32_t limit) override;
  absl::StatusOr<std::vector<EventRow>> ListEvents(const TenantId& tenant, Sequence after,
                                                   std::uint32_t limit) override;
  absl::StatusOr<std::vector<DeliveryRow>> ListOpenDeliveries() override;
  absl::Status CheckStructure() override;

 private:
  explicit SqliteReader(Connection connection) : connection_(std::move(connection)) {}
  absl::Status PrepareStatements();

  // 0 when there is none.
  absl::StatusOr<std::int64_t> TenantKey(const TenantId& tenant);
  absl::StatusOr<bool> WasPruned(const TenantId& tenant, const PrunedRange& range);
  absl::Status AddStream(const IncidentQuery& query, const IncidentFilter& filter,
                         const TenantId& tenant, IncidentState state, NewestIncidents& newest);

  struct Statements {
    Statement begin, end;
    Statement tenant, heads, records;
    Statement pruned, event_runs;  // of a database of format 1: none
    Statement incident, incidents, event, events, deliveries;
  };

  const Connection connection_;  // closed after the statements
  std::unique_ptr<Statements> statements_;
  // Tenants are never removed and keep their keys, so this never goes stale.
  std::unordered_map<std::string, std::int64_t> tenant_keys_;
};

}  // namespace tandem::journal::sqlite
