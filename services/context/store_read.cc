// The reads of the store: each in one transaction on a connection of its own.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "router/base/check.h"
#include "router/base/status.h"
#include "services/context/store.h"

namespace tandem::context {
namespace {

constexpr char kReadRange[] = "SELECT oldest, newest FROM heads WHERE tenant=?";

// Columns of an entity: kind, id, version, time, author, side, content.
constexpr char kFindAt[] =
    "SELECT c.kind, c.id, c.version, r.time, r.author, r.side, c.content FROM changes c "
    "JOIN revisions r USING (tenant, version) "
    "WHERE c.tenant=? AND c.kind=? AND c.id=? AND c.version<=? ORDER BY c.version DESC LIMIT 1";
constexpr char kListNewest[] =
    "SELECT e.kind, e.id, e.version, r.time, r.author, r.side, c.content FROM entities e "
    "JOIN changes c USING (tenant, kind, id, version) JOIN revisions r USING (tenant, version) "
    "WHERE e.tenant=?1 AND (e.kind, e.id)>(?2, ?3) AND e.kind<=?4 AND ?5>0 "
    "ORDER BY e.kind, e.id LIMIT ?6";
constexpr char kListAt[] =
    "SELECT c.kind, c.id, c.version, r.time, r.author, r.side, c.content FROM changes c "
    "JOIN revisions r USING (tenant, version) "
    "WHERE c.tenant=?1 AND (c.kind, c.id)>(?2, ?3) AND c.kind<=?4 AND c.content IS NOT NULL "
    "AND c.version=(SELECT max(n.version) FROM changes n WHERE n.tenant=c.tenant "
    "AND n.kind=c.kind AND n.id=c.id AND n.version<=?5) "
    "ORDER BY c.kind, c.id LIMIT ?6";

// Columns of a revision: version, time, author, side, comment, change_count.
constexpr char kRevisionsBefore[] =
    "SELECT version, time, author, side, comment, change_count FROM revisions "
    "WHERE tenant=? AND version<? AND version>? ORDER BY version DESC LIMIT ?";
constexpr char kRevisionsAfter[] =
    "SELECT version, time, author, side, comment, change_count FROM revisions "
    "WHERE tenant=? AND version<? AND version>? ORDER BY version LIMIT ?";
constexpr char kRevisionsOfEntity[] =
    "SELECT r.version, r.time, r.author, r.side, r.comment, r.change_count, c.content "
    "FROM changes c JOIN revisions r USING (tenant, version) WHERE c.tenant=? AND c.version<? "
    "AND c.version>? AND c.kind=? AND c.id=? ORDER BY c.version DESC LIMIT ?";
constexpr char kChangesOf[] =
    "SELECT kind, id, content FROM changes WHERE tenant=? AND version=? ORDER BY kind, id LIMIT ?";

Author AuthorAt(const Statement& row, int column) {
  return {row.Bytes(column), static_cast<Side>(row.Int(column + 1))};
}

StoredEntity EntityOf(const Statement& row) {
  return {.key = {static_cast<EntityKind>(row.Int(0)), row.Bytes(1)},
          .version = Version(row.Unsigned(2)),
          .time = absl::FromUnixMicros(row.Int(3)),
          .author = AuthorAt(row, 4),
          .content = row.Bytes(6)};
}

StoredRevision RevisionOf(const Statement& row) {
  return {.version = Version(row.Unsigned(0)),
          .time = absl::FromUnixMicros(row.Int(1)),
          .author = AuthorAt(row, 2),
          .comment = row.Bytes(4),
          .changes = {},
          .change_count = static_cast<std::uint32_t>(row.Int(5))};
}

std::optional<std::string> ContentAt(const Statement& row, int column) {
  if (row.IsNull(column)) return std::nullopt;
  return row.Bytes(column);
}

std::size_t SizeOf(const StoredRevision& revision) {
  std::size_t bytes = revision.comment.size();
  for (const auto& change : revision.changes) {
    bytes += change.key.id.size() + (change.content ? change.content->size() : 0);
  }
  return bytes;
}

absl::StatusOr<VersionRange> ReadRange(Connection& connection, const TenantId& tenant) {
  TANDEM_ASSIGN_OR_RETURN(Statement read, connection.Prepare(kReadRange));
  TANDEM_ASSIGN_OR_RETURN(const bool row, read.BindText(tenant.value).Step());
  if (!row) return VersionRange{};
  return VersionRange{Version(read.Unsigned(0)), Version(read.Unsigned(1))};
}

// `at`, or the newest for Version(0).
absl::StatusOr<Version> Readable(const VersionRange& range, Version at) {
  if (!at) return range.newest;
  if (at > range.newest) {
    return Error(
        absl::StatusCode::kOutOfRange, "VERSION_UNKNOWN",
        fmt::format("version {} is not there yet; the newest is {}", at.value, range.newest.value));
  }
  if (at < range.oldest) {
    return Error(absl::StatusCode::kOutOfRange, "VERSION_TOO_OLD",
                 fmt::format("version {} is no longer kept; the oldest is {}", at.value,
                             range.oldest.value));
  }
  return at;
}

// Fills in the changes of `revision`, up to `changes_max` and about `bytes_max`.
absl::Status LoadChanges(Connection& connection, const TenantId& tenant, std::size_t changes_max,
                         std::size_t bytes_max, StoredRevision& revision) {
  TANDEM_ASSIGN_OR_RETURN(Statement list, connection.Prepare(kChangesOf));
  list.BindText(tenant.value).Bind(revision.version.value).Bind(std::uint64_t{changes_max});
  std::size_t bytes = 0;
  while (bytes < bytes_max) {
    TANDEM_ASSIGN_OR_RETURN(const bool row, list.Step());
    if (!row) break;
    revision.changes.push_back(
        {{static_cast<EntityKind>(list.Int(0)), list.Bytes(1)}, ContentAt(list, 2)});
    const auto& content = revision.changes.back().content;
    bytes += content ? content->size() : 0;
  }
  return absl::OkStatus();
}

// Takes revisions from `rows` (one row more than the limit was asked for) into a page.
template <typename Load>
absl::Status FillPage(Statement& rows, const ReadLimit& limit, Load load, RevisionPage& page) {
  std::size_t bytes = 0;
  while (true) {
    TANDEM_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return absl::OkStatus();
    if (page.revisions.size() >= limit.rows || bytes >= limit.bytes) break;
    StoredRevision revision = RevisionOf(rows);
    TANDEM_RETURN_IF_ERROR(load(revision));
    bytes += SizeOf(revision);
    if (!page.revisions.empty() && bytes > limit.bytes) break;
    page.revisions.push_back(std::move(revision));
  }
  page.more = true;
  return absl::OkStatus();
}

}  // namespace

// A connection for one read, with its transaction.
class Store::Reader {
 public:
  static absl::StatusOr<Reader> Begin(Store& store) {
    TANDEM_ASSIGN_OR_RETURN(auto connection, store.TakeReader());
    auto transaction = Transaction::Begin(*connection, Transaction::Kind::kRead);
    TANDEM_RETURN_IF_ERROR(transaction.status());
    return Reader(store, std::move(connection), *std::move(transaction));
  }
  ~Reader() {
    if (connection_ == nullptr) return;
    transaction_.reset();
    store_->ReturnReader(std::move(connection_));
  }
  Reader(Reader&& other) noexcept
      : store_(other.store_),
        connection_(std::move(other.connection_)),
        transaction_(std::move(other.transaction_)) {
    other.transaction_.reset();
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  Reader& operator=(Reader&&) = delete;

  Connection& operator*() const { return *connection_; }

 private:
  Reader(Store& store, std::unique_ptr<Connection> connection, Transaction transaction)
      : store_(&store), connection_(std::move(connection)), transaction_(std::move(transaction)) {}

  Store* store_;
  std::unique_ptr<Connection> connection_;
  std::optional<Transaction> transaction_;
};

absl::StatusOr<std::unique_ptr<Connection>> Store::TakeReader() {
  {
    std::lock_guard lock(readers_mutex_);
    if (!idle_readers_.empty()) {
      auto reader = std::move(idle_readers_.back());
      idle_readers_.pop_back();
      return reader;
    }
  }
  return Connection::Open(options_.path, Connection::Mode::kReadOnly);
}

void Store::ReturnReader(std::unique_ptr<Connection> reader) {
  std::lock_guard lock(readers_mutex_);
  idle_readers_.push_back(std::move(reader));
}

absl::StatusOr<VersionRange> Store::Range(const TenantId& tenant) {
  TANDEM_ASSIGN_OR_RETURN(const Reader reader, Reader::Begin(*this));
  return ReadRange(*reader, tenant);
}

absl::StatusOr<std::optional<StoredEntity>> Store::Find(const TenantId& tenant,
                                                        const EntityKey& key, Version at) {
  TANDEM_ASSIGN_OR_RETURN(const Reader reader, Reader::Begin(*this));
  TANDEM_ASSIGN_OR_RETURN(const VersionRange range, ReadRange(*reader, tenant));
  TANDEM_ASSIGN_OR_RETURN(const Version version, Readable(range, at));
  TANDEM_ASSIGN_OR_RETURN(Statement find, (*reader).Prepare(kFindAt));
  find.BindText(tenant.value).Bind(static_cast<std::uint32_t>(key.kind)).BindText(key.id);
  TANDEM_ASSIGN_OR_RETURN(const bool row, find.Bind(version.value).Step());
  if (!row || find.IsNull(6)) return std::nullopt;
  return EntityOf(find);
}

absl::StatusOr<EntityPage> Store::List(const TenantId& tenant, const ListQuery& query) {
  TANDEM_ASSIGN_OR_RETURN(const Reader reader, Reader::Begin(*this));
  TANDEM_ASSIGN_OR_RETURN(const VersionRange range, ReadRange(*reader, tenant));
  EntityPage page;
  TANDEM_ASSIGN_OR_RETURN(page.version, Readable(range, query.at));
  if (!page.version) return page;

  // Ids are not empty, so (kind, "") lies just before the first entity of that kind.
  const std::uint32_t kind = query.kind ? static_cast<std::uint32_t>(*query.kind) : 0;
  const std::uint32_t after_kind =
      query.after ? static_cast<std::uint32_t>(query.after->kind) : kind;
  const std::uint32_t last_kind = query.kind ? kind : std::numeric_limits<std::uint8_t>::max();
  TANDEM_ASSIGN_OR_RETURN(Statement list,
                          (*reader).Prepare(page.version == range.newest ? kListNewest : kListAt));
  list.BindText(tenant.value)
      .Bind(after_kind)
      .BindText(query.after ? std::string_view(query.after->id) : std::string_view(""))
      .Bind(last_kind)
      .Bind(page.version.value)
      .Bind(std::uint64_t{query.limit.rows} + 1);
  std::size_t bytes = 0;
  while (true) {
    TANDEM_ASSIGN_OR_RETURN(const bool row, list.Step());
    if (!row) return page;
    if (page.entities.size() >= query.limit.rows || bytes >= query.limit.bytes) break;
    page.entities.push_back(EntityOf(list));
    bytes += page.entities.back().content.size() + page.entities.back().key.id.size();
  }
  page.more = true;
  return page;
}

absl::StatusOr<RevisionPage> Store::History(const TenantId& tenant, const HistoryQuery& query) {
  TANDEM_ASSIGN_OR_RETURN(const Reader reader, Reader::Begin(*this));
  RevisionPage page;
  TANDEM_ASSIGN_OR_RETURN(page.range, ReadRange(*reader, tenant));
  const Version before = query.before ? query.before : page.range.newest.Next();
  TANDEM_ASSIGN_OR_RETURN(Statement rows,
                          (*reader).Prepare(query.entity ? kRevisionsOfEntity : kRevisionsBefore));
  rows.BindText(tenant.value).Bind(before.value).Bind(page.range.oldest.value);
  if (query.entity) {
    rows.Bind(static_cast<std::uint32_t>(query.entity->kind)).BindText(query.entity->id);
  }
  rows.Bind(std::uint64_t{query.limit.rows} + 1);
  const auto load = [&](StoredRevision& revision) -> absl::Status {
    if (query.entity) {
      revision.changes.push_back({*query.entity, ContentAt(rows, 6)});
      return absl::OkStatus();
    }
    return LoadChanges(*reader, tenant, query.changes_max, query.limit.bytes, revision);
  };
  TANDEM_RETURN_IF_ERROR(FillPage(rows, query.limit, load, page));
  return page;
}

absl::StatusOr<RevisionPage> Store::After(const TenantId& tenant, const AfterQuery& query) {
  TANDEM_ASSIGN_OR_RETURN(const Reader reader, Reader::Begin(*this));
  RevisionPage page;
  TANDEM_ASSIGN_OR_RETURN(page.range, ReadRange(*reader, tenant));
  TANDEM_ASSIGN_OR_RETURN(Statement rows, (*reader).Prepare(kRevisionsAfter));
  rows.BindText(tenant.value)
      .Bind(page.range.newest.Next().value)
      .Bind(query.after.value)
      .Bind(std::uint64_t{query.limit.rows} + 1);
  const auto load = [&](StoredRevision& revision) {
    return LoadChanges(*reader, tenant, query.changes_max, query.limit.bytes, revision);
  };
  TANDEM_RETURN_IF_ERROR(FillPage(rows, query.limit, load, page));
  return page;
}

}  // namespace tandem::context
