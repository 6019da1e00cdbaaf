#include "router/journal/lock_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/journal/file.h"

namespace tandem::journal {
namespace {

std::string OwnerIn(int descriptor) {
  char text[32];
  const ssize_t size = ::pread(descriptor, text, sizeof(text), 0);
  return Printable(std::string_view(text, size > 0 ? static_cast<std::size_t>(size) : 0));
}

}  // namespace

absl::StatusOr<LockFile> LockFile::Acquire(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (descriptor < 0) return SystemError("open", path);
  LockFile lock(descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return SystemError("lock", path);
    return Error(absl::StatusCode::kFailedPrecondition, "JOURNAL_IN_USE",
                 fmt::format("journal: process {} has {} locked; one journal has one writer. Stop "
                             "that process, or give this one a data folder of its own",
                             OwnerIn(descriptor), path));
  }
  // For people only; the lock does not depend on it.
  const std::string owner = fmt::format("{}", ::getpid());
  if (::ftruncate(descriptor, 0) == 0 && ::pwrite(descriptor, owner.data(), owner.size(), 0) < 0) {
    // A full disk must not keep the journal closed: it can still be read.
  }
  return lock;
}

LockFile::LockFile(LockFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

LockFile& LockFile::operator=(LockFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

LockFile::~LockFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace tandem::journal
