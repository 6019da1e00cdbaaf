// The durable history of a shard: what was received, what was decided, and the read model that is
// written in the same transaction.
//
// The journal stores bytes: what they mean is known to router/codec. One contract suite
// (tests/contract/journal_contract.h) runs against every implementation.
//
// Threads: one writer calls Append, Prune and Close, always the same thread; readers come from
// OpenReader and each belongs to one thread at a time. Nothing here retries: an error of Append is
// final (see Append).
#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "router/base/ids.h"
#include "router/base/words.h"

namespace tandem::journal {

// SHA-256.
using Hash = std::array<std::uint8_t, 32>;

// One decided input. `body` is a serialized tandem.journal.v1.Record.
//
// Append computes `previous` and `hash` itself and does not look at what the caller left there: a
// record is hashed once, in one place. A reader fills both, and only with hashes that it has
// checked.
struct RecordRow {
  TenantId tenant = {};
  Sequence sequence = {};  // of the tenant: 1, 2, 3 … without gaps
  absl::Time time = {};    // UTC, microseconds
  std::string body = {};
  Hash previous = {};  // hash of the tenant's record before; zero for the first
  Hash hash = {};      // ChainHash(previous, tenant, sequence, time, body)
};

// SHA-256 over: previous (32 bytes) · length of tenant (1 byte) · tenant · sequence (8 bytes, big
// endian) · time in Unix microseconds (8 bytes, big endian) · body.
Hash ChainHash(const Hash& previous, const TenantId& tenant, Sequence sequence, absl::Time time,
               std::string_view body);

// An incident as lists show it. `body` is a serialized tandem.v1.Incident.
struct IncidentRow {
  TenantId tenant;
  IncidentNumber number;
  IncidentState state = IncidentState::kOpen;
  Severity severity = Severity::kWarning;
  Side owner_side = Side::kUnspecified;
  std::string owner_team = {};
  std::string rule = {};
  absl::Time updated = {};
  std::string body = {};
};

// What happened to one incident in one record. `body` is a serialized tandem.journal.v1.Event.
struct EventRow {
  TenantId tenant;
  Sequence sequence;
  IncidentNumber incident;
  std::string body;
};

// An open delivery (the outbox). `body` is a serialized tandem.v1.Delivery; of one that is removed
// it is its id, for those who watch, and is not stored.
struct DeliveryRow {
  TenantId tenant;
  DeliveryNumber number;
  bool open = true;  // false removes it
  std::string body = {};
};

// Everything that one commit of the engine writes.
struct Commit {
  std::vector<RecordRow> records = {};      // in order; per tenant they follow what is stored
  std::vector<IncidentRow> incidents = {};  // upserts, each incident at most once
  std::vector<EventRow> events = {};
  std::vector<DeliveryRow> deliveries = {};
};

// A run of records that were pruned, both ends included.
struct PrunedRange {
  Sequence first;
  Sequence last;
  friend bool operator==(const PrunedRange&, const PrunedRange&) = default;
};

// What Prune deletes.
struct Cut {
  TenantId tenant = {};
  // Records and their events from `first` to `through`, but never the head …
  Sequence first = Sequence(1);
  Sequence through = {};
  // … and never these, nor their events; ascending.
  std::vector<Sequence> keep = {};
  // Incidents that are resolved and have not changed since: of each call the kCutIncidentsMax that
  // changed longest ago.
  absl::Time resolved_before = absl::InfinitePast();
};

inline constexpr std::uint32_t kCutIncidentsMax = 256;

// What Prune has deleted.
struct CutCounts {
  std::uint64_t records = 0;
  std::uint64_t incidents = 0;
};

struct TenantHead {
  TenantId tenant;
  Sequence sequence;  // the last one
  Hash hash = {};     // of the last one
  absl::Time time;    // of the last one
};

struct IncidentQuery {
  std::vector<TenantId> tenants = {};      // not empty
  std::vector<IncidentState> states = {};  // empty: all
  std::vector<Severity> severities = {};   // empty: all
  std::vector<Side> sides = {};            // empty: all
  std::vector<std::string> teams = {};     // empty: all
  std::vector<std::string> rules = {};     // empty: all
  // Continues behind this incident in the order of the answer: newest `updated` first, then tenant,
  // then the higher number.
  struct After {
    absl::Time updated;
    TenantId tenant;
    IncidentNumber number;
  };
  std::optional<After> after = {};
  std::uint32_t limit = 50;  // at least 1
};

// Reads what is committed, beside the writer. Every call sees one consistent state.
class Reader {
 public:
  virtual ~Reader() = default;

