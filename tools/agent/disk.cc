#include "tools/agent/disk.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "router/base/status.h"

namespace tandem::client {

FileHandle& FileHandle::operator=(FileHandle&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

FileHandle::~FileHandle() {
  if (fd_ >= 0) ::close(fd_);
}

absl::Status DiskError(std::string_view action, std::string_view file, int error) {
  const std::string why = std::generic_category().message(error);
  if (error == ENOSPC || error == EDQUOT) {
    return Error(absl::StatusCode::kResourceExhausted, "DISK_FULL",
                 fmt::format("cannot {} {}: {}; free some room on that disk", action, file, why));
  }
  return Error(absl::StatusCode::kInternal, "SPOOL_IO",
               fmt::format("cannot {} {}: {}", action, file, why));
}

absl::StatusOr<FileHandle> OpenFile(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  if (fd < 0) {
    if (errno == ENOENT) {
      return Error(absl::StatusCode::kNotFound, "NO_SUCH_FILE",
                   fmt::format("cannot open {}: no such file", path));
    }
    return DiskError("open", path, errno);
  }
  return FileHandle(fd);
}

absl::Status WriteAt(const FileHandle& file, const std::string& path, std::uint64_t offset,
                     std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(file.fd(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0) {
      if (errno == EINTR) continue;
      return DiskError("write", path, errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadAt(const FileHandle& file, const std::string& path,
                                   std::uint64_t offset, std::size_t length) {
  std::string bytes(length, '\0');
  std::size_t got = 0;
  while (got < length) {
    const ssize_t n =
        ::pread(file.fd(), bytes.data() + got, length - got, static_cast<off_t>(offset + got));
    if (n < 0) {
      if (errno == EINTR) continue;
      return DiskError("read", path, errno);
    }
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  bytes.resize(got);
  return bytes;
}

absl::StatusOr<std::string> ReadWholeFile(const std::string& path, std::size_t max_bytes) {
  TANDEM_ASSIGN_OR_RETURN(const FileHandle file, OpenFile(path, O_RDONLY));
  struct stat stat = {};
  if (::fstat(file.fd(), &stat) != 0) return DiskError("look at", path, errno);
  if (static_cast<std::uint64_t>(stat.st_size) > max_bytes) {
    return Error(
        absl::StatusCode::kResourceExhausted, "FILE_TOO_LARGE",
        fmt::format("{} has {} bytes, at most {} were expected", path, stat.st_size, max_bytes));
  }
  return ReadAt(file, path, 0, static_cast<std::size_t>(stat.st_size));
}

absl::Status SyncFile(const FileHandle& file, const std::string& path) {
  if (::fdatasync(file.fd()) != 0) return DiskError("fsync", path, errno);
  return absl::OkStatus();
}

absl::Status SyncDirectory(const std::string& directory) {
  TANDEM_ASSIGN_OR_RETURN(const FileHandle handle, OpenFile(directory, O_RDONLY | O_DIRECTORY));
  if (::fsync(handle.fd()) != 0) return DiskError("fsync", directory, errno);
  return absl::OkStatus();
}

absl::Status ReplaceFile(const std::string& directory, const std::string& name,
                         std::string_view bytes) {
  const std::string path = fmt::format("{}/{}", directory, name);
  const std::string fresh = path + ".new";
  TANDEM_ASSIGN_OR_RETURN(const FileHandle file, OpenFile(fresh, O_WRONLY | O_CREAT | O_TRUNC));
  TANDEM_RETURN_IF_ERROR(WriteAt(file, fresh, 0, bytes));
  TANDEM_RETURN_IF_ERROR(SyncFile(file, fresh));
  if (::rename(fresh.c_str(), path.c_str()) != 0) return DiskError("rename", fresh, errno);
  return SyncDirectory(directory);
}

}  // namespace tandem::client
