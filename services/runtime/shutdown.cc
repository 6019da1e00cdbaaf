#include "services/runtime/shutdown.h"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <thread>
#include <vector>

#include "services/runtime/logging.h"
#include "services/runtime/sd_notify.h"

namespace tandem::runtime {
namespace {

namespace asio = boost::asio;

constexpr int kForcedExit = 1;

// Ends the process when the parts take too long, or when somebody asks a second time.
class Watchdog {
 public:
  explicit Watchdog(const Shutdown::Options& options) : options_(options) {
    timer_.expires_after(absl::ToChronoMilliseconds(options.timeout));
    timer_.async_wait([this](boost::system::error_code cancelled) {
      if (!cancelled) Force("the parts did not stop in time");
    });
    AwaitSignal();
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "tandem-watchdog");
      io_.run();
    });
  }
  ~Watchdog() {
    io_.stop();
    thread_.join();
  }

 private:
  void AwaitSignal() {
    signals_.async_wait([this](boost::system::error_code cancelled, int) {
      if (cancelled) return;
      if (!options_.hurry || !options_.hurry()) return Force("a second signal");
      Log(LogLevel::kInfo, "the pause before the stop is cut short",
          {{"reason", "a second signal"}});
      AwaitSignal();
    });
  }

  void Force(std::string_view reason) {
    Log(LogLevel::kError, "the stop is forced", {{"reason", reason}});
    if (options_.force) return options_.force(kForcedExit);
    std::_Exit(kForcedExit);
  }

  const Shutdown::Options& options_;
  asio::io_context io_{1};
  asio::steady_timer timer_{io_};
  asio::signal_set signals_{io_, SIGTERM, SIGINT};
  std::thread thread_;
};

}  // namespace

class Shutdown::Impl {
 public:
  explicit Impl(Options options) : options_(std::move(options)) {
    signals_.async_wait([this](boost::system::error_code cancelled, int signal) {
      if (!cancelled) Begin(0, signal == SIGINT ? "SIGINT" : "SIGTERM");
    });
  }

  void OnStop(std::string name, std::function<void()> stop) {
    parts_.push_back({std::move(name), std::move(stop)});
  }

  void Every(absl::Duration interval, std::function<void()> act) {
    repeats_.push_back(
        std::make_unique<Repeat>(io_, absl::ToChronoMilliseconds(interval), std::move(act)));
    repeats_.back()->Wait();
  }

  void OnReload(std::function<void()> reload) {
    reload_ = std::move(reload);
    reload_signal_.emplace(io_, SIGHUP);
    AwaitReload();
  }

  void Stop(int exit_code, std::string_view reason) {
    asio::post(io_, [this, exit_code, why = std::string(reason)] { Begin(exit_code, why); });
  }

  int Run() {
    if (const auto interval = SystemdWatchdog()) {
      // Half the interval, as sd_watchdog_enabled(3) advises.
      Beat(absl::ToChronoMilliseconds(*interval / 2));
    }
    io_.run();  // Until Begin.
    NotifySystemd("STOPPING=1");
    const Watchdog watchdog(options_);
    signals_.cancel();
    while (!parts_.empty()) {
      // Out of the list first: what it holds on to ends with it, in this order too.
      const Part part = std::move(parts_.back());
      parts_.pop_back();
      Log(LogLevel::kDebug, "stops", {{"part", part.name}});
      part.stop();
    }
    return *exit_code_;
  }

 private:
  struct Part {
    std::string name;
    std::function<void()> stop;
  };

  struct Repeat {
    Repeat(asio::io_context& io, std::chrono::milliseconds every, std::function<void()> what)
        : timer(io), interval(every), act(std::move(what)) {}
    void Wait() {
      timer.expires_after(interval);
      timer.async_wait([this](boost::system::error_code cancelled) {
        if (cancelled) return;
        act();
        Wait();
      });
    }
    asio::steady_timer timer;
    const std::chrono::milliseconds interval;
    const std::function<void()> act;
  };

  void AwaitReload() {
    reload_signal_->async_wait([this](boost::system::error_code cancelled, int) {
      if (cancelled) return;
      reload_();
      AwaitReload();
    });
  }

  void Begin(int exit_code, std::string_view reason) {
    if (exit_code_) return;
    exit_code_ = exit_code;
    Log(exit_code == 0 ? LogLevel::kInfo : LogLevel::kError, "the process stops",
        {{"reason", reason}});
    io_.stop();
  }

  void Beat(std::chrono::milliseconds interval) {
    if (!options_.alive || options_.alive()) NotifySystemd("WATCHDOG=1");
    beat_.expires_after(interval);
    beat_.async_wait([this, interval](boost::system::error_code cancelled) {
      if (!cancelled) Beat(interval);
    });
  }

  const Options options_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  asio::signal_set signals_{io_, SIGTERM, SIGINT};
  asio::steady_timer beat_{io_};
  std::vector<std::unique_ptr<Repeat>> repeats_;
  std::function<void()> reload_;
  std::optional<asio::signal_set> reload_signal_;
  std::vector<Part> parts_;
  std::optional<int> exit_code_;  // set once the end has begun
};

Shutdown::Shutdown(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Shutdown::~Shutdown() = default;

void Shutdown::OnStop(std::string name, std::function<void()> stop) {
  impl_->OnStop(std::move(name), std::move(stop));
}
void Shutdown::Every(absl::Duration interval, std::function<void()> act) {
  impl_->Every(interval, std::move(act));
}
void Shutdown::OnReload(std::function<void()> reload) { impl_->OnReload(std::move(reload)); }
void Shutdown::Stop(int exit_code, std::string_view reason) { impl_->Stop(exit_code, reason); }
int Shutdown::Run() { return impl_->Run(); }

}  // namespace tandem::runtime
