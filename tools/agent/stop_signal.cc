#include "tools/agent/stop_signal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "router/base/check.h"

namespace tandem::client {
namespace {

// A signal handler reaches nothing but globals.
std::array<int, 2> pipe_ends = {-1, -1};

void OnSignal(int) {
  const int saved = errno;
  // A full pipe has said it already.
  [[maybe_unused]] const ssize_t written = ::write(pipe_ends[1], "x", 1);
  errno = saved;
}

void Handle(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  ::sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM}) ::sigaction(signal, &action, nullptr);
}

}  // namespace

StopSignal::StopSignal() {
  TANDEM_CHECK(pipe_ends[0] < 0, "one StopSignal a process");
  TANDEM_CHECK(::pipe2(pipe_ends.data(), O_CLOEXEC | O_NONBLOCK) == 0, "a pipe");
  Handle(OnSignal);
}

StopSignal::~StopSignal() {
  Handle(SIG_DFL);
  for (int& end : pipe_ends) {
    ::close(end);
    end = -1;
  }
}

void StopSignal::Raise() const { OnSignal(0); }

bool StopSignal::Wait(absl::Duration timeout) const {
  struct pollfd wait = {.fd = pipe_ends[0], .events = POLLIN, .revents = 0};
  struct timespec time =
      absl::ToTimespec(std::clamp(timeout, absl::ZeroDuration(), absl::Hours(24)));
  const int ready = ::ppoll(&wait, 1, &time, nullptr);
  return ready > 0 || (ready < 0 && errno == EINTR && ::poll(&wait, 1, 0) > 0);
}

bool StopSignal::AwaitReadable(int fd) const {
  std::array<struct pollfd, 2> waits = {{{.fd = pipe_ends[0], .events = POLLIN, .revents = 0},
                                         {.fd = fd, .events = POLLIN, .revents = 0}}};
  while (::poll(waits.data(), waits.size(), -1) < 0) {
    if (errno != EINTR) return true;  // the read will say what is wrong
  }
  return waits[0].revents == 0;
}

}  // namespace tandem::client
