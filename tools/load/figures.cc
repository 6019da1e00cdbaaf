#include "tools/load/figures.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>

namespace tandem::load {

double Seconds(SteadyTime::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

void Latencies::Add(const Latencies& others) {
  nanoseconds_.insert(nanoseconds_.end(), others.nanoseconds_.begin(), others.nanoseconds_.end());
}

Json Latencies::Figures() const {
  Json figures = {{"count", count()}};
  if (nanoseconds_.empty()) return figures;
  std::vector<std::int64_t> sorted = nanoseconds_;
  std::sort(sorted.begin(), sorted.end());
  const auto at = [&](double share) {
    const auto rank =
        static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
    const double ms = static_cast<double>(sorted[std::max<std::size_t>(rank, 1) - 1]) / 1e6;
    return std::round(ms * 1000) / 1000;
  };
  figures["p50_ms"] = at(0.5);
  figures["p90_ms"] = at(0.9);
  figures["p99_ms"] = at(0.99);
  figures["max_ms"] = at(1);
  return figures;
}

double OwnCpuSeconds() {
  struct rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const struct timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::optional<double> CpuSecondsOf(int pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text;
  std::getline(file, text);
  // The name in brackets may hold anything; the fields after it are numbers (proc(5)).
  const std::size_t bracket = text.rfind(')');
  if (bracket == std::string::npos) return std::nullopt;
  std::istringstream fields(text.substr(bracket + 2));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  double user = 0;
  double system = 0;
  if (!(fields >> user >> system)) return std::nullopt;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace tandem::load
