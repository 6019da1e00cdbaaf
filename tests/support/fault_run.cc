#include "tests/support/fault_run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <sstream>

#include "router/base/check.h"
#include "router/base/status.h"
#include "router/journal/verify.h"

namespace tandem::testing {
namespace {

[[noreturn]] void BecomeTheProbe(const ProbeRun& run, int output) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // nothing stays behind when the test dies
  ::dup2(output, STDOUT_FILENO);
  ::setenv("LD_PRELOAD", TANDEM_FAULT_LIBRARY, 1);
  for (const auto& [name, value] : run.settings) ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<std::string> words = {TANDEM_FAULT_PROBE, "--path=" + run.path};
  words.insert(words.end(), run.arguments.begin(), run.arguments.end());
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  ::execv(pointers[0], pointers.data());
  ::_exit(127);
}

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace

std::uint64_t ProbeResult::last_acked() const {
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    if (line->starts_with("acked ")) return std::stoull(line->substr(6));
  }
  return 0;
}

bool ProbeResult::Has(const std::string& start_of_a_line) const {
  for (const std::string& line : lines) {
    if (line.starts_with(start_of_a_line)) return true;
  }
  return false;
}

ProbeResult RunProbe(const ProbeRun& run) {
  std::array<int, 2> ends;
  TANDEM_CHECK(::pipe2(ends.data(), O_CLOEXEC) == 0, "pipe");
  const pid_t child = ::fork();
  TANDEM_CHECK(child >= 0, "fork");
  if (child == 0) BecomeTheProbe(run, ends[1]);
  ::close(ends[1]);
  std::string text;
  std::array<char, 4096> buffer;
  int lines = 0;
  for (ssize_t size; (size = ::read(ends[0], buffer.data(), buffer.size())) > 0;) {
    for (ssize_t i = 0; i < size; ++i) lines += buffer[static_cast<std::size_t>(i)] == '\n';
    text.append(buffer.data(), static_cast<std::size_t>(size));
    if (run.kill_after_lines > 0 && lines >= run.kill_after_lines) ::kill(child, SIGKILL);
  }
  ::close(ends[0]);
  int status = 0;
  TANDEM_CHECK(::waitpid(child, &status, 0) == child, "waitpid");
  ProbeResult result;
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  result.lines = LinesOf(text);
  return result;
}

std::vector<std::string> AcksAfterAFailedFsync(const std::vector<std::string>& lines) {
  std::vector<std::string> acks;
  bool failed = false;
  for (const std::string& line : lines) {
    if (line.starts_with("fault: fsync failed")) failed = true;
    if (failed && line.starts_with("acked ")) acks.push_back(line);
  }
  return acks;
}

std::string WhatIsWrongWith(const std::string& path, std::uint64_t last_acked) {
  auto journal = journal::OpenSqliteJournal({.path = path});
  if (!journal.ok()) return MessageOf(journal.status());
  const auto reader = (*journal)->OpenReader();
  if (!reader.ok()) return MessageOf(reader.status());
  const journal::VerifyReport report = journal::Verify(**reader, {});
  if (!report.FirstError().ok()) return MessageOf(report.FirstError());
  const std::uint64_t head = report.tenants.empty() ? 0 : report.tenants[0].last.value;
  if (head < last_acked) return fmt::format("{} was acknowledged, {} is there", last_acked, head);
  // The read model tells the same story: the probe touches one incident with every record.
  if (head == 0) return "";
  const TenantId tenant("plant");
  const auto newest = (*reader)->ListIncidents({.tenants = {tenant}, .limit = 1});
  if (!newest.ok()) return MessageOf(newest.status());
  if (newest->empty() || newest->front().body != std::to_string(head)) {
    return fmt::format("the read model does not belong to record {}", head);
  }
  return "";
}

}  // namespace tandem::testing
