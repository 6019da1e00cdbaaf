// Appends records to a journal and tells each one that was acknowledged: "acked N". Ends with 3 at
// the first error that is final and with 4 at a full disk; with `--lift` it frees the disk and goes
// on.
//
// A test program: it runs under libtandem_fault.so, and `--plant=retry-fsync` makes it wrong on
// purpose, so that the test can show that it would notice.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "router/base/status.h"
#include "router/journal/journal.h"

namespace {

using tandem::Sequence;
using tandem::TenantId;
namespace journal = tandem::journal;

struct Options {
  std::string path;
  std::uint64_t count = 0;
  std::size_t bytes = 1'000;  // of a body
  bool stop_on_full = true;   // false: lifts the full disk itself, once, and goes on
  bool plant_retry = false;
};

// One write each: lines of the probe and of the fault library keep their order.
void Tell(const std::string& line) {
  const std::string text = line + "\n";
  if (::write(STDOUT_FILENO, text.data(), text.size()) < 0) std::abort();
}

Options ReadOptions(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = arguments[i];
    const auto value = [&](std::string_view name) {
      return argument.starts_with(name) ? std::string(argument.substr(name.size())) : "";
    };
    if (const auto path = value("--path="); !path.empty()) options.path = path;
    if (const auto number = value("--count="); !number.empty()) options.count = std::stoull(number);
    if (const auto number = value("--bytes="); !number.empty()) options.bytes = std::stoull(number);
    if (argument == "--lift") options.stop_on_full = false;
    if (argument == "--plant=retry-fsync") options.plant_retry = true;
  }
  return options;
}

std::unique_ptr<journal::Journal> Open(const Options& options) {
  auto opened = journal::OpenSqliteJournal({.path = options.path});
  if (!opened.ok()) {
    Tell("failed to open: " + tandem::MessageOf(opened.status()));
    std::exit(3);
  }
  return *std::move(opened);
}

journal::Commit CommitOf(std::uint64_t sequence, std::size_t bytes) {
  journal::Commit commit;
  commit.records.push_back({.tenant = TenantId("plant"),
                            .sequence = Sequence(sequence),
                            .time = absl::FromUnixSeconds(1'700'000'000),
                            .body = std::string(bytes, static_cast<char>('a' + sequence % 26))});
  commit.incidents.push_back({.tenant = TenantId("plant"),
                              .number = tandem::IncidentNumber(1 + sequence % 10),
                              .updated = absl::FromUnixMicros(static_cast<std::int64_t>(sequence)),
                              .body = std::to_string(sequence)});
  return commit;
}

void LiftFullDisk() {
  const int file = ::open(std::getenv("TANDEM_FAULT_LIFTED"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) std::abort();
  ::close(file);
  Tell("lifted");
}

}  // namespace

int main(int count, char** arguments) {
  const Options options = ReadOptions(count, arguments);
  std::unique_ptr<journal::Journal> journal = Open(options);
  const auto heads = (*journal->OpenReader())->ReadHeads();
  const std::uint64_t head = heads->empty() ? 0 : heads->front().sequence.value;
  for (std::uint64_t sequence = head + 1; sequence <= head + options.count; ++sequence) {
    absl::Status status = journal->Append(CommitOf(sequence, options.bytes));
    if (journal::IsDiskFull(status)) {
      Tell("refused " + std::to_string(sequence));
      if (options.stop_on_full) return 4;
      LiftFullDisk();
      status = journal->Append(CommitOf(sequence, options.bytes));
    }
    if (!status.ok() && options.plant_retry) {
      // The planted bug: as if an error of fsync could be mended by trying again.
      journal.reset();
      journal = Open(options);
      status = journal->Append(CommitOf(sequence, options.bytes));
      if (tandem::ReasonOf(status) == "JOURNAL_GAP") status = absl::OkStatus();
    }
    if (!status.ok()) {
      Tell("failed: " + tandem::MessageOf(status));
      // A journal that has failed stays so.
      if (journal->Append(CommitOf(sequence, options.bytes)).ok()) {
        Tell("acked " + std::to_string(sequence));
      }
      return 3;
    }
    Tell("acked " + std::to_string(sequence));
  }
  return 0;
}
