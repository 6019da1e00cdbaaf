// SQLite's C API behind two owners: a connection and a prepared statement.
//
// A connection is opened without SQLite's own mutexes, so it and its statements belong to one
// thread at a time. Text and blobs are bound without a copy: they must live until the statement is
// reset.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tandem::journal::sqlite {

class Statement {
 public:
  // Holds nothing; only to be assigned to.
  Statement() = default;

  // Parameters count from 1, columns from 0, as in SQLite.
  Statement& Bind(int parameter, std::int64_t value);
  Statement& BindText(int parameter, std::string_view text);
  Statement& BindBlob(int parameter, std::string_view bytes);

  // Goes to the next row; false behind the last one. Reset follows in either case.
  absl::StatusOr<bool> Step();
  // Runs a statement that yields no rows, and resets it.
  absl::Status Run();
  // Ends the statement, and with it the read that it holds open. Parameters stay bound.
  void Reset();

  bool is_prepared() const { return statement_ != nullptr; }
  std::int64_t Integer(int column) const;
  // Valid until the next Step or Reset.
  std::string_view Bytes(int column) const;

 private:
  friend class Connection;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  void Keep(int bind_result);

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bind_error_ = SQLITE_OK;  // the first one; Step answers with it
};

// Resets a statement at the end of a scope: `const ResetAtEnd reset(statement);`
class ResetAtEnd {
 public:
  explicit ResetAtEnd(Statement& statement) : statement_(statement) {}
  ~ResetAtEnd() { statement_.Reset(); }
  ResetAtEnd(const ResetAtEnd&) = delete;
  ResetAtEnd& operator=(const ResetAtEnd&) = delete;

 private:
  Statement& statement_;
};

enum class Access { kRead, kWrite };

class Connection {
 public:
  // kWrite creates the file when there is none. A lock of another connection is waited for up to
  // five seconds.
  static absl::StatusOr<Connection> Open(const std::string& path, Access access);

  // REQUIRES: the connection outlives the statement, and stays where it is.
  absl::StatusOr<Statement> Prepare(const char* sql) const;
  // Any number of statements that yield nothing of interest.
  absl::Status Execute(const char* sql) const;
  // The first column of the first row, as text; "" when there is no row.
  absl::StatusOr<std::string> Ask(const char* sql) const;

  bool in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }
  sqlite3* handle() const { return handle_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  explicit Connection(sqlite3* handle) : handle_(handle) {}
  std::unique_ptr<sqlite3, Close> handle_;
};

// What the last call on `handle` failed with: code, text and the system's error.
// DATA_LOSS JOURNAL_DAMAGED for a file that is not sound; UNAVAILABLE JOURNAL_BUSY when another
// process held a lock too long; RESOURCE_EXHAUSTED DISK_FULL; INTERNAL JOURNAL_IO for a failing
// disk; INTERNAL JOURNAL_FAILED for the rest. REQUIRES: the call failed.
absl::Status LastError(sqlite3* handle);

}  // namespace tandem::journal::sqlite
