// Moves what is committed from the write-ahead log into the database, beside the writer.
//
// One thread, `journal-ckpt`, with a connection of its own: a checkpoint inside the writer would
// make a commit wait 50 ms. Ordinary checkpoints (PASSIVE) stop nobody. Only when the log has grown
// large the writer is held at the gate for the short rest (RESTART), so that the log begins anew in
// the same file: rewriting blocks that exist makes an fsync half as long as growing a file.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "router/journal/sqlite_connection.h"

namespace tandem::journal::sqlite {

// Lets the writer and the checkpointer in one at a time. The checkpointer goes first: a busy writer
// would leave it no gap. Thread-safe.
class WriterGate {
 public:
  void EnterAsWriter();
  void EnterAsCheckpointer();
  void Leave();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool taken_ = false;                    // guarded by mutex_
  bool checkpointer_is_waiting_ = false;  // guarded by mutex_
};

struct CheckpointLimits {
  std::int64_t page_bytes = 0;           // of the database
  std::int64_t passive_bytes = 8 << 20;  // of the log not yet in the database
  // Of the log in all. Small, because it is written over again and again: blocks that the file has
  // already cost the kernel half of what new ones do. 64 MiB measured the same, 256 MiB 10 % more.
  std::int64_t restart_bytes = 32 << 20;
};

class Checkpointer {
 public:
  // `fail` is called from the thread, at most once, with an error after which nothing may be
  // acknowledged any more. REQUIRES: the connection is set up; the gate outlives this object.
  Checkpointer(Connection connection, WriterGate& gate, CheckpointLimits limits,
               absl::AnyInvocable<void(absl::Status)> fail);
  // Ends the thread; a checkpoint that runs is finished first.
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  // From the writer: the log has `frames` pages now.
  void Committed(std::int64_t frames);
  // Bytes of the log that are not in the database yet. Thread-safe.
  std::int64_t PendingBytes() const;

 private:
  struct Progress {
    std::int64_t logged = 0;  // pages in the log
    std::int64_t copied = 0;  // of them in the database
  };

  void Run();
  bool IsDue() const;
  // One PASSIVE checkpoint, and when the log is large a RESTART. False after a final error.
  bool Checkpoint();
  absl::Status Call(int mode, Progress* progress);
  // One PASSIVE checkpoint, made durable.
  absl::Status CopyBeside(Progress* progress);
  absl::Status Restart();

  const Connection connection_;
  WriterGate& gate_;
  const std::int64_t frame_bytes_;  // a page and its header in the log
  const std::int64_t passive_frames_;
  const std::int64_t restart_frames_;
  absl::AnyInvocable<void(absl::Status)> fail_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Progress progress_;            // guarded by mutex_
  std::int64_t not_before_ = 0;  // guarded by mutex_; pages in the log, after a vain attempt
  bool stopping_ = false;        // guarded by mutex_
  std::thread thread_;           // last: it uses everything above
};

}  // namespace tandem::journal::sqlite
