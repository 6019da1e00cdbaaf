// SQLite's C interface, held by objects that clean up after themselves and speak absl::Status.
//
// A Connection and its statements belong to one thread at a time.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace tandem::context {

// A prepared statement between two executions. Texts and blobs are bound without a copy: what they
// point to must live until the statement is stepped for the last time.
class Statement {
 public:
  // `statement` stays owned by its Connection.
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  // Resets, so that no read transaction stays open behind it.
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  Statement& operator=(Statement&&) = delete;

  // Parameters from 1, in order: each call binds the next one.
  Statement& Bind(std::int64_t value);
  Statement& Bind(std::uint64_t value) { return Bind(static_cast<std::int64_t>(value)); }
  Statement& Bind(std::uint32_t value) { return Bind(static_cast<std::int64_t>(value)); }
  Statement& BindText(std::string_view value);
  Statement& BindBlob(std::string_view value);
  Statement& BindNull();

  // True when there is a row, false at the end.
  absl::StatusOr<bool> Step();
  // For a statement without rows.
  absl::Status Run();

  // Columns of the row, from 0.
  std::int64_t Int(int column) const;
  std::uint64_t Unsigned(int column) const { return static_cast<std::uint64_t>(Int(column)); }
  bool IsNull(int column) const;
  std::string Bytes(int column) const;

 private:
  sqlite3_stmt* statement_;
  int next_parameter_ = 1;
  int bind_error_ = 0;
};

class Connection {
 public:
  enum class Mode { kReadWrite, kReadOnly };

  // Opens `path` (made when it is not there and the mode allows) in WAL mode with synchronous=FULL,
  // and reads both back: FAILED_PRECONDITION when the disk or the build does not give them.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const std::string& path, Mode mode);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // `sql` must be a literal: statements are kept by it, prepared once.
  absl::StatusOr<Statement> Prepare(const char* sql);
  // Several statements without parameters and rows.
  absl::Status Execute(const char* sql);
  // The first column of the first row; FAILED_PRECONDITION when there is no row.
  absl::StatusOr<std::string> Ask(const char* sql);
  // Rows that the last statement changed.
  std::int64_t Changes() const;

 private:
  explicit Connection(sqlite3* db) : db_(db) {}
  absl::Status Configure(Mode mode);

  sqlite3* db_;
  std::map<std::string, sqlite3_stmt*, std::less<>> statements_;
};

// A transaction that is rolled back unless it was committed.
class Transaction {
 public:
  enum class Kind { kRead, kWrite };
  static absl::StatusOr<Transaction> Begin(Connection& connection, Kind kind);
  ~Transaction();
  Transaction(Transaction&& other) noexcept;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  Transaction& operator=(Transaction&&) = delete;

  absl::Status Commit();

 private:
  explicit Transaction(Connection& connection) : connection_(&connection) {}
  Connection* connection_;  // nullptr when it is over
};

// Reasons of the errors of this file: DISK_FULL (RESOURCE_EXHAUSTED; nothing was taken, reads go
// on), STORE_BUSY (UNAVAILABLE), STORE_DAMAGED (DATA_LOSS) and STORE_FAILED (INTERNAL; what was
// being committed may or may not be there).
absl::Status SqliteError(sqlite3* db, int code, std::string_view doing);

}  // namespace tandem::context
