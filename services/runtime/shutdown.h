// How a process ends: a signal, or a part that cannot go on, then the parts in the reverse of the
// order in which they were started, and a watchdog that ends it all the same when one of them
// hangs.
//
// Run belongs to the main thread and is its loop; while it waits it tells systemd that the process
// lives. Stop is safe from any thread; OnStop, Every and OnReload are
// called before Run.
#pragma once

#include <absl/time/time.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tandem::runtime {

class Shutdown {
 public:
  struct Options {
    absl::Duration timeout = absl::Seconds(30);  // of all parts together
    // Whether the process makes progress; asked before systemd is told so. Empty: it does.
    std::function<bool()> alive;
    // What a second signal ends first: a pause that the stop is in. On the watchdog's thread; true
    // when there was one, and the stop goes on in its order until a third signal. May be empty.
    std::function<bool()> hurry;
    // What the watchdog does; empty: _Exit. For tests.
    std::function<void(int exit_code)> force;
  };

  // Takes SIGTERM and SIGINT from here on.
  explicit Shutdown(Options options);
  ~Shutdown();

  // `stop` runs on the main thread when the process ends, after what was registered later. It may
  // block; `name` ("grpc server") stands in the log.
  void OnStop(std::string name, std::function<void()> stop);

  // `act` runs on the main thread now and then, each `interval`, from Run until the process ends.
  void Every(absl::Duration interval, std::function<void()> act);

  // `reload` runs on the main thread at every SIGHUP, from Run until the process ends. Takes SIGHUP
  // from here on, which would else end the process.
  void OnReload(std::function<void()> reload);

  // Ends the process: Run goes on to the parts and returns `exit_code`. The first call counts.
  void Stop(int exit_code, std::string_view reason);

  // Waits for SIGTERM, SIGINT or Stop, then stops the parts. Returns the exit code, 0 after a
  // signal. When the timeout passes, or a second signal finds no pause to end, the process ends at
  // once with 1.
  int Run();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tandem::runtime
