#include "services/runtime/process_metrics.h"

#include <absl/time/clock.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <string>

#include "services/runtime/metrics.h"

namespace tandem::runtime {
namespace {

using ::testing::Gt;
using ::testing::HasSubstr;

std::map<std::string, double> Read() {
  std::map<std::string, double> values;
  for (const prometheus::MetricFamily& family : ProcessFamilies()) {
    const prometheus::ClientMetric& metric = family.metric.front();
    values[family.name] =
        family.type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value;
  }
  return values;
}

TEST(ProcessMetrics, TellWhatTheProcessTakes) {
  const auto values = Read();

  EXPECT_GT(values.at("process_resident_memory_bytes"), 1 << 20);
  EXPECT_GT(values.at("process_virtual_memory_bytes"), values.at("process_resident_memory_bytes"));
  EXPECT_GE(values.at("process_threads"), 1);
  EXPECT_GE(values.at("process_max_fds"), values.at("process_open_fds"));
  const double now = absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch());
  EXPECT_NEAR(values.at("process_start_time_seconds"), now, 3600);
  EXPECT_EQ(values.at("process_start_time_seconds"), Read().at("process_start_time_seconds"));
}

TEST(ProcessMetrics, CountOpenFiles) {
  const double before = Read().at("process_open_fds");
  const int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(Read().at("process_open_fds"), before + 1);
  close(file);

  EXPECT_EQ(Read().at("process_open_fds"), before);
}

TEST(ProcessMetrics, CountTheTimeThatWasSpent) {
  const double before = Read().at("process_cpu_seconds_total");
  double after = before;
  while (after <= before) after = Read().at("process_cpu_seconds_total");

  EXPECT_THAT(after, Gt(before));
}

TEST(ProcessMetrics, StandBesideOurOwnUnderTheirOwnNames) {
  Metrics metrics;
  metrics.FamiliesFrom(ProcessFamilies);

  EXPECT_THAT(metrics.Text(), HasSubstr("# TYPE process_cpu_seconds_total counter\n"));
  EXPECT_THAT(metrics.Text(), HasSubstr("\nprocess_open_fds "));
  EXPECT_THAT(metrics.Text(), HasSubstr("tandem_build_info{"));
}

}  // namespace
}  // namespace tandem::runtime
