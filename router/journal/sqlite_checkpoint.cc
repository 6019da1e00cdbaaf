#include "router/journal/sqlite_checkpoint.h"

#include <fmt/format.h>
#include <pthread.h>

#include <utility>

#include "router/base/status.h"
#include "router/journal/journal.h"

namespace tandem::journal::sqlite {
namespace {

// What may be left to copy while the writer waits: 1 MiB takes a few milliseconds.
constexpr std::int64_t kRestBytes = 1 << 20;

bool IsBusy(const absl::Status& status) { return ReasonOf(status) == "JOURNAL_BUSY"; }

}  // namespace

void WriterGate::EnterAsWriter() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !taken_ && !checkpointer_is_waiting_; });
  taken_ = true;
}

void WriterGate::EnterAsCheckpointer() {
  std::unique_lock lock(mutex_);
  checkpointer_is_waiting_ = true;
  changed_.wait(lock, [&] { return !taken_; });
  checkpointer_is_waiting_ = false;
  taken_ = true;
}

void WriterGate::Leave() {
  {
    const std::lock_guard lock(mutex_);
    taken_ = false;
  }
  changed_.notify_all();
}

Checkpointer::Checkpointer(Connection connection, WriterGate& gate, CheckpointLimits limits,
                           absl::AnyInvocable<void(absl::Status)> fail)
    : connection_(std::move(connection)),
      gate_(gate),
      frame_bytes_(limits.page_bytes + 24),
      passive_frames_(limits.passive_bytes / frame_bytes_),
      restart_frames_(limits.restart_bytes / frame_bytes_),
      fail_(std::move(fail)),
      thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), "journal-ckpt");
}

Checkpointer::~Checkpointer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Checkpointer::Committed(std::int64_t frames) {
  bool due = false;
  {
    const std::lock_guard lock(mutex_);
    if (frames < progress_.logged) {  // the log has begun anew
      progress_.copied = 0;
      not_before_ = 0;
    }
    progress_.logged = frames;
    due = IsDue();
  }
  if (due) changed_.notify_one();
}

std::int64_t Checkpointer::PendingBytes() const {
  const std::lock_guard lock(mutex_);
  return (progress_.logged - progress_.copied) * frame_bytes_;
}

bool Checkpointer::IsDue() const {
  return progress_.logged >= not_before_ && progress_.logged - progress_.copied >= passive_frames_;
}

void Checkpointer::Run() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stopping_ || IsDue(); });
      if (stopping_) return;
    }
    if (!Checkpoint()) return;
  }
}

bool Checkpointer::Checkpoint() {
  Progress progress;
  absl::Status status = CopyBeside(&progress);
  if (status.ok() && progress.logged >= restart_frames_) status = Restart();
  // Busy: a reader still needs the log, or another process checkpoints. Full: the log keeps what
  // the database has no room for, and nothing is lost. Both are tried again when the log has grown
  // on.
  if (status.ok() || IsBusy(status) || IsDiskFull(status)) {
    const std::lock_guard lock(mutex_);
    not_before_ = progress_.logged + passive_frames_;
    return true;
  }
  fail_(Annotate(status, "checkpoint"));
  return false;
}

absl::Status Checkpointer::Call(int mode, Progress* progress) {
  int logged = 0;
  int copied = 0;
  if (sqlite3_wal_checkpoint_v2(connection_.handle(), nullptr, mode, &logged, &copied) !=
      SQLITE_OK) {
    return LastError(connection_.handle());
  }
  *progress = {logged, copied};
  const std::lock_guard lock(mutex_);
  // The writer may have gone on meanwhile, or even begun the log anew.
  if (copied <= progress_.logged) progress_.copied = copied;
  return absl::OkStatus();
}

// SQLite syncs the database only when the copy has reached the end of the log, which it never does
// beside a busy writer: all of it would be left to the moment when the writer waits.
absl::Status Checkpointer::CopyBeside(Progress* progress) {
  TANDEM_RETURN_IF_ERROR(Call(SQLITE_CHECKPOINT_PASSIVE, progress));
  sqlite3_file* file = nullptr;
  if (sqlite3_file_control(connection_.handle(), "main", SQLITE_FCNTL_FILE_POINTER, &file) !=
          SQLITE_OK ||
      file->pMethods->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY) != SQLITE_OK) {
    return Error(
        absl::StatusCode::kInternal, "JOURNAL_IO",
        fmt::format("journal: cannot sync {}", sqlite3_db_filename(connection_.handle(), "main")));
  }
  return absl::OkStatus();
}

// Copies without stopping anybody until little is left, and that little while the writer waits.
absl::Status Checkpointer::Restart() {
  Progress progress;
  for (int i = 0; i < 3; ++i) {
    TANDEM_RETURN_IF_ERROR(CopyBeside(&progress));
    if ((progress.logged - progress.copied) * frame_bytes_ <= kRestBytes) break;
  }
  gate_.EnterAsCheckpointer();
  const absl::Status status = Call(SQLITE_CHECKPOINT_RESTART, &progress);
  gate_.Leave();
  return status;
}

}  // namespace tandem::journal::sqlite
