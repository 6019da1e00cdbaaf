// Writes commits into the database: one transaction each.
//
// Belongs to the thread that writes the journal. Knows the head of every tenant, so that a commit
// is chained without reading.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "router/journal/journal.h"
#include "router/journal/sqlite_connection.h"

namespace tandem::journal::sqlite {

class Writer {
 public:
  // Reads the tenants and their heads. DATA_LOSS names the tenant whose head is damaged.
  // REQUIRES: the connection is set up and the tables exist.
  static absl::StatusOr<std::unique_ptr<Writer>> Open(Connection connection);

  // As Journal::Append: OK, DISK_FULL (known to be not written), or final.
  absl::Status Write(const Commit& commit);
  // As Journal::Prune: OK, DISK_FULL (what is gone is gone, the rest is as it was), or final.
  absl::Status Prune(const TenantId& tenant, Sequence through);

  sqlite3* handle() const { return connection_.handle(); }

 private:
  struct Head {
    Sequence sequence;
    Hash hash = {};
  };
  struct Tenant {
    std::int64_t id = 0;
    bool stored = false;   // has a row in `tenants`
    Head head;             // of what is committed
    Head next;             // with the commit at hand
    bool touched = false;  // by the commit at hand
  };
  // A record of the commit at hand.
  struct Link {
    std::int64_t key;
    Hash previous;
    Hash hash;
  };

  explicit Writer(Connection connection) : connection_(std::move(connection)) {}
  absl::Status PrepareStatements();
  absl::Status LoadTenants();
  absl::Status LoadHead(const std::string& name, Tenant& tenant);

  Tenant& Touch(const TenantId& id);
  absl::Status Chain(const std::vector<RecordRow>& records);
  absl::Status WriteRows(const Commit& commit);
  absl::Status WriteTenants();
  absl::Status WriteRecords(const std::vector<RecordRow>& rows);
  absl::Status WriteIncidents(const std::vector<IncidentRow>& rows);
  absl::Status WriteEvents(const std::vector<EventRow>& rows);
  absl::Status WriteDeliveries(const std::vector<DeliveryRow>& rows);
  void Adopt();
  absl::Status Undo(const absl::Status& reason);
  absl::Status AssertNothingWritten();
  absl::Status DeleteRange(std::int64_t first, std::int64_t last);

  struct Statements {
    Statement begin, commit, rollback;
    Statement tenant, record, incident, event, delivery, delivery_done;
    Statement head, delete_records, delete_events, oldest;
  };

  const Connection connection_;  // closed after the statements
  std::unique_ptr<Statements> statements_;
  // By name; the order is seen by nobody.
  std::unordered_map<std::string, Tenant> tenants_;
  std::int64_t last_tenant_ = 0;
  std::vector<std::pair<const std::string, Tenant>*> touched_;
  std::vector<Link> links_;  // one per record of the commit at hand
};

}  // namespace tandem::journal::sqlite