  // Calls `visit` for the tenant's records from `from` on, in order, until it returns false. What
  // was pruned is passed over. DATA_LOSS names the record when a stored hash does not fit its
  // bytes, or when a record is missing that was not pruned.
  virtual absl::Status ReadRecords(const TenantId& tenant, Sequence from,
                                   absl::FunctionRef<bool(const RecordRow&)> visit) = 0;
  // nullopt when there is none. DATA_LOSS as above.
  virtual absl::StatusOr<std::optional<RecordRow>> ReadRecord(const TenantId& tenant,
                                                              Sequence sequence) = 0;
  // By tenant id.
  virtual absl::StatusOr<std::vector<TenantHead>> ReadHeads() = 0;
  // What was pruned of the tenant, ascending; neighbours are one range.
  virtual absl::StatusOr<std::vector<PrunedRange>> ReadPruned(const TenantId& tenant) = 0;

  virtual absl::StatusOr<std::optional<IncidentRow>> ReadIncident(const TenantId& tenant,
                                                                  IncidentNumber number) = 0;
  virtual absl::StatusOr<std::vector<IncidentRow>> ListIncidents(const IncidentQuery& query) = 0;
  // Events of one incident after (sequence) `after`, in order, at most `limit`.
  virtual absl::StatusOr<std::vector<EventRow>> ListIncidentEvents(const TenantId& tenant,
                                                                   IncidentNumber incident,
                                                                   Sequence after,
                                                                   std::uint32_t limit) = 0;
  // Events of the tenant after `after`, by (sequence, incident). Whole records only: at most
  // `limit` events, but always all events of the first record.
  virtual absl::StatusOr<std::vector<EventRow>> ListEvents(const TenantId& tenant, Sequence after,
                                                           std::uint32_t limit) = 0;
  // By (tenant, number).
  virtual absl::StatusOr<std::vector<DeliveryRow>> ListOpenDeliveries() = 0;

  // DATA_LOSS when what holds the rows together (pages, indexes) is damaged, which could hide rows
  // from every call above. Reads everything: seconds per GiB.
  virtual absl::Status CheckStructure() { return absl::OkStatus(); }
};

// What Append answers when the disk is full: nothing was written, and the journal may be used on.
// (Every other error of Append is final.)
bool IsDiskFull(const absl::Status& status);

class Journal {
 public:
  virtual ~Journal() = default;

  // All or nothing, and durable when it returns OK (fsync included). RESOURCE_EXHAUSTED with reason
  // DISK_FULL: nothing was written. Any other error: whether it was written is unknown; the caller
  // must stop and recover by opening the journal anew, and every later Append fails.
  // A record that does not follow the stored head of its tenant is FAILED_PRECONDITION with reason
  // JOURNAL_GAP: nothing was written, and that is final too, because the caller's state is wrong.
  virtual absl::Status Append(const Commit& commit) = 0;

  // Thread-safe.
  virtual absl::StatusOr<std::unique_ptr<Reader>> OpenReader() = 0;

  // Deletes what `cut` says, and notes what it leaves out, so that a record that is missing for
  // another reason is still noticed. Works in transactions of at most 256 records: a caller that
  // must not wait long asks for no more. Errors as of Append, but that DISK_FULL may come after
  // some of the transactions: what is gone is gone, the rest is as it was.
  virtual absl::StatusOr<CutCounts> Prune(const Cut& cut) = 0;
};

// Keeps everything in memory. For tests and simulation.
std::unique_ptr<Journal> NewMemoryJournal();

struct SqliteOptions {
  std::string path = {};  // of the database file; its folder must exist
  // Opens for reading only: no lock, Append fails. For `tandem journal verify` beside a live
  // router.
  bool read_only = false;
  // Append answers DISK_FULL before less than this would be free: the rest lets the write-ahead log
  // be copied into the database, and reads go on.
  std::uint64_t free_space_min = 16 << 20;
  // Page of a new database: a power of two in 512…65536. tests/bench/journal_bench.cc measures it.
  std::uint32_t page_bytes = 8192;
};

// One SQLite database: journal_mode=WAL, synchronous=FULL (both read back and asserted),
// checkpoints from a thread and connection of its own so that they do not stall the writer. An
// exclusive lock on
// `{path}.lock` keeps a second writer out: FAILED_PRECONDITION with reason JOURNAL_IN_USE.
// FAILED_PRECONDITION with reason JOURNAL_NEWER when it was written by a newer format.
absl::StatusOr<std::unique_ptr<Journal>> OpenSqliteJournal(const SqliteOptions& options);

}  // namespace tandem::journal
