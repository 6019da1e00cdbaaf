#include "services/tandemd/private_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "router/base/status.h"

namespace tandem::tandemd {
namespace {

absl::Status Failed(std::string_view verb, const std::string& path, const std::string& why) {
  return Error(absl::StatusCode::kFailedPrecondition, "DATA_FOLDER",
               fmt::format("cannot {} {}: {}", verb, path, why));
}

}  // namespace

absl::Status MakePrivateFolder(const std::string& folder) {
  const mode_t before = umask(0077);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  umask(before);
  if (error) return Failed("make the folder", folder, error.message());
  return absl::OkStatus();
}

absl::Status WritePrivateFile(const std::string& path, std::string_view text) {
  const std::string temporary = path + ".new";
  unlink(temporary.c_str());
  const int file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return Failed("write", temporary, std::strerror(errno));
  const ssize_t written = write(file, text.data(), text.size());
  const bool ok = written == static_cast<ssize_t>(text.size()) && fsync(file) == 0;
  const int why = errno;
  close(file);
  if (!ok) return Failed("write", temporary, std::strerror(why));
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    return Failed("write", path, std::strerror(errno));
  }
  return absl::OkStatus();
}

}  // namespace tandem::tandemd
