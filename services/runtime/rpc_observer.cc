#include "services/runtime/rpc_observer.h"

#include "router/base/status.h"
#include "services/runtime/logging.h"

namespace tandem::runtime {
namespace {

// Codes that say that something of ours is broken, not the call.
bool IsOurFault(absl::StatusCode code) {
  return code == absl::StatusCode::kInternal || code == absl::StatusCode::kUnknown ||
         code == absl::StatusCode::kDataLoss;
}

void LogCall(LogLevel level, std::string_view message, const rpc::Call& call,
             const absl::Status& status, absl::Duration took) {
  if (!Logs(level)) return;
  const std::string reason = ReasonOf(status);
  const std::string text = MessageOf(status);
  Log(level, message,
      {{"method", call.method.name()},
       {"reason", reason},
       {"error", text},
       {"principal", call.caller.principal},
       {"token_id", call.caller.token_id},
       {"request_id", call.request_id},
       {"trace_id", call.trace ? std::string_view(call.trace->trace_id) : std::string_view()},
       {"peer", call.peer},
       {"seconds", absl::ToDoubleSeconds(took)}});
}

}  // namespace

RpcObserver::RpcObserver(Metrics& metrics)
    : handled_(metrics.Counters("rpc_handled_total", "RPCs that have ended, by method and code")),
      unauthenticated_(metrics.Counters("rpc_refused_total", "RPCs whose caller was not let in")
                           .Add({{"reason", "unauthenticated"}})),
      denied_(metrics.Counters("rpc_refused_total", "RPCs whose caller was not let in")
                  .Add({{"reason", "permission_denied"}})) {
  auto& in_flight = metrics.Gauges("rpc_in_flight", "RPCs that are being served, by method");
  auto& seconds = metrics.Histograms("rpc_seconds", "How long RPCs took; of streams, their life");
  for (std::size_t i = 0; i < methods_.size(); ++i) {
    const prometheus::Labels labels = {{"method", std::string(rpc::kAccess[i].method)}};
    methods_[i].in_flight = &in_flight.Add(labels);
    methods_[i].seconds = &seconds.Add(labels, LatencyBuckets());
  }
}

void RpcObserver::Started(rpc::Method method) { methods_[method.index()].in_flight->Increment(); }

void RpcObserver::Finished(const rpc::Call& call, const absl::Status& status, absl::Duration took) {
  PerMethod& method = methods_[call.method.index()];
  method.in_flight->Decrement();
  method.seconds->Observe(absl::ToDoubleSeconds(took));
  auto& slot = method.handled[static_cast<std::size_t>(status.code()) % kCodes];
  prometheus::Counter* counter = slot.load(std::memory_order_acquire);
  if (counter == nullptr) {
    // Two threads may come here at once: the family gives both the same counter.
    counter = &handled_.Add({{"method", std::string(call.method.name())},
                             {"code", absl::StatusCodeToString(status.code())}});
    slot.store(counter, std::memory_order_release);
  }
  counter->Increment();
  if (status.code() == absl::StatusCode::kUnauthenticated) unauthenticated_.Increment();
  if (status.code() == absl::StatusCode::kPermissionDenied) denied_.Increment();
  if (status.ok()) return;
  if (IsOurFault(status.code())) {
    LogCall(LogLevel::kError, "a call failed", call, status, took);
  } else {
    LogCall(LogLevel::kDebug, "a call was refused", call, status, took);
  }
}

}  // namespace tandem::runtime
