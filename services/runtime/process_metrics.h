// The metrics of the process itself, under the names that every Prometheus dashboard knows:
// process_cpu_seconds_total, process_resident_memory_bytes, process_open_fds and so on.
//
// Read from the kernel whenever they are asked for; what it does not tell is left out. Safe from
// any thread.
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

namespace tandem::runtime {

std::vector<prometheus::MetricFamily> ProcessFamilies();

}  // namespace tandem::runtime
