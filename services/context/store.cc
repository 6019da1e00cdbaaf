#include "services/context/store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "router/base/status.h"
#include "router/base/text.h"

namespace tandem::context {
namespace {

// "TDMC": what `file` and a person with sqlite3 see.
constexpr char kMarkFile[] = "PRAGMA application_id=1413762371; PRAGMA user_version=1;";
constexpr int kFormat = 1;

constexpr char kSchema[] = R"sql(
CREATE TABLE heads (
  tenant TEXT PRIMARY KEY, newest INTEGER NOT NULL, oldest INTEGER NOT NULL,
  time INTEGER NOT NULL, entities INTEGER NOT NULL, remembered INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE revisions (
  tenant TEXT NOT NULL, version INTEGER NOT NULL, time INTEGER NOT NULL, author TEXT NOT NULL,
  side INTEGER NOT NULL, comment TEXT NOT NULL, change_count INTEGER NOT NULL,
  PRIMARY KEY (tenant, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE changes (
  row INTEGER PRIMARY KEY, tenant TEXT NOT NULL, kind INTEGER NOT NULL, id TEXT NOT NULL,
  version INTEGER NOT NULL, content BLOB
) STRICT;
CREATE UNIQUE INDEX changes_by_entity ON changes (tenant, kind, id, version);
CREATE INDEX changes_by_version ON changes (tenant, version, kind, id);
CREATE TABLE entities (
  tenant TEXT NOT NULL, kind INTEGER NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,
  PRIMARY KEY (tenant, kind, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE requests (
  tenant TEXT NOT NULL, id TEXT NOT NULL, time INTEGER NOT NULL, digest BLOB NOT NULL,
  version INTEGER NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL,
  unchanged INTEGER NOT NULL, deleted INTEGER NOT NULL,
  PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX requests_by_time ON requests (tenant, time);
)sql";

constexpr char kReadHead[] =
    "SELECT newest, oldest, time, entities, remembered FROM heads WHERE tenant=?";
constexpr char kWriteHead[] =
    "INSERT INTO heads (tenant, newest, oldest, time, entities, remembered) "
    "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (tenant) DO UPDATE SET newest=excluded.newest, "
    "oldest=excluded.oldest, time=excluded.time, entities=excluded.entities, "
    "remembered=excluded.remembered";
constexpr char kInsertRevision[] =
    "INSERT INTO revisions (tenant, version, time, author, side, comment, change_count) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)";
constexpr char kFindRequest[] =
    "SELECT digest, version, created, updated, unchanged, deleted FROM requests "
    "WHERE tenant=? AND id=? AND time>?";
constexpr char kForgetRequests[] = "DELETE FROM requests WHERE tenant=? AND time<=?";
constexpr char kRememberRequest[] =
    "INSERT INTO requests (tenant, id, time, digest, version, created, updated, unchanged, "
    "deleted) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";

struct Head {
  Version newest, oldest;
  std::int64_t time_us = 0;
  std::int64_t entities = 0;
  std::int64_t remembered = 0;
};

absl::StatusOr<Head> ReadHead(Connection& connection, const TenantId& tenant) {
  TANDEM_ASSIGN_OR_RETURN(Statement read, connection.Prepare(kReadHead));
  TANDEM_ASSIGN_OR_RETURN(const bool row, read.BindText(tenant.value).Step());
  if (!row) return Head{};
  return Head{Version(read.Unsigned(0)), Version(read.Unsigned(1)), read.Int(2), read.Int(3),
              read.Int(4)};
}

absl::Status WriteHead(Connection& connection, const TenantId& tenant, const Head& head) {
  TANDEM_ASSIGN_OR_RETURN(Statement write, connection.Prepare(kWriteHead));
  return write.BindText(tenant.value)
      .Bind(head.newest.value)
      .Bind(head.oldest.value)
      .Bind(head.time_us)
      .Bind(head.entities)
      .Bind(head.remembered)
      .Run();
}

std::int64_t ForgottenBefore(absl::Time now) { return absl::ToUnixMicros(now - kRequestMemory); }

// The outcome under which the header's request_id is remembered; nullopt when it is not.
absl::StatusOr<std::optional<Outcome>> FindRequest(Connection& connection,
                                                   const ChangeHeader& header) {
  if (header.request_id.empty()) return std::nullopt;
  TANDEM_ASSIGN_OR_RETURN(Statement find, connection.Prepare(kFindRequest));
  find.BindText(header.tenant.value).BindText(header.request_id).Bind(ForgottenBefore(header.now));
  TANDEM_ASSIGN_OR_RETURN(const bool row, find.Step());
  if (!row) return std::nullopt;
  if (find.Bytes(0) != header.request_digest) {
    return InvalidField("REQUEST_ID_REUSED", "request_id",
                        "was used for another request within the last 24 h; use a new one for each "
                        "request, and the same only to repeat it unaltered");
  }
  const auto count = [&](int column) { return static_cast<std::uint32_t>(find.Int(column)); };
  return Outcome{.version = Version(find.Unsigned(1)),
                 .created = count(2),
                 .updated = count(3),
                 .unchanged = count(4),
                 .deleted = count(5),
                 .repeated = true};
}

// Keeps `head.remembered` in step.
absl::Status RememberRequest(Connection& connection, const ChangeHeader& header,
                             const Outcome& outcome, std::uint32_t requests_max, Head& head) {
  if (header.request_id.empty()) return absl::OkStatus();
  TANDEM_ASSIGN_OR_RETURN(Statement forget, connection.Prepare(kForgetRequests));
  forget.BindText(header.tenant.value).Bind(ForgottenBefore(header.now));
  TANDEM_RETURN_IF_ERROR(forget.Run());
  head.remembered -= connection.Changes();
  if (head.remembered >= requests_max) {
    return AddRetry(Error(absl::StatusCode::kResourceExhausted, "REQUEST_MEMORY_FULL",
                          fmt::format("{} request ids of the last 24 h are remembered for this "
                                      "tenant, which is the limit; send it later, or without "
                                      "request_id",
                                      requests_max)),
                    absl::Minutes(10));
  }
  TANDEM_ASSIGN_OR_RETURN(Statement remember, connection.Prepare(kRememberRequest));
  remember.BindText(header.tenant.value)
      .BindText(header.request_id)
      .Bind(absl::ToUnixMicros(header.now))
      .BindBlob(header.request_digest)
      .Bind(outcome.version.value)
      .Bind(outcome.created)
      .Bind(outcome.updated)
      .Bind(outcome.unchanged)
      .Bind(outcome.deleted);
  ++head.remembered;
  return remember.Run();
}

absl::Status WriteRevision(Connection& connection, const ChangeHeader& header,
                           const Outcome& outcome, const Head& head) {
  TANDEM_ASSIGN_OR_RETURN(Statement insert, connection.Prepare(kInsertRevision));
  return insert.BindText(header.tenant.value)
      .Bind(head.newest.value)
      .Bind(head.time_us)
      .BindText(header.author.principal)
      .Bind(static_cast<std::uint32_t>(header.author.side))
      .BindText(header.comment)
      .Bind(outcome.created + outcome.updated + outcome.deleted)
      .Run();
}

// Makes the tables, or sees that they are those of this release.
absl::Status PrepareTables(Connection& connection) {
  TANDEM_ASSIGN_OR_RETURN(Transaction transaction,
                          Transaction::Begin(connection, Transaction::Kind::kWrite));
  TANDEM_ASSIGN_OR_RETURN(const std::string format, connection.Ask("PRAGMA user_version"));
  if (format == "0") {
    TANDEM_RETURN_IF_ERROR(connection.Execute(kSchema));
    TANDEM_RETURN_IF_ERROR(connection.Execute(kMarkFile));
  } else if (format != fmt::format("{}", kFormat)) {
    return Error(absl::StatusCode::kFailedPrecondition, "STORE_FORMAT_UNKNOWN",
                 fmt::format("the store has format {}, this release reads {}: start the release "
                             "that wrote it, or a newer one",
                             format, kFormat));
  }
  return transaction.Commit();
}

// Makes the file's name durable: SQLite syncs the folder for its logs, not for the file itself.
absl::Status SyncFolderOf(const std::string& path) {
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) folder = ".";
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  const std::error_code why(errno, std::generic_category());
  if (fd >= 0) ::close(fd);
  if (synced) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, "STORE_NOT_DURABLE",
               fmt::format("cannot sync the folder {}: {}", folder.string(), why.message()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> Store::Open(Options options) {
  TANDEM_ASSIGN_OR_RETURN(auto writer,
                          Connection::Open(options.path, Connection::Mode::kReadWrite));
  TANDEM_RETURN_IF_ERROR(Annotate(PrepareTables(*writer), options.path));
  TANDEM_RETURN_IF_ERROR(SyncFolderOf(options.path));
  return std::unique_ptr<Store>(new Store(std::move(options), std::move(writer)));
}

absl::StatusOr<Outcome> Store::Change(const ChangeHeader& header,
                                      absl::FunctionRef<absl::Status(Edit&)> edit) {
  std::lock_guard lock(write_mutex_);
  if (failed_) {
    return Error(absl::StatusCode::kUnavailable, "STORE_FAILED",
                 "the context store had an I/O error and takes no changes until the service has "
                 "been started anew; reads go on");
  }
  absl::StatusOr<Outcome> outcome = ChangeLocked(header, edit);
  if (!outcome.ok()) return NoteFailure(outcome.status());
  return outcome;
}

absl::StatusOr<Outcome> Store::ChangeLocked(const ChangeHeader& header,
                                            absl::FunctionRef<absl::Status(Edit&)> edit) {
  TANDEM_ASSIGN_OR_RETURN(Transaction transaction,
                          Transaction::Begin(*writer_, Transaction::Kind::kWrite));
  TANDEM_ASSIGN_OR_RETURN(const std::optional<Outcome> first, FindRequest(*writer_, header));
  if (first) return *first;
  TANDEM_ASSIGN_OR_RETURN(Head head, ReadHead(*writer_, header.tenant));

  Edit changes(*writer_, header.tenant, head.newest.Next());
  TANDEM_RETURN_IF_ERROR(edit(changes));
  Outcome outcome = changes.outcome();
  outcome.version = head.newest;
  if (changes.changed()) {
    head.newest = head.newest.Next();
    head.time_us = std::max(head.time_us, absl::ToUnixMicros(header.now));
    head.entities += std::int64_t{outcome.created} - std::int64_t{outcome.deleted};
    if (outcome.created > 0 && head.entities > options_.entities_max) {
      return Error(absl::StatusCode::kResourceExhausted, "ENTITY_LIMIT",
                   fmt::format("the tenant would have {} entities; at most {} are kept: delete "
                               "some first; nothing was changed",
                               head.entities, options_.entities_max));
    }
    TANDEM_RETURN_IF_ERROR(WriteRevision(*writer_, header, outcome, head));
  }
  if (header.check_only) return outcome;
  outcome.version = head.newest;
  TANDEM_RETURN_IF_ERROR(RememberRequest(*writer_, header, outcome, options_.requests_max, head));
  TANDEM_RETURN_IF_ERROR(WriteHead(*writer_, header.tenant, head));
  TANDEM_RETURN_IF_ERROR(transaction.Commit());
  return outcome;
}

absl::Status Store::NoteFailure(absl::Status status) {
  const std::string reason = ReasonOf(status);
  if (reason != "STORE_FAILED" && reason != "STORE_DAMAGED") return status;
  failed_ = true;
  return Error(absl::StatusCode::kUnavailable, reason,
               fmt::format("{}; the change may or may not have been kept: send it again with the "
                           "same request_id once the service has been started anew",
                           MessageOf(status)));
}

}  // namespace tandem::context
