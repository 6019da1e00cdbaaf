// The journal in one SQLite database: opening, the lock, the first error, and the guard against a
// full disk. What is written stands in sqlite_writer, what is read in sqlite_reader.
#include <absl/cleanup/cleanup.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <utility>

#include "router/base/status.h"
#include "router/journal/errors.h"
#include "router/journal/file.h"
#include "router/journal/journal.h"
#include "router/journal/lock_file.h"
#include "router/journal/sqlite_checkpoint.h"
#include "router/journal/sqlite_connection.h"
#include "router/journal/sqlite_log.h"
#include "router/journal/sqlite_reader.h"
#include "router/journal/sqlite_schema.h"
#include "router/journal/sqlite_writer.h"

namespace tandem::journal::sqlite {
namespace {

// The first error stays. Thread-safe.
class FirstError {
 public:
  void Set(absl::Status status) {
    const std::lock_guard lock(mutex_);
    if (!status_.ok()) return;
    status_ = std::move(status);
    is_set_.store(true, std::memory_order_release);
  }
  absl::Status Get() const {
    if (!is_set_.load(std::memory_order_acquire)) return absl::OkStatus();
    const std::lock_guard lock(mutex_);
    return status_;
  }

 private:
  mutable std::mutex mutex_;
  absl::Status status_;  // guarded by mutex_
  std::atomic<bool> is_set_ = false;
};

// What the commit takes at most: its bytes twice for half-filled pages, and four pages a row for
// the tables and indexes that it touches.
std::uint64_t RoomFor(const Commit& commit, std::uint64_t page_bytes) {
  std::uint64_t bytes = 0;
  const auto add = [&](const auto& rows) {
    for (const auto& row : rows) bytes += 2 * row.body.size() + 4 * page_bytes;
  };
  add(commit.records);
  add(commit.incidents);
  add(commit.events);
  add(commit.deliveries);
  return bytes;
}

class SqliteJournal final : public Journal {
 public:
  SqliteJournal(const SqliteOptions& options, LockFile lock, std::unique_ptr<Writer> writer,
                Connection checkpoint_connection, CheckpointLimits limits)
      : options_(options),
        page_bytes_(static_cast<std::uint64_t>(limits.page_bytes)),
        lock_(std::move(lock)),
        writer_(std::move(writer)),
        checkpointer_(std::move(checkpoint_connection), gate_, limits,
                      [this](absl::Status status) { error_.Set(std::move(status)); }) {
    sqlite3_wal_hook(
        writer_->handle(),
        [](void* self, sqlite3*, const char*, int frames) {
          static_cast<SqliteJournal*>(self)->checkpointer_.Committed(frames);
          return SQLITE_OK;
        },
        this);
  }

  ~SqliteJournal() override {
    // After an error nothing is written any more, not even by closing.
    if (!error_.Get().ok()) {
      sqlite3_db_config(writer_->handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    }
  }

  absl::Status Append(const Commit& commit) override {
    return Exclusively(RoomFor(commit, page_bytes_), [&] { return writer_->Write(commit); });
  }

  absl::StatusOr<CutCounts> Prune(const Cut& cut) override {
    // Deleting needs room too, in the log: as much as one step rewrites.
    CutCounts counts;
    TANDEM_RETURN_IF_ERROR(
        Exclusively(256 * 4 * page_bytes_, [&] { return writer_->Prune(cut, &counts); }));
    return counts;
  }

  absl::StatusOr<std::unique_ptr<Reader>> OpenReader() override {
    return SqliteReader::Open(options_.path);
  }

 private:
  template <typename Action>
  absl::Status Exclusively(std::uint64_t room, Action action) {
    TANDEM_RETURN_IF_ERROR(error_.Get());
    TANDEM_RETURN_IF_ERROR(AssertRoomFor(room));
    gate_.EnterAsWriter();
    const absl::Cleanup leave = [&] { gate_.Leave(); };
    absl::Status status = action();
    if (!status.ok() && !IsDiskFull(status)) error_.Set(status);
    return status;
  }

  // Refusing ahead of the last block keeps room for the log to be copied into the database, and for
  // the index of the log, whose failing would be final.
  absl::Status AssertRoomFor(std::uint64_t room) {
    const absl::StatusOr<std::uint64_t> space = FreeSpace(options_.path);
    if (!space.ok()) return absl::OkStatus();  // then the write itself will tell
    const std::uint64_t needed =
        options_.free_space_min + room + static_cast<std::uint64_t>(checkpointer_.PendingBytes());
    if (*space >= needed) return absl::OkStatus();
    return DiskFull(fmt::format("{} bytes are free in {}, {} are needed", *space,
                                FolderOf(options_.path), needed));
  }

  const SqliteOptions options_;
  const std::uint64_t page_bytes_;
  const LockFile lock_;
  FirstError error_;
  WriterGate gate_;
  std::unique_ptr<Writer> writer_;  // closed after the checkpointer
  Checkpointer checkpointer_;
};

class ReadOnlyJournal final : public Journal {
 public:
  explicit ReadOnlyJournal(std::string path) : path_(std::move(path)) {}

