#include "services/tandemd/private_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
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

absl::Status CheckOwner(const std::string& folder, std::uint32_t user) {
  struct stat found = {};
  // Only root can make files that the folder's owner may not open; for others the folder's mode
  // decides, and the first write says so.
  if (user != 0 || stat(folder.c_str(), &found) != 0 || found.st_uid == 0) return absl::OkStatus();
  const struct passwd* owner = getpwuid(found.st_uid);
  const std::string name =
      owner != nullptr ? owner->pw_name : fmt::format("#{}", std::uint32_t{found.st_uid});
  return Error(absl::StatusCode::kFailedPrecondition, "DATA_FOLDER_FOREIGN",
               fmt::format("{} belongs to {}, and this process is root: what it writes there {} "
                           "could not open any more. Start it as {} (sudo -u {} tandemd …, or "
                           "User= of the systemd unit), or, to go on as root, give the folder to "
                           "root first: chown -R root {}",
                           folder, name, name, name, name, folder));
}

absl::Status RemoveFile(const std::string& path) {
  if (unlink(path.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return Failed("remove", path, std::strerror(errno));
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
