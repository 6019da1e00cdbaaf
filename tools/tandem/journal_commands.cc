// `tandem journal …`: on the files of a router, beside it or long after it; no connection is made.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <ostream>
#include <system_error>
#include <utility>

#include "router/base/status.h"
#include "router/base/text.h"
#include "router/journal/export.h"
#include "router/journal/journal.h"
#include "router/journal/verify.h"
#include "tools/tandem/commands.h"
#include "tools/tandem/failure.h"
#include "tools/tandem/journal_view.h"
#include "tools/tandem/names.h"

namespace tandem::cli {
namespace {

constexpr char kJournalFile[] = "journal.db";
constexpr char kRouterFolder[] = "router";
constexpr std::string_view kSqliteMagic = "SQLite format 3";

// A data folder stands for the journal in it.
std::string JournalPath(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored)) return path;
  const std::filesystem::path folder(path);
  // tandemd keeps each role in a folder of its own.
  const std::filesystem::path in_role = folder / kRouterFolder / kJournalFile;
  if (std::filesystem::is_regular_file(in_role, ignored)) return in_role.string();
  return (folder / kJournalFile).string();
}

absl::Status Exists(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_regular_file(path, error)) return absl::OkStatus();
  return Error(
      absl::StatusCode::kNotFound, "NO_JOURNAL",
      fmt::format("{}: there is no such file; expected a router's data folder, its {}, or an "
                  "export",
                  Printable(path), kJournalFile));
}

bool IsDatabase(const std::string& path) {
  std::array<char, kSqliteMagic.size()> head{};
  std::ifstream(path, std::ios::binary).read(head.data(), head.size());
  return std::string_view(head.data(), head.size()) == kSqliteMagic;
}

// A journal that is open for reading, and a reader of it.
struct OpenJournal {
  std::unique_ptr<journal::Journal> journal;
  std::unique_ptr<journal::Reader> reader;
};

absl::StatusOr<OpenJournal> Open(const std::string& path) {
  TANDEM_RETURN_IF_ERROR(Exists(path));
  OpenJournal open;
  TANDEM_ASSIGN_OR_RETURN(open.journal,
                          journal::OpenSqliteJournal({.path = path, .read_only = true}));
  TANDEM_ASSIGN_OR_RETURN(open.reader, open.journal->OpenReader());
  return open;
}

absl::StatusOr<int> VerifyJournal(Session& session, const std::string& path) {
  journal::VerifyOptions options;
  TANDEM_ASSIGN_OR_RETURN(const std::string tenant, session.Tenant());
  if (!tenant.empty() && tenant != "tenants/-") {
    options.tenants = {TenantId(TenantOf(tenant))};
  }
  TANDEM_ASSIGN_OR_RETURN(const OpenJournal open, Open(path));
  const journal::VerifyReport report = journal::Verify(*open.reader, options);
  session.out() << (session.options.json ? VerifyJson(report) : VerifyText(report, session.look()));
  return report.FirstError().ok() ? kExitOk : kExitFinding;
}

absl::StatusOr<int> Verify(Session& session, const std::string& given) {
  const std::string path = JournalPath(given);
  TANDEM_RETURN_IF_ERROR(Exists(path));
  if (IsDatabase(path)) return VerifyJournal(session, path);
  TANDEM_ASSIGN_OR_RETURN(const journal::ExportSummary summary, journal::VerifyExport(path));
  session.out() << (session.options.json ? ExportJson(summary)
                                         : ExportText("verified", summary, session.look()));
  return kExitOk;
}

// A file that comes into being whole or not at all: written beside its name, then renamed.
class NewFile {
 public:
  explicit NewFile(std::string path) : path_(std::move(path)), part_(path_ + ".part") {}
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile() {
    if (fd_ < 0) return;
    close(fd_);
    unlink(part_.c_str());
  }

  absl::Status Create() {
    // Incidents are nobody else's business on this machine.
    fd_ = open(part_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return fd_ >= 0 ? absl::OkStatus() : Failed("create");
  }

  absl::Status Write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t wrote = write(fd_, bytes.data(), bytes.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) return Failed("write");
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return absl::OkStatus();
  }

  absl::Status Commit() {
    if (fsync(fd_) != 0) return Failed("flush");
    if (rename(part_.c_str(), path_.c_str()) != 0) return Failed("rename");
    close(std::exchange(fd_, -1));
    return absl::OkStatus();
  }

 private:
  absl::Status Failed(std::string_view did) const {
    return Error(absl::StatusCode::kFailedPrecondition, "FILE_UNWRITABLE",
                 fmt::format("{}: cannot {}: {}", Printable(path_), did,
                             std::generic_category().message(errno)));
  }

  const std::string path_, part_;
  int fd_ = -1;
};

struct ExportOptions {
  std::string path;
  std::string out;
};

absl::StatusOr<int> Export(Session& session, const ExportOptions& options) {
  TANDEM_ASSIGN_OR_RETURN(const std::string tenant, session.NamedTenant());
  TANDEM_ASSIGN_OR_RETURN(const OpenJournal open, Open(JournalPath(options.path)));
  NewFile file(options.out);
  TANDEM_RETURN_IF_ERROR(file.Create());
  TANDEM_ASSIGN_OR_RETURN(
      const journal::ExportSummary summary,
      journal::ExportTenant(*open.reader, TenantId(TenantOf(tenant)),
                            [&](std::string_view bytes) { return file.Write(bytes); }));
  TANDEM_RETURN_IF_ERROR(file.Commit());
  session.out() << (session.options.json ? ExportJson(summary)
                                         : ExportText("exported", summary, session.look()));
  return kExitOk;
}

}  // namespace

void AddJournalCommands(const Command& root, Session& session) {
  const Command journal = root.Sub("journal", "Verify and export the history, without a router");

  auto path = std::make_shared<std::string>();
  const Command verify = journal.Sub(
      "verify", "Check every hash and link; exit code 1 when something was altered or lost");
  verify.Add({.names = "path",
              .help = "A data folder, its journal.db, or an export",
              .value = "FOLDER|FILE",
              .required = true},
             *path);
  verify.Runs([&session, path] { return Verify(session, *path); });

  auto options = std::make_shared<ExportOptions>();
  const Command exporting =
      journal.Sub("export", "Write the history of --tenant to a file that can be verified alone");
  exporting.Add({.names = "path",
                 .help = "A data folder or its journal.db",
                 .value = "FOLDER|FILE",
                 .required = true},
                options->path);
  exporting.Add({.names = "--out", .help = "The file to write", .value = "FILE", .required = true},
                options->out);
  exporting.Runs([&session, options] { return Export(session, *options); });
}

}  // namespace tandem::cli
