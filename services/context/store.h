// The context of every tenant on disk: what is, what was, and who changed it when. One SQLite file;
// its tables are described in FORMAT.md.
//
// The store keeps bytes: what an entity's content means is known to content.h. A change is one
// transaction and durable (WAL, synchronous=FULL) when Change returns OK.
//
// Thread-safe. Changes go one after the other; reads run beside them, each in one transaction, and
// see a change entirely or not at all. Every call may block on the disk.
#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "router/base/ids.h"
#include "router/base/words.h"
#include "router/context/entity_key.h"
#include "router/context/limits.h"
#include "services/context/edit.h"
#include "services/context/sqlite.h"

namespace tandem::context {

struct Author {
  std::string principal;
  Side side = Side::kUnspecified;
  friend bool operator==(const Author&, const Author&) = default;
};

// An entity as it was at one version.
struct StoredEntity {
  EntityKey key;
  Version version;  // in which it last changed
  absl::Time time;
  Author author;
  std::string content;
};

// One change of a tenant's context.
struct StoredRevision {
  Version version;
  absl::Time time;
  Author author;
  std::string comment;
  struct Change {
    EntityKey key;
    std::optional<std::string> content;  // nullopt: deleted
  };
  std::vector<Change> changes;     // by key; the first of them when there are too many
  std::uint32_t change_count = 0;  // all of them
};

// Who changes what, why, and under which request_id.
struct ChangeHeader {
  TenantId tenant;
  Author author;
  std::string comment;
  absl::Time now;                   // taken as the time of the last change when it lies before it
  std::string request_id = {};      // empty: not remembered
  std::string request_digest = {};  // tells a repeat from another request under the same id
  bool check_only = false;          // everything is tried, nothing is kept
};

// How much one read may return. A read always returns its first row, however large.
struct ReadLimit {
  std::size_t rows = 100;
  std::size_t bytes = kPageBytesMax;
};

// Which versions can be read: [oldest, newest]. Both 0 for a tenant without any change.
struct VersionRange {
  Version oldest;
  Version newest;
};

struct EntityPage {
  Version version;  // that was read
  std::vector<StoredEntity> entities;
  bool more = false;
};

struct RevisionPage {
  VersionRange range;  // at the moment of the read
  std::vector<StoredRevision> revisions;
  bool more = false;
};

class Store {
 public:
  struct Options {
    std::string path = {};
    std::uint32_t entities_max = kEntitiesMax;
    std::uint32_t requests_max = kRequestsRememberedMax;
  };

  // Opens or makes the file. FAILED_PRECONDITION when it is not durable or was written by a newer
  // release; DATA_LOSS when it is damaged.
  static absl::StatusOr<std::unique_ptr<Store>> Open(Options options);

  // Runs `edit` in a transaction and makes its puts and deletes one new version; when they change
  // nothing there is none, and `version` of the outcome is the newest. With a request_id that is
  // remembered `edit` is not run and the first outcome is returned (`repeated` is set); under
  // another digest INVALID_ARGUMENT with reason REQUEST_ID_REUSED. When `edit` fails nothing is
  // changed and its error is returned.
  //
  // After an I/O error, which leaves open whether the change is there, every later change is
  // refused with UNAVAILABLE, reason STORE_FAILED, until the process starts anew.
  absl::StatusOr<Outcome> Change(const ChangeHeader& header,
                                 absl::FunctionRef<absl::Status(Edit&)> edit);

  // False once changes are refused because of an I/O error.
  bool writable() const { return !failed_; }

  absl::StatusOr<VersionRange> Range(const TenantId& tenant);

  // The entity at `at`; at Version(0) the newest. nullopt when it was not there. OUT_OF_RANGE with
  // reason VERSION_TOO_OLD or VERSION_UNKNOWN for a version that cannot be read.
  absl::StatusOr<std::optional<StoredEntity>> Find(const TenantId& tenant, const EntityKey& key,
                                                   Version at);

  // Entities by key, after `after`, of `kind` when it is given. Errors as of Find.
  struct ListQuery {
    Version at = {};
    std::optional<EntityKind> kind = {};
    std::optional<EntityKey> after = {};
    ReadLimit limit = {};
  };
  absl::StatusOr<EntityPage> List(const TenantId& tenant, const ListQuery& query);

  // Revisions below `before` (Version(0): from the newest), newest first; with `entity`, those in
  // which it changed, with that change alone.
  struct HistoryQuery {
    std::optional<EntityKey> entity = {};
    Version before = {};
    ReadLimit limit = {};
    std::size_t changes_max = kRevisionChangesMax;  // of one revision
  };
  absl::StatusOr<RevisionPage> History(const TenantId& tenant, const HistoryQuery& query);

  // Revisions above `after`, oldest first. REQUIRES: `after` >= the oldest version.
  struct AfterQuery {
    Version after = {};
    ReadLimit limit = {};
    std::size_t changes_max = kWatchChangesMax;
  };
  absl::StatusOr<RevisionPage> After(const TenantId& tenant, const AfterQuery& query);

  // Forgets versions that were replaced before `history_before`, and requests older than
  // kRequestMemory before `now`.
  absl::Status Prune(absl::Time history_before, absl::Time now);

 private:
  // A reader of its own for the time of one read.
  class Reader;

  Store(Options options, std::unique_ptr<Connection> writer)
      : options_(std::move(options)), writer_(std::move(writer)) {}
  absl::StatusOr<Outcome> ChangeLocked(const ChangeHeader& header,
                                       absl::FunctionRef<absl::Status(Edit&)> edit);
  absl::Status NoteFailure(absl::Status status);
  absl::StatusOr<std::unique_ptr<Connection>> TakeReader();
  void ReturnReader(std::unique_ptr<Connection> reader);

  const Options options_;
  std::atomic<bool> failed_ = false;

  std::mutex write_mutex_;  // guards writer_
  std::unique_ptr<Connection> writer_;

  std::mutex readers_mutex_;                               // guards idle_readers_
  std::vector<std::unique_ptr<Connection>> idle_readers_;  // at most as many as callers at once
};

}  // namespace tandem::context