  absl::Status Append(const Commit&) override { return Refusal(); }
  absl::StatusOr<CutCounts> Prune(const Cut&) override { return Refusal(); }
  absl::StatusOr<std::unique_ptr<Reader>> OpenReader() override {
    return SqliteReader::Open(path_);
  }

 private:
  absl::Status Refusal() const {
    return Error(absl::StatusCode::kFailedPrecondition, "JOURNAL_READ_ONLY",
                 fmt::format("journal: {} was opened for reading only", path_));
  }
  const std::string path_;
};

absl::StatusOr<std::unique_ptr<Journal>> OpenForReading(const SqliteOptions& options) {
  if (::access(options.path.c_str(), R_OK) != 0) return SystemError("read", options.path);
  TANDEM_ASSIGN_OR_RETURN(const Connection connection,
                          Connection::Open(options.path, Access::kRead));
  bool empty = false;
  TANDEM_RETURN_IF_ERROR(CheckFormat(connection, &empty));
  if (empty) {
    return Error(absl::StatusCode::kNotFound, "JOURNAL_EMPTY",
                 fmt::format("journal: {} is empty: no router has written to it", options.path));
  }
  return std::make_unique<ReadOnlyJournal>(options.path);
}

// The file with the rights that its log will inherit. SQLite would let everyone read it.
absl::Status CreateFile(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
  if (descriptor < 0 && errno != EEXIST) return SystemError("create", path);
  if (descriptor >= 0) ::close(descriptor);
  return absl::OkStatus();
}

// Begins with a short log, which a kill may have left long. Not when another process still reads
// from it, or the disk is full: then it stays, and input is refused or taken like at any other
// time.
absl::Status EmptyTheLog(const Connection& connection) {
  if (sqlite3_wal_checkpoint_v2(connection.handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr,
                                nullptr) == SQLITE_OK) {
    return absl::OkStatus();
  }
  const absl::Status status = LastError(connection.handle());
  if (IsDiskFull(status) || ReasonOf(status) == "JOURNAL_BUSY") return absl::OkStatus();
  return Annotate(status, "cannot take over the write-ahead log");
}

absl::StatusOr<std::unique_ptr<Journal>> OpenForWriting(const SqliteOptions& options) {
  TANDEM_ASSIGN_OR_RETURN(LockFile lock, LockFile::Acquire(options.path + ".lock"));
  TANDEM_RETURN_IF_ERROR(CreateFile(options.path));
  TANDEM_RETURN_IF_ERROR(SyncFolder(FolderOf(options.path)));
  TANDEM_RETURN_IF_ERROR(CheckLog(options.path + "-wal"));
  TANDEM_RETURN_IF_ERROR(MakeLogDurable(options.path + "-wal"));
  TANDEM_ASSIGN_OR_RETURN(Connection connection, Connection::Open(options.path, Access::kWrite));
  bool empty = false;
  TANDEM_RETURN_IF_ERROR(CheckFormat(connection, &empty));
  TANDEM_RETURN_IF_ERROR(SetUpWriter(connection, options.page_bytes));
  TANDEM_RETURN_IF_ERROR(empty ? CreateTables(connection) : Upgrade(connection));
  TANDEM_RETURN_IF_ERROR(EmptyTheLog(connection));
  TANDEM_RETURN_IF_ERROR(SyncFolder(FolderOf(options.path)));  // SQLite does not look at this error

  TANDEM_ASSIGN_OR_RETURN(Connection checkpoint_connection,
                          Connection::Open(options.path, Access::kWrite));
  TANDEM_RETURN_IF_ERROR(SetUpCheckpointer(checkpoint_connection));
  CheckpointLimits limits;
  TANDEM_ASSIGN_OR_RETURN(limits.page_bytes, PageBytes(connection));
  TANDEM_ASSIGN_OR_RETURN(std::unique_ptr<Writer> writer, Writer::Open(std::move(connection)));
  return std::make_unique<SqliteJournal>(options, std::move(lock), std::move(writer),
                                         std::move(checkpoint_connection), limits);
}

}  // namespace
}  // namespace tandem::journal::sqlite

namespace tandem::journal {

absl::StatusOr<std::unique_ptr<Journal>> OpenSqliteJournal(const SqliteOptions& options) {
  return options.read_only ? sqlite::OpenForReading(options) : sqlite::OpenForWriting(options);
}

}  // namespace tandem::journal
