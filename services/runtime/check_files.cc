#include "services/runtime/check_files.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "router/base/text.h"
#include "services/runtime/tls.h"

namespace tandem::runtime {
namespace {

// One look, with what it has found so far.
class Look {
 public:
  Look(const LoadedConfig& loaded, absl::Time now) : loaded_(loaded), now_(now) {}

  void AtTls(const std::string& section, const TlsFiles& files, std::string_view ca_name) {
    const auto path_of = [&](TlsFinding::File file) {
      return fmt::format("{}.{}", section,
                         file == TlsFinding::File::kCert  ? "cert"
                         : file == TlsFinding::File::kKey ? "key"
                                                          : ca_name);
    };
    for (const TlsFinding& finding : FindTlsErrors(files, now_)) {
      Fail(path_of(finding.file), MessageOf(finding.status));
    }
    AtEnd(path_of(TlsFinding::File::kCert), files.cert);
    AtEnd(path_of(TlsFinding::File::kClientCa), files.client_ca);
    if (!files.key.empty()) AtMode(WhereOf(path_of(TlsFinding::File::kKey)), files.key);
  }

  // The folder, or the nearest one above it that is there: this user must be able to write in it.
  void AtDataFolder() {
    namespace fs = std::filesystem;
    const fs::path wanted = loaded_.config.data_dir;
    fs::path at = wanted;
    std::error_code error;
    while (!fs::exists(at, error) && !error && at.has_relative_path()) {
      at = at.has_parent_path() ? at.parent_path() : fs::path(".");
    }
    struct stat found = {};
    if (stat(at.c_str(), &found) != 0) {
      Fail("data_dir", fmt::format("{}: {}", Printable(at.string()), std::strerror(errno)));
    } else if (!S_ISDIR(found.st_mode)) {
      Fail("data_dir", fmt::format("{} is no folder; name another one", Printable(at.string())));
    } else if (access(at.c_str(), W_OK | X_OK) != 0) {
      Fail("data_dir",
           fmt::format("{} cannot be {}: {}; give this user (id {}) the right, or name another "
                       "folder",
                       Printable(wanted.string()), at == wanted ? "written to" : "made",
                       std::strerror(errno), geteuid()));
    }
  }

  void AtSecrets() {
    for (const LoadedConfig::SecretFile& file : loaded_.secret_files) {
      AtMode(file.where, file.path.string());
    }
  }

  FilesReport Take() { return std::move(report_); }

 private:
  std::string WhereOf(const std::string& path) const {
    const auto found = loaded_.places.find(path);
    return found == loaded_.places.end() ? path : found->second;
  }
  void Fail(const std::string& path, std::string_view what) {
    report_.errors.push_back({WhereOf(path), fmt::format("{}: {}", path, what)});
  }

  void AtEnd(const std::string& path, const std::string& file) {
    if (file.empty()) return;
    const auto dates = ReadCertificateDates(file);
    if (!dates.ok() || now_ > dates->not_after || dates->not_after - now_ > kCertificateWarning) {
      return;
    }
    report_.warnings.push_back(fmt::format("{}: {}: {} expires at {}; renew it", WhereOf(path),
                                           path, Printable(file), TimeText(dates->not_after)));
  }

  void AtMode(const std::string& where, const std::string& file) {
    struct stat found = {};
    if (stat(file.c_str(), &found) != 0 || (found.st_mode & S_IRWXO) == 0) return;
    report_.warnings.push_back(
        fmt::format("{}: {} is open to every user of the machine (mode "
                    "{:04o}); chmod o= it",
                    where, Printable(file), found.st_mode & 07777));
  }

  const LoadedConfig& loaded_;
  const absl::Time now_;
  FilesReport report_;
};

}  // namespace

FilesReport CheckFiles(const LoadedConfig& loaded, absl::Time now) {
  const Config& config = loaded.config;
  Look look(loaded, now);
  look.AtDataFolder();
  look.AtTls("grpc.tls", config.grpc.tls, "client_ca");
  look.AtTls("peers",
             {.cert = config.peers.cert,
              .key = config.peers.key,
              .client_ca = config.peers.ca,
              .require_client_cert = false},
             "ca");
  look.AtSecrets();
  return look.Take();
}

std::string LinesOf(const std::vector<FieldError>& errors) {
  std::string lines;
  for (const FieldError& error : errors) {
    lines += fmt::format("{}: {}\n", error.field, error.description);
  }
  return lines;
}

}  // namespace tandem::runtime
