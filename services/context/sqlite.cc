#include "services/context/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <utility>

#include "router/base/check.h"
#include "router/base/status.h"

namespace tandem::context {
namespace {

// A reader never waits for the writer in WAL mode; this covers a checkpoint or a backup by hand.
constexpr int kBusyTimeoutMs = 5'000;

}  // namespace

absl::Status SqliteError(sqlite3* db, int code, std::string_view doing) {
  const std::string text = fmt::format("context store: {}: {}", doing,
                                       db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code));
  switch (code & 0xFF) {
    case SQLITE_FULL:
      return AddRetry(Error(absl::StatusCode::kResourceExhausted, "DISK_FULL",
                            "the disk of the context store is full; nothing was changed, reads go "
                            "on; make room and send it again"),
                      absl::Seconds(10));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return AddRetry(Error(absl::StatusCode::kUnavailable, "STORE_BUSY", text), absl::Seconds(1));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Error(absl::StatusCode::kDataLoss, "STORE_DAMAGED", text);
    default:
      return Error(absl::StatusCode::kInternal, "STORE_FAILED", text);
  }
}

Statement::~Statement() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)),
      next_parameter_(other.next_parameter_),
      bind_error_(other.bind_error_) {}

Statement& Statement::Bind(std::int64_t value) {
  bind_error_ |= sqlite3_bind_int64(statement_, next_parameter_++, value);
  return *this;
}

Statement& Statement::BindText(std::string_view value) {
  bind_error_ |= sqlite3_bind_text64(statement_, next_parameter_++, value.data(), value.size(),
                                     SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Statement& Statement::BindBlob(std::string_view value) {
  // An empty view may have no address, which SQLite would take for NULL.
  bind_error_ |= value.empty() ? sqlite3_bind_zeroblob(statement_, next_parameter_, 0)
                               : sqlite3_bind_blob64(statement_, next_parameter_, value.data(),
                                                     value.size(), SQLITE_STATIC);
  ++next_parameter_;
  return *this;
}

Statement& Statement::BindNull() {
  bind_error_ |= sqlite3_bind_null(statement_, next_parameter_++);
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  TANDEM_CHECK(bind_error_ == SQLITE_OK, "parameters fit their statement");
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return SqliteError(sqlite3_db_handle(statement_), code, "a statement");
}

absl::Status Statement::Run() {
  TANDEM_ASSIGN_OR_RETURN(const bool row, Step());
  TANDEM_CHECK(!row, "a statement without rows gives none");
  return absl::OkStatus();
}

std::int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_, column); }

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::string Statement::Bytes(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  if (bytes == nullptr || size <= 0) return {};
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const std::string& path, Mode mode) {
  sqlite3* db = nullptr;
  const int access =
      mode == Mode::kReadWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  const int code = sqlite3_open_v2(path.c_str(), &db, access | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Connection> connection(new Connection(db));
  if (code != SQLITE_OK) return SqliteError(db, code, fmt::format("opening {}", path));
  sqlite3_extended_result_codes(db, 1);
  sqlite3_busy_timeout(db, kBusyTimeoutMs);
  TANDEM_RETURN_IF_ERROR(Annotate(connection->Configure(mode), path));
  return connection;
}

absl::Status Connection::Configure(Mode mode) {
  if (mode == Mode::kReadOnly) return absl::OkStatus();
  // journal_size_limit: a large import does not leave its log on the disk for ever.
  TANDEM_RETURN_IF_ERROR(Execute(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA journal_size_limit=67108864;"));
  TANDEM_ASSIGN_OR_RETURN(const std::string journal, Ask("PRAGMA journal_mode"));
  TANDEM_ASSIGN_OR_RETURN(const std::string synchronous, Ask("PRAGMA synchronous"));
  if (journal != "wal" || synchronous != "2") {
    return Error(absl::StatusCode::kFailedPrecondition, "STORE_NOT_DURABLE",
                 fmt::format("the store runs with journal_mode={} synchronous={}; expected wal and "
                             "2 (FULL): put it on a local file system",
                             journal, synchronous));
  }
  return absl::OkStatus();
}

Connection::~Connection() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(db_);
}

absl::StatusOr<Statement> Connection::Prepare(const char* sql) {
  auto found = statements_.find(std::string_view(sql));
  if (found == statements_.end()) {
    sqlite3_stmt* statement = nullptr;
    const int code =
        sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return SqliteError(db_, code, sql);
    found = statements_.emplace(sql, statement).first;
  }
  TANDEM_CHECK(sqlite3_stmt_busy(found->second) == 0, "a statement is used once at a time");
  return Statement(found->second);
}

absl::Status Connection::Execute(const char* sql) {
  const int code = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : SqliteError(db_, code, sql);
}

absl::StatusOr<std::string> Connection::Ask(const char* sql) {
  TANDEM_ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
  TANDEM_ASSIGN_OR_RETURN(const bool row, statement.Step());
  if (!row) {
    return Error(absl::StatusCode::kFailedPrecondition, "STORE_FAILED",
                 fmt::format("{} answers nothing", sql));
  }
  return statement.Bytes(0);
}

std::int64_t Connection::Changes() const { return sqlite3_changes64(db_); }

absl::StatusOr<Transaction> Transaction::Begin(Connection& connection, Kind kind) {
  TANDEM_RETURN_IF_ERROR(connection.Execute(kind == Kind::kWrite ? "BEGIN IMMEDIATE" : "BEGIN"));
  return Transaction(connection);
}

Transaction::~Transaction() {
  // An error here means that SQLite has already rolled back by itself.
  if (connection_ != nullptr) connection_->Execute("ROLLBACK").IgnoreError();
}

Transaction::Transaction(Transaction&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)) {}

absl::Status Transaction::Commit() {
  TANDEM_RETURN_IF_ERROR(connection_->Execute("COMMIT"));
  connection_ = nullptr;
  return absl::OkStatus();
}

}  // namespace tandem::context
