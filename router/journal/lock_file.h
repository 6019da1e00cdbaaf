// An exclusive lock between processes on a file of its own, and within one process too.
//
// The kernel drops it when the process ends, however it ends: no stale locks.
#pragma once

#include <absl/status/statusor.h>

#include <string>

namespace tandem::journal {

class LockFile {
 public:
  // FAILED_PRECONDITION with reason JOURNAL_IN_USE when another owner has it; the text names the
  // process as far as the file tells. Does not wait.
  static absl::StatusOr<LockFile> Acquire(const std::string& path);

  LockFile(LockFile&& other) noexcept;
  LockFile& operator=(LockFile&& other) noexcept;
  ~LockFile();

 private:
  explicit LockFile(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace tandem::journal
