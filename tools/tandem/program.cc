#include "tools/tandem/program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "router/base/check.h"

namespace tandem::cli {
namespace {

using Ends = std::array<int, 2>;  // of a pipe: to read from, to write to

Ends Pipe() {
  Ends ends{};
  TANDEM_CHECK(pipe2(ends.data(), O_CLOEXEC) == 0, "a pipe");
  return ends;
}

struct Streams {
  Ends in = Pipe();
  Ends out = Pipe();
  Ends err = Pipe();
};

pid_t Start(const std::vector<std::string>& arguments, const std::string& folder,
            const Streams& streams) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, streams.in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, streams.out[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, streams.err[1], STDERR_FILENO);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  std::vector<char*> argv = {const_cast<char*>(TANDEM_PROGRAM)};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::array<char*, 2> environment = {const_cast<char*>("TZ=UTC"), nullptr};
  pid_t pid = 0;
  const int error =
      posix_spawn(&pid, TANDEM_PROGRAM, &actions, nullptr, argv.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  TANDEM_CHECK(error == 0, "the program starts");
  for (const int fd : {streams.in[0], streams.out[1], streams.err[1]}) close(fd);
  return pid;
}

void Read(pollfd& stream, std::string& into) {
  if (stream.fd < 0 || stream.revents == 0) return;
  std::array<char, 4096> chunk;
  const ssize_t got = read(stream.fd, chunk.data(), chunk.size());
  if (got > 0) {
    into.append(chunk.data(), static_cast<std::size_t>(got));
  } else {
    close(stream.fd);
    stream.fd = -1;
  }
}

}  // namespace

Outcome RunProgram(const std::vector<std::string>& arguments, const std::string& folder,
                   const std::string& input) {
  const Streams streams;
  const pid_t pid = Start(arguments, folder, streams);
  TANDEM_CHECK(
      write(streams.in[1], input.data(), input.size()) == static_cast<ssize_t>(input.size()),
      "a test's input fits a pipe");
  close(streams.in[1]);
  Outcome outcome;
  std::array<pollfd, 2> reading = {{{streams.out[0], POLLIN, 0}, {streams.err[0], POLLIN, 0}}};
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (reading[0].fd >= 0 || reading[1].fd >= 0) {
    poll(reading.data(), reading.size(), 1000);
    if (std::chrono::steady_clock::now() > until) kill(pid, SIGKILL);
    Read(reading[0], outcome.out);
    Read(reading[1], outcome.err);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

TemporaryFolder::TemporaryFolder() {
  path_ = (std::filesystem::temp_directory_path() / "tandem-cli-XXXXXX").string();
  TANDEM_CHECK(mkdtemp(path_.data()) != nullptr, "a temporary folder");
}

TemporaryFolder::~TemporaryFolder() { std::filesystem::remove_all(path_); }

std::string TemporaryFolder::Write(const std::string& name, const std::string& text) const {
  const std::filesystem::path path = std::filesystem::path(path_) / name;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << text;
  return path.string();
}

}  // namespace tandem::cli
