// Writes commits into the database: one transaction each.
//
// Belongs to the thread that writes the journal. Knows the head of every tenant, so that a commit
// is chained without reading.
#pragma once

#include <absl/container/flat_hash_map.h>
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
  // As Journal::Prune, with what was deleted in `*counts`; see sqlite_prune.cc.
  absl::Status Prune(const Cut& cut, CutCounts* counts);

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
  absl::Status NoteRun(std::int64_t incident, std::int64_t run);
  absl::Status WriteDeliveries(const std::vector<DeliveryRow>& rows);
  void Adopt();
  absl::Status Undo(const absl::Status& reason);
  absl::Status AssertNothingWritten();

  struct PruneStatements {
    Statement oldest, delete_records, delete_events, pruned_around, delete_pruned, pruned,
        delete_event_runs, delete_incidents;
  };
  absl::Status PreparePruning();
  absl::StatusOr<Sequence> OldestRecord(std::int64_t tenant, Sequence from);
  absl::Status PruneSome(const Cut& cut, std::int64_t tenant, const PrunedRange& window,
                         CutCounts* counts);
  absl::StatusOr<std::uint64_t> DeleteRun(const TenantId& id, std::int64_t tenant,
                                          const PrunedRange& run);
  absl::Status NotePruned(const TenantId& id, std::int64_t tenant, PrunedRange range);
  absl::Status PruneIncidents(const Cut& cut, std::int64_t tenant, CutCounts* counts);

  struct Statements {
    Statement begin, commit, rollback;
    Statement tenant, record, incident, event, event_run, delivery, delivery_done;
    Statement head;
  };

  const Connection connection_;  // closed after the statements
  std::unique_ptr<Statements> statements_;
  std::unique_ptr<PruneStatements> pruning_;  // made when first needed
  // By name; the order is seen by nobody.
  std::unordered_map<std::string, Tenant> tenants_;
  std::int64_t last_tenant_ = 0;
  std::vector<std::pair<const std::string, Tenant>*> touched_;
  std::vector<Link> links_;  // one per record of the commit at hand
  // The last run that was noted for an incident, both by key: it need not be noted again.
  absl::flat_hash_map<std::int64_t, std::int64_t> noted_runs_;  // order never seen
};

}  // namespace tandem::journal::sqlite
