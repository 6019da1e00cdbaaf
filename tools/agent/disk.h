// The few file operations that the spool is made of, with errors that name the file.
//
// Safe to call from any thread.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace tandem::client {

// Closes its descriptor at the end.
class FileHandle {
 public:
  FileHandle() = default;
  explicit FileHandle(int fd) : fd_(fd) {}
  FileHandle(FileHandle&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileHandle& operator=(FileHandle&& other) noexcept;
  FileHandle(const FileHandle&) = delete;
  FileHandle& operator=(const FileHandle&) = delete;
  ~FileHandle();

  int fd() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// The errno of `action` on `file` as a status: RESOURCE_EXHAUSTED with reason DISK_FULL for a full
// disk or quota, else INTERNAL with reason SPOOL_IO.
absl::Status DiskError(std::string_view action, std::string_view file, int error);

// Opens with open(2)'s `flags`; a new file has mode 0600.
absl::StatusOr<FileHandle> OpenFile(const std::string& path, int flags);

// All of `bytes` at `offset`, or an error after which any part of them may be there.
absl::Status WriteAt(const FileHandle& file, const std::string& path, std::uint64_t offset,
                     std::string_view bytes);

// `length` bytes from `offset`; fewer when the file ends before.
absl::StatusOr<std::string> ReadAt(const FileHandle& file, const std::string& path,
                                   std::uint64_t offset, std::size_t length);

// The whole file. RESOURCE_EXHAUSTED when it is larger than `max_bytes`, NOT_FOUND when it is
// missing.
absl::StatusOr<std::string> ReadWholeFile(const std::string& path, std::size_t max_bytes);

// Makes file bytes, and with SyncDirectory the names in a directory, durable.
absl::Status SyncFile(const FileHandle& file, const std::string& path);
absl::Status SyncDirectory(const std::string& directory);

// Puts `bytes` in the place of `directory/name`: after a crash there is the old file or the new.
absl::Status ReplaceFile(const std::string& directory, const std::string& name,
                         std::string_view bytes);

}  // namespace tandem::client
