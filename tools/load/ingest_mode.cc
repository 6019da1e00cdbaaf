#include "tools/load/ingest_mode.h"

#include <fmt/format.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "router/base/status.h"
#include "tools/agent/wire.h"
#include "tools/load/load_stream.h"

namespace tandem::load {
namespace {

constexpr std::uint64_t kNotWelcome = UINT64_MAX;

// What all streams of a run share.
struct Run {
  std::atomic<bool> stop = false;
  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by mutex:
  SteadyTime measure_from = SteadyTime::max();
  std::uint64_t accepted = 0;  // since measure_from, as the rest
  std::uint64_t refused = 0;
  std::uint64_t batches = 0;
  std::uint64_t enough = UINT64_MAX;  // so many alerts with an answer end the run
  SteadyTime last_receipt;
  Latencies receipts;
};

class IngestStream final : public StreamHandler {
 public:
  IngestStream(Run& run, const IngestOptions& options, std::uint32_t stream)
      : run_(run),
        batch_(options.alerts.batch),
        batches_(AlertsOf(options, stream)),
        hello_(LoadHello(options.target, stream)),
        left_(ShareOf(options, stream)) {}

  std::optional<grpc::ByteBuffer> Next() override {
    if (hello_) return std::exchange(hello_, std::nullopt);
    const std::uint64_t last = last_number_;
    if (last == kNotWelcome || run_.stop || left_ == 0) return std::nullopt;
    const auto alerts = static_cast<std::uint32_t>(std::min<std::uint64_t>(batch_, left_));
    left_ -= alerts;
    last_number_ = last + 1;
    return batches_.Next(last + 1, alerts);
  }

  absl::Status OnAnswer(const grpc::ByteBuffer& answer, SteadyTime written) override {
    grpc::ByteBuffer bytes = answer;
    const grpc::Status parsed =
        grpc::SerializationTraits<v1::StreamAlertsResponse>::Deserialize(&bytes, &response_);
    if (!parsed.ok()) return absl::InternalError("an answer that is no StreamAlertsResponse");
    const SteadyTime now = SteadyNow();
    const std::lock_guard lock(run_.mutex);
    if (response_.has_welcome()) {
      last_number_ = response_.welcome().last_durable_batch();
      return absl::OkStatus();
    }
    if (response_.receipt().already_durable()) {
      return absl::AbortedError("another sender uses this client id; choose one with --client-id");
    }
    if (now < run_.measure_from) return absl::OkStatus();
    run_.accepted += response_.receipt().accepted();
    run_.refused += static_cast<std::uint64_t>(response_.receipt().refusals_size());
    ++run_.batches;
    run_.last_receipt = now;
    run_.receipts.Add(now - written);
    if (run_.accepted + run_.refused >= run_.enough) run_.changed.notify_all();
    return absl::OkStatus();
  }

  std::size_t alert_bytes() const { return batches_.alert_bytes(); }

 private:
  // Each stream has its own range of ids: alerts of two streams are never the same.
  static ReferenceOptions AlertsOf(const IngestOptions& options, std::uint32_t stream) {
    ReferenceOptions alerts = options.alerts;
    alerts.first += stream * 10'000'000'000u;
    return alerts;
  }

  // All of them, or the stream's part of `count`; the first streams take what is left over.
  static std::uint64_t ShareOf(const IngestOptions& options, std::uint32_t stream) {
    if (options.count == 0) return UINT64_MAX;
    return options.count / options.streams + (stream < options.count % options.streams ? 1 : 0);
  }

