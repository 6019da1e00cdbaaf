// What is measured: times of the steady clock, percentiles, CPU.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

namespace tandem::load {

using SteadyTime = std::chrono::steady_clock::time_point;
using Json = nlohmann::ordered_json;

inline SteadyTime SteadyNow() { return std::chrono::steady_clock::now(); }

double Seconds(SteadyTime::duration duration);

// Times between two events. Not thread-safe.
class Latencies {
 public:
  void Add(SteadyTime::duration latency) { nanoseconds_.push_back(latency.count()); }
  void Add(const Latencies& others);
  std::size_t count() const { return nanoseconds_.size(); }

  // {"count":…,"p50_ms":…,"p90_ms":…,"p99_ms":…,"max_ms":…}; only the count when there is none. A
  // percentile is the smallest latency that so many per cent do not exceed.
  Json Figures() const;

 private:
  std::vector<std::int64_t> nanoseconds_;  // 8 bytes each: a minute at 100,000/s is 48 MB
};

// CPU seconds, user and system, of this process, or of another one; nullopt when that is gone.
double OwnCpuSeconds();
std::optional<double> CpuSecondsOf(int pid);

}  // namespace tandem::load
