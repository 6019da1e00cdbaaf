#include "router/journal/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include "router/base/status.h"
#include "router/journal/errors.h"

namespace tandem::journal {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }
  explicit operator bool() const { return value_ >= 0; }

 private:
  const int value_;
};

absl::Status WriteAll(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("write", path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status WriteDurably(const std::string& path, std::initializer_list<std::string_view> parts) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
  if (!file) return SystemError("create", path);
  for (const std::string_view part : parts) {
    TANDEM_RETURN_IF_ERROR(WriteAll(file.get(), part, path));
  }
  if (::fsync(file.get()) != 0) return SystemError("sync", path);
  return absl::OkStatus();
}

}  // namespace

absl::Status SystemError(std::string_view doing, const std::string& path) {
  const int error = errno;
  const std::string text =
      fmt::format("cannot {} {}: {}", doing, path, std::generic_category().message(error));
  if (error == ENOSPC || error == EDQUOT) return DiskFull(text);
  return Error(error == ENOENT ? absl::StatusCode::kNotFound : absl::StatusCode::kInternal,
               "JOURNAL_IO", "journal: " + text);
}

std::string FolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

absl::Status SyncFolder(const std::string& folder) {
  const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor) return SystemError("open", folder);
  if (::fsync(descriptor.get()) != 0) return SystemError("sync", folder);
  return absl::OkStatus();
}

absl::Status ReplaceFile(const std::string& path, std::initializer_list<std::string_view> parts) {
  const std::string temporary = path + ".new";
  if (absl::Status status = WriteDurably(temporary, parts); !status.ok()) {
    ::unlink(temporary.c_str());
    return status;
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return SystemError("rename to", path);
  return SyncFolder(FolderOf(path));
}

absl::Status RewriteInPlace(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file) return errno == ENOENT ? absl::OkStatus() : SystemError("open", path);
  std::vector<char> buffer(1 << 20);
  off_t at = 0;
  for (;;) {
    const ssize_t size = ::pread(file.get(), buffer.data(), buffer.size(), at);
    if (size < 0) return SystemError("read", path);
    if (size == 0) break;
    const ssize_t written = ::pwrite(file.get(), buffer.data(), static_cast<std::size_t>(size), at);
    if (written <= 0) return SystemError("write", path);
    at += written;
  }
  if (::fsync(file.get()) != 0) return SystemError("sync", path);
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return SystemError("open", path);
  struct stat about;
  if (::fstat(file.get(), &about) != 0) return SystemError("look at", path);
  std::string bytes(static_cast<std::size_t>(about.st_size), '\0');
  std::size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t size = ::read(file.get(), bytes.data() + at, bytes.size() - at);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return SystemError("read", path);
    if (size == 0) break;
    at += static_cast<std::size_t>(size);
  }
  bytes.resize(at);
  return bytes;
}

absl::StatusOr<std::uint64_t> FreeSpace(const std::string& path) {
  struct statvfs about;
  if (::statvfs(path.c_str(), &about) != 0) return SystemError("look at", path);
  return static_cast<std::uint64_t>(about.f_bavail) * about.f_frsize;
}

}  // namespace tandem::journal