  Run& run_;
  const std::uint32_t batch_;
  ReferenceBatches batches_;
  std::optional<grpc::ByteBuffer> hello_;
  std::uint64_t left_;  // alerts not yet sent; Next's alone
  // Of the last batch. Written by the welcome, and after it by Next alone.
  std::atomic<std::uint64_t> last_number_ = kNotWelcome;
  v1::StreamAlertsResponse response_;
};

// A connection with its stream.
struct Sender {
  std::unique_ptr<IngestStream> handler;
  std::unique_ptr<LoadStream> stream;
};

absl::StatusOr<std::vector<Sender>> Connect(Run& run, const IngestOptions& options) {
  std::vector<Sender> senders;
  for (std::uint32_t i = 0; i < options.streams; ++i) {
    TANDEM_ASSIGN_OR_RETURN(auto channel, client::OpenChannel(options.target.connection));
    auto context = std::make_unique<grpc::ClientContext>();
    TANDEM_RETURN_IF_ERROR(client::Authorize(options.target.connection, *context));
    auto handler = std::make_unique<IngestStream>(run, options, i);
    auto stream = std::make_unique<LoadStream>(
        channel, std::move(context), client::kStreamAlertsMethod, options.window, *handler);
    senders.push_back({std::move(handler), std::move(stream)});
  }
  return senders;
}

// Waits for `time`, or until there are enough, or until a stream is broken; then true.
bool AwaitUnlessBroken(Run& run, const std::vector<Sender>& senders,
                       std::chrono::milliseconds time) {
  const SteadyTime end = SteadyNow() + time;
  const auto broken = [&] {
    return std::any_of(senders.begin(), senders.end(),
                       [](const Sender& sender) { return sender.stream->broken(); });
  };
  std::unique_lock lock(run.mutex);
  while (SteadyNow() < end && run.accepted + run.refused < run.enough) {
    lock.unlock();
    if (broken()) return true;
    lock.lock();
    run.changed.wait_until(lock, std::min(end, SteadyNow() + std::chrono::milliseconds(50)));
  }
  return false;
}

double CpuOf(const Target& target) {
  return target.server_pid == 0 ? 0 : CpuSecondsOf(target.server_pid).value_or(0);
}

// Since when is measured, and what was used until now (until the end: what is used in all).
struct Usage {
  SteadyTime begin;
  double own_cpu = 0;
  double server_cpu = 0;
};

// Ends the count: what is still in flight does not belong to it.
Json FiguresOf(Run& run, const IngestOptions& options, std::size_t alert_bytes, const Usage& used) {
  const std::lock_guard lock(run.mutex);
  run.stop = true;
  run.measure_from = SteadyTime::max();
  const double seconds = Seconds(std::max(run.last_receipt, used.begin) - used.begin);
  const auto alerts = static_cast<double>(run.accepted);
  const auto per_alert = [&](double cpu) { return alerts > 0 ? cpu / alerts * 1e6 : 0; };
  Json figures = {{"mode", "ingest"},
                  {"batch", options.alerts.batch},
                  {"window", options.window},
                  {"streams", options.streams},
                  {"distinct", options.alerts.distinct},
                  {"alert_bytes", alert_bytes},
                  {"seconds", seconds},
                  {"accepted", run.accepted},
                  {"refused", run.refused},
                  {"batches", run.batches},
                  {"alerts_per_second", seconds > 0 ? alerts / seconds : 0},
                  {"receipt", run.receipts.Figures()},
                  {"client_cpu_us_per_alert", per_alert(used.own_cpu)}};
  if (options.target.server_pid != 0) {
    figures["server_cpu_us_per_alert"] = per_alert(used.server_cpu);
  }
  return figures;
}

}  // namespace

grpc::ByteBuffer LoadHello(const Target& target, std::uint32_t stream) {
  v1::Hello hello;
  if (!target.tenant.empty()) hello.set_parent("tenants/" + target.tenant);
  hello.set_client_id(fmt::format("{}/{}", target.client_id, stream));
  hello.set_agent_version("tandem-load");
  return client::HelloMessage(hello);
}

absl::StatusOr<Json> RunIngest(const IngestOptions& options) {
  Run run;
  if (options.count > 0) {
    run.enough = options.count;
    run.measure_from = SteadyNow();
  }
  const double own_cpu_at_start = OwnCpuSeconds();
  const double server_cpu_at_start = CpuOf(options.target);
  TANDEM_ASSIGN_OR_RETURN(std::vector<Sender> senders, Connect(run, options));
  bool broken = options.count == 0 && AwaitUnlessBroken(run, senders, options.warm_up);
  Usage used{.begin = SteadyNow(), .own_cpu = OwnCpuSeconds(), .server_cpu = CpuOf(options.target)};
  if (options.count > 0) used = {run.measure_from, own_cpu_at_start, server_cpu_at_start};
  {
    const std::lock_guard lock(run.mutex);
    run.measure_from = used.begin;
  }
  broken = broken ||
           AwaitUnlessBroken(run, senders, options.count > 0 ? options.patience : options.duration);
  used.own_cpu = OwnCpuSeconds() - used.own_cpu;
  used.server_cpu = CpuOf(options.target) - used.server_cpu;
  const Json figures = FiguresOf(run, options, senders[0].handler->alert_bytes(), used);
  absl::Status ended;
  for (Sender& sender : senders) {
    ended.Update(sender.stream->Finish(std::chrono::seconds(broken ? 0 : 10)));
  }
  if (!ended.ok()) return Annotate(ended, "ingest stream");
  const auto answered =
      figures["accepted"].get<std::uint64_t>() + figures["refused"].get<std::uint64_t>();
  if (answered < options.count) {
    return absl::DeadlineExceededError(
        fmt::format("{} of {} alerts have an answer", answered, options.count));
  }
  return figures;
}

}  // namespace tandem::load
