#include "tools/tandem/walk_run.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace tandem::cli {
namespace {

constexpr std::size_t kJobsMax = 256;

}  // namespace

std::vector<WalkResult> WalkAll(const replay::World& world,
                                const std::vector<replay::Scenario>& scenarios,
                                const WalkOptions& options) {
  std::vector<WalkResult> results(scenarios.size());
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t done = 0;  // guarded by mutex
  const auto work = [&] {
    for (std::size_t i = next++; i < scenarios.size(); i = next++) {
      results[i].story = replay::Walk(world, scenarios[i]);
      results[i].verdict = replay::Judge(scenarios[i], results[i].story);
      const std::lock_guard lock(mutex);
      if (++done == scenarios.size()) changed.notify_one();
    }
  };
  const std::size_t cores = std::max(1u, std::thread::hardware_concurrency());
  const std::size_t jobs = std::min({options.jobs == 0 ? cores : options.jobs, kJobsMax,
                                     std::max<std::size_t>(1, results.size())});
  std::vector<std::jthread> threads;
  threads.reserve(jobs);
  for (std::size_t i = 0; i < jobs; ++i) threads.emplace_back(work);
  auto wait = std::chrono::milliseconds(1'000);
  std::unique_lock lock(mutex);
  while (!changed.wait_for(lock, wait, [&] { return done == scenarios.size(); })) {
    wait = std::chrono::milliseconds(200);
    if (options.progress) options.progress(done);
  }
  return results;
}

}  // namespace tandem::cli
