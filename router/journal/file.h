// Files that are there after a power cut. Safe from any thread; nothing here retries an fsync.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace tandem::journal {

// The error of the system call that failed last: "journal: cannot {doing} {path}: {reason}".
// RESOURCE_EXHAUSTED DISK_FULL when there is no room; INTERNAL JOURNAL_IO otherwise.
absl::Status SystemError(std::string_view doing, const std::string& path);

// The folder that `path` lies in; "." for a bare name.
std::string FolderOf(const std::string& path);

// Makes the folder's entries durable: new, renamed and removed files.
absl::Status SyncFolder(const std::string& folder);

// Writes `parts` one after the other to `path` so that after a crash there is the old file or the
// whole new one: temporary name, fsync, rename, fsync of the folder.
absl::Status ReplaceFile(const std::string& path, std::initializer_list<std::string_view> parts);

// Writes every byte of the file over itself and makes it durable: see sqlite_log.h. Nothing to do
// when there is no such file.
absl::Status RewriteInPlace(const std::string& path);

// The whole file. NOT_FOUND when there is none.
absl::StatusOr<std::string> ReadFile(const std::string& path);

// Bytes that this process may still write to the file system of `path`.
absl::StatusOr<std::uint64_t> FreeSpace(const std::string& path);

}  // namespace tandem::journal
