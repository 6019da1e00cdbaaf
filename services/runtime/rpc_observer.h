// Counts every RPC, and logs those that failed through our own fault.
//
// Thread-safe; takes no lock on the way of a call once a method and code have been seen.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <array>
#include <atomic>

#include "router/rpc/server.h"
#include "services/runtime/metrics.h"

namespace tandem::runtime {

// tandem_rpc_handled_total{method,code}, tandem_rpc_in_flight{method}, tandem_rpc_seconds{method}
// (of streams: their life), tandem_rpc_refused_total{reason} for callers that were not let in.
class RpcObserver final : public rpc::CallObserver {
 public:
  // `metrics` must outlive this.
  explicit RpcObserver(Metrics& metrics);

  void Started(rpc::Method method) override;
  void Finished(const rpc::Call& call, const absl::Status& status, absl::Duration took) override;

 private:
  static constexpr std::size_t kCodes = 17;
  struct PerMethod {
    prometheus::Gauge* in_flight = nullptr;
    prometheus::Histogram* seconds = nullptr;
    std::array<std::atomic<prometheus::Counter*>, kCodes> handled = {};  // made when first needed
  };

  prometheus::Family<prometheus::Counter>& handled_;
  prometheus::Counter& unauthenticated_;
  prometheus::Counter& denied_;
  std::array<PerMethod, rpc::kAccess.size()> methods_;
};

}  // namespace tandem::runtime
