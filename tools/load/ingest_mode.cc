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
  SteadyTime last_receipt;
  Latencies receipts;
};

class IngestStream final : public StreamHandler {
 public:
  IngestStream(Run& run, const IngestOptions& options, std::uint32_t stream)
      : run_(run), batches_(AlertsOf(options, stream)), hello_(LoadHello(options.target, stream)) {}

  std::optional<grpc::ByteBuffer> Next() override {
    if (hello_) return std::exchange(hello_, std::nullopt);
    const std::uint64_t last = last_number_;
    if (last == kNotWelcome || run_.stop) return std::nullopt;
    last_number_ = last + 1;
    return batches_.Next(last + 1);
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

  Run& run_;
  ReferenceBatches batches_;
  std::optional<grpc::ByteBuffer> hello_;
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

// Waits for `time`, or until a stream is broken; then true.
bool AwaitUnlessBroken(Run& run, const std::vector<Sender>& senders,
                       std::chrono::milliseconds time) {
  const SteadyTime end = SteadyNow() + time;
  const auto broken = [&] {
    return std::any_of(senders.begin(), senders.end(),
                       [](const Sender& sender) { return sender.stream->broken(); });
  };
  std::unique_lock lock(run.mutex);
  while (SteadyNow() < end) {
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
  TANDEM_ASSIGN_OR_RETURN(std::vector<Sender> senders, Connect(run, options));
  bool broken = AwaitUnlessBroken(run, senders, options.warm_up);
  const double own_cpu = OwnCpuSeconds();
  const double server_cpu = CpuOf(options.target);
  const SteadyTime begin = SteadyNow();
  {
    const std::lock_guard lock(run.mutex);
    run.measure_from = begin;
  }
  broken = broken || AwaitUnlessBroken(run, senders, options.duration);
  const double own_cpu_used = OwnCpuSeconds() - own_cpu;
  const double server_cpu_used = CpuOf(options.target) - server_cpu;
  Json figures;
  {
    const std::lock_guard lock(run.mutex);
    run.stop = true;
    run.measure_from = SteadyTime::max();  // what is still in flight does not count
    const double seconds = Seconds(std::max(run.last_receipt, begin) - begin);
    const auto alerts = static_cast<double>(run.accepted);
    const auto per_alert = [&](double cpu) { return alerts > 0 ? cpu / alerts * 1e6 : 0; };
    figures = {{"mode", "ingest"},
               {"batch", options.alerts.batch},
               {"window", options.window},
               {"streams", options.streams},
               {"distinct", options.alerts.distinct},
               {"alert_bytes", senders[0].handler->alert_bytes()},
               {"seconds", seconds},
               {"accepted", run.accepted},
               {"refused", run.refused},
               {"batches", run.batches},
               {"alerts_per_second", seconds > 0 ? alerts / seconds : 0},
               {"receipt", run.receipts.Figures()},
               {"client_cpu_us_per_alert", per_alert(own_cpu_used)}};
    if (options.target.server_pid != 0) {
      figures["server_cpu_us_per_alert"] = per_alert(server_cpu_used);
    }
  }
  absl::Status ended;
  for (Sender& sender : senders) {
    ended.Update(sender.stream->Finish(std::chrono::seconds(broken ? 0 : 10)));
  }
  if (!ended.ok()) return Annotate(ended, "ingest stream");
  return figures;
}

}  // namespace tandem::load
