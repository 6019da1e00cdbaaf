#include "services/runtime/shutdown.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <future>
#include <thread>

#include "services/runtime/sd_notify.h"

namespace tandem::runtime {
namespace {

using ::testing::ElementsAre;

// What systemd would be: a datagram socket in the abstract namespace, named in the environment.
class FakeSystemd {
 public:
  FakeSystemd() : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socklen_t length = sizeof(sa_family_t);  // The kernel picks an abstract name.
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), length), 0);
    length = sizeof(address);
    EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length), 0);
    const std::string name(address.sun_path + 1, length - offsetof(sockaddr_un, sun_path) - 1);
    setenv("NOTIFY_SOCKET", ("@" + name).c_str(), 1);
  }
  ~FakeSystemd() {
    unsetenv("NOTIFY_SOCKET");
    close(fd_);
  }
  std::string Receive() {
    char buffer[256];
    const ssize_t size = recv(fd_, buffer, sizeof(buffer), 0);
    return std::string(buffer, size < 0 ? 0 : static_cast<std::size_t>(size));
  }

 private:
  int fd_;
};

TEST(Shutdown, StopsThePartsInTheReverseOfTheirStart) {
  Shutdown shutdown({});
  std::vector<std::string> log;
  for (const char* part : {"journal", "engine", "server"}) {
    shutdown.OnStop(part, [&log, part] { log.push_back(part); });
  }
  raise(SIGTERM);

  EXPECT_EQ(shutdown.Run(), 0);
  EXPECT_THAT(log, ElementsAre("server", "engine", "journal"));
}

TEST(Shutdown, EndsOnAnInterruptToo) {
  Shutdown shutdown({});
  raise(SIGINT);

  EXPECT_EQ(shutdown.Run(), 0);
}

TEST(Shutdown, EndsWithTheCodeOfThePartThatCannotGoOn) {
  Shutdown shutdown({});
  bool stopped = false;
  shutdown.OnStop("part", [&] { stopped = true; });
  std::thread part([&] {
    shutdown.Stop(7, "the disk failed");
    shutdown.Stop(8, "and more");
  });

  EXPECT_EQ(shutdown.Run(), 7);
  EXPECT_TRUE(stopped);
  part.join();
}

TEST(Shutdown, IsForcedWhenAPartHangs) {
  std::promise<int> forced;
  auto code = forced.get_future().share();
  Shutdown shutdown({.timeout = absl::Milliseconds(1),
                     .alive = nullptr,
                     .force = [&](int exit_code) { forced.set_value(exit_code); }});
  shutdown.OnStop("hangs", [code] { code.wait(); });
  raise(SIGTERM);
  shutdown.Run();

  EXPECT_EQ(code.get(), 1);
}

TEST(Shutdown, IsForcedByASecondSignal) {
  std::promise<int> forced;
  auto code = forced.get_future().share();
  Shutdown shutdown({.timeout = absl::Hours(1), .alive = nullptr, .force = [&](int exit_code) {
                       forced.set_value(exit_code);
                     }});
  shutdown.OnStop("is slow", [code] {
    raise(SIGINT);
    code.wait();
  });
  raise(SIGTERM);
  shutdown.Run();

  EXPECT_EQ(code.get(), 1);
}

TEST(Shutdown, GoesOnInItsOrderWhenASecondSignalEndsAPause) {
  std::promise<void> hurried;
  std::vector<int> forced;
  bool last_stopped = false;
  Shutdown shutdown({.timeout = absl::Hours(1),
                     .hurry =
                         [&] {
                           hurried.set_value();
                           return true;
                         },
                     .force = [&](int exit_code) { forced.push_back(exit_code); }});
  shutdown.OnStop("last", [&] { last_stopped = true; });
  shutdown.OnStop("pauses", [&] {
    raise(SIGINT);
    hurried.get_future().wait();
  });
  raise(SIGTERM);

  EXPECT_EQ(shutdown.Run(), 0);
  EXPECT_TRUE(last_stopped);
  EXPECT_TRUE(forced.empty());
}

TEST(Shutdown, TellsSystemdThatItLivesAndThatItStops) {
  FakeSystemd systemd;
  setenv("WATCHDOG_USEC", "20000", 1);
  Shutdown shutdown({});
  std::thread observer([&] {
    EXPECT_EQ(systemd.Receive(), "WATCHDOG=1");
    EXPECT_EQ(systemd.Receive(), "WATCHDOG=1");
    shutdown.Stop(0, "seen enough");
    std::string last = systemd.Receive();
    while (last == "WATCHDOG=1") last = systemd.Receive();
    EXPECT_EQ(last, "STOPPING=1");
  });
  shutdown.Run();
  observer.join();
  unsetenv("WATCHDOG_USEC");
}

TEST(Shutdown, DoesNotClaimALifeThatItHasNotGot) {
  FakeSystemd systemd;
  setenv("WATCHDOG_USEC", "2000", 1);
  Shutdown* self = nullptr;
  int asked = 0;
  Shutdown shutdown({.timeout = absl::Seconds(30),
                     .alive =
                         [&] {
                           if (++asked == 3) self->Stop(0, "seen enough");
                           return false;
                         },
                     .force = nullptr});
  self = &shutdown;
  shutdown.Run();
  unsetenv("WATCHDOG_USEC");

  EXPECT_EQ(systemd.Receive(), "STOPPING=1");
}

TEST(NotifySystemd, DoesNothingWhenNobodyAsked) {
  unsetenv("NOTIFY_SOCKET");
  EXPECT_FALSE(NotifySystemd("READY=1"));
  setenv("NOTIFY_SOCKET", "relative", 1);
  EXPECT_FALSE(NotifySystemd("READY=1"));
  setenv("NOTIFY_SOCKET", ("/" + std::string(200, 'x')).c_str(), 1);
  EXPECT_FALSE(NotifySystemd("READY=1"));
  unsetenv("NOTIFY_SOCKET");
}

TEST(SystemdWatchdog, IsOnlyForTheProcessThatItNames) {
  setenv("WATCHDOG_USEC", "30000000", 1);
  EXPECT_EQ(SystemdWatchdog(), absl::Seconds(30));
  setenv("WATCHDOG_PID", "1", 1);
  EXPECT_EQ(SystemdWatchdog(), std::nullopt);
  setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  EXPECT_EQ(SystemdWatchdog(), absl::Seconds(30));
  setenv("WATCHDOG_USEC", "soon", 1);
  EXPECT_EQ(SystemdWatchdog(), std::nullopt);
  unsetenv("WATCHDOG_PID");
  unsetenv("WATCHDOG_USEC");
}

}  // namespace
}  // namespace tandem::runtime
