#include "services/runtime/process_metrics.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>

namespace tandem::runtime {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

// Fields of /proc/self/stat by their numbers in proc_pid_stat(5).
constexpr int kUserTicks = 14;
constexpr int kSystemTicks = 15;
constexpr int kThreads = 20;
constexpr int kStartTicks = 22;
constexpr int kVirtualBytes = 23;
constexpr int kResidentPages = 24;

class ProcessStat {
 public:
  ProcessStat() {
    std::ifstream file("/proc/self/stat");
    std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    // The name of the program is field 2, in parentheses, and may hold anything.
    const std::size_t name_end = text.rfind(')');
    if (name_end == std::string::npos) return;
    std::istringstream rest(text.substr(name_end + 1));
    for (std::string field; rest >> field;) fields_.push_back(field);
  }
  bool ok() const { return static_cast<int>(fields_.size()) > kResidentPages - 3; }
  // REQUIRES: ok().
  double operator[](int field) const {
    return std::stod(fields_[static_cast<std::size_t>(field - 3)]);
  }

 private:
  std::vector<std::string> fields_;  // from field 3 on
};

double SecondsOf(clockid_t clock) {
  timespec now = {};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// When the machine started. /proc/stat would tell, but is hidden from a service of systemd with
// ProcSubset=pid. Taken once: a clock that is set must not move the start of the process.
double BootTime() {
  static const double boot = SecondsOf(CLOCK_REALTIME) - SecondsOf(CLOCK_BOOTTIME);
  return boot;
}

std::optional<double> OpenDescriptors() {
  std::error_code error;
  std::filesystem::directory_iterator at("/proc/self/fd", error);
  double count = -1;  // the one that lists them
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) ++count;
  return error ? std::nullopt : std::optional<double>(count);
}

std::optional<double> DescriptorsMax() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  return static_cast<double>(limit.rlim_cur);
}

MetricFamily Family(std::string name, std::string help, MetricType type, double value) {
  prometheus::ClientMetric metric;
  if (type == MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  return {std::move(name), std::move(help), type, {metric}};
}

}  // namespace

std::vector<MetricFamily> ProcessFamilies() {
  std::vector<MetricFamily> families;
  const auto gauge = [&](const char* name, const char* help, double value) {
    families.push_back(Family(name, help, MetricType::Gauge, value));
  };
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  if (const ProcessStat stat; stat.ok()) {
    families.push_back(Family("process_cpu_seconds_total", "User and system time spent",
                              MetricType::Counter,
                              (stat[kUserTicks] + stat[kSystemTicks]) / ticks));
    gauge("process_threads", "Threads", stat[kThreads]);
    gauge("process_start_time_seconds", "When the process started, since 1970",
          BootTime() + stat[kStartTicks] / ticks);
    gauge("process_virtual_memory_bytes", "Address space", stat[kVirtualBytes]);
    gauge("process_resident_memory_bytes", "Memory that is in use",
          stat[kResidentPages] * static_cast<double>(sysconf(_SC_PAGESIZE)));
  }
  if (const auto open = OpenDescriptors()) gauge("process_open_fds", "Open files", *open);
  if (const auto most = DescriptorsMax()) {
    gauge("process_max_fds", "How many files may be open", *most);
  }
  return families;
}

}  // namespace tandem::runtime
