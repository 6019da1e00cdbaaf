#include "tools/tandem/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "router/base/status.h"
#include "router/base/text.h"

namespace tandem::cli {
namespace {

absl::Status Failed(const std::string& path, std::string_view did, int error) {
  const absl::StatusCode code = error == ENOENT   ? absl::StatusCode::kNotFound
                                : error == EACCES ? absl::StatusCode::kPermissionDenied
                                                  : absl::StatusCode::kFailedPrecondition;
  return Error(code, "FILE_UNREADABLE",
               fmt::format("{}: cannot {}: {}", Printable(path), did,
                           std::generic_category().message(error)));
}

}  // namespace

absl::StatusOr<int> OpenToRead(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Failed(path, "open", errno);
  return fd;
}

absl::StatusOr<std::string> ReadFile(const std::string& path, std::size_t max_bytes) {
  const bool standard = path == "-";
  int fd = STDIN_FILENO;
  if (!standard) {
    TANDEM_ASSIGN_OR_RETURN(fd, OpenToRead(path));
  }
  std::string text;
  std::array<char, 65536> buffer;
  absl::Status status;
  while (text.size() <= max_bytes) {
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got == 0) break;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      status = Failed(path, "read", errno);
      break;
    }
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  if (!standard) close(fd);
  TANDEM_RETURN_IF_ERROR(status);
  if (text.size() > max_bytes) {
    return Error(absl::StatusCode::kResourceExhausted, "FILE_TOO_LARGE",
                 fmt::format("{}: larger than {} bytes, which is the most that is taken",
                             Printable(path), max_bytes));
  }
  return text;
}

}  // namespace tandem::cli
