#include "router/journal/sqlite_connection.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "router/base/status.h"
#include "router/journal/errors.h"

namespace tandem::journal::sqlite {
namespace {

constexpr int kBusyTimeoutMs = 5'000;

bool IsDiskFullCode(int extended, int system_error) {
  // SQLite itself calls only ENOSPC "full"; a used-up quota is the same thing for a write, but not
  // for an fsync, which never is repeated.
  return (extended & 0xff) == SQLITE_FULL ||
         (extended == SQLITE_IOERR_WRITE && system_error == EDQUOT);
}

}  // namespace

absl::Status LastError(sqlite3* handle) {
  const int extended = sqlite3_extended_errcode(handle);
  const int system_error = sqlite3_system_errno(handle);
  const char* file = sqlite3_db_filename(handle, "main");
  std::string text = fmt::format("{}: {} (SQLite {})", file == nullptr ? "?" : file,
                                 sqlite3_errmsg(handle), extended);
  if (system_error != 0 &&
      ((extended & 0xff) == SQLITE_IOERR || (extended & 0xff) == SQLITE_CANTOPEN)) {
    text += fmt::format(": {}", std::generic_category().message(system_error));
  }
  if (IsDiskFullCode(extended, system_error)) return DiskFull(text);
  text = "journal: " + text;
  switch (extended & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Error(absl::StatusCode::kDataLoss, "JOURNAL_DAMAGED",
                   text + ". Restore the journal from a copy");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Error(absl::StatusCode::kUnavailable, "JOURNAL_BUSY",
                   text + ". Another process holds the database; find it with `fuser`");
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      return Error(absl::StatusCode::kInternal, "JOURNAL_IO", text);
    default:
      return Error(absl::StatusCode::kInternal, "JOURNAL_FAILED", text);
  }
}

void Statement::Keep(int bind_result) {
  if (bind_error_ == SQLITE_OK) bind_error_ = bind_result;
}

Statement& Statement::Bind(int parameter, std::int64_t value) {
  Keep(sqlite3_bind_int64(statement_.get(), parameter, value));
  return *this;
}

// A null pointer would bind NULL, and an empty view may have one.
Statement& Statement::BindText(int parameter, std::string_view text) {
  Keep(sqlite3_bind_text64(statement_.get(), parameter, text.empty() ? "" : text.data(),
                           text.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

Statement& Statement::BindBlob(int parameter, std::string_view bytes) {
  Keep(sqlite3_bind_blob64(statement_.get(), parameter, bytes.empty() ? "" : bytes.data(),
                           bytes.size(), SQLITE_STATIC));
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  if (bind_error_ != SQLITE_OK) return LastError(sqlite3_db_handle(statement_.get()));
  switch (sqlite3_step(statement_.get())) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      return LastError(sqlite3_db_handle(statement_.get()));
  }
}

absl::Status Statement::Run() {
  const absl::StatusOr<bool> row = Step();
  Reset();
  return row.status();
}

void Statement::Reset() {
  sqlite3_reset(statement_.get());  // repeats the error of Step, which was reported there
  bind_error_ = SQLITE_OK;
}

std::int64_t Statement::Integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::Bytes(int column) const {
  // In this order: the first call may convert, the second then tells the size of what it made.
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return data == nullptr
             ? std::string_view()
             : std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

absl::StatusOr<Connection> Connection::Open(const std::string& path, Access access) {
  const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (access == Access::kWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                              : SQLITE_OPEN_READONLY);
  sqlite3* handle = nullptr;
  const int result = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  Connection connection(handle);
  if (handle == nullptr) return absl::ResourceExhaustedError("journal: out of memory");
  if (result != SQLITE_OK) {
    return Annotate(LastError(handle), fmt::format("cannot open {}", path));
  }
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  return connection;
}

absl::StatusOr<Statement> Connection::Prepare(const char* sql) const {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) !=
      SQLITE_OK) {
    return LastError(handle());
  }
  return Statement(statement);
}

absl::Status Connection::Execute(const char* sql) const {
  if (sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return LastError(handle());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Connection::Ask(const char* sql) const {
  TANDEM_ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
  TANDEM_ASSIGN_OR_RETURN(const bool found, statement.Step());
  return found ? std::string(statement.Bytes(0)) : std::string();
}

}  // namespace tandem::journal::sqlite
