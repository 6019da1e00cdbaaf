#include "tools/load/echo_mode.h"

#include <fmt/format.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "router/base/status.h"
#include "tandem/v1/alert_ingest.pb.h"
#include "tools/agent/channel.h"
#include "tools/load/load_stream.h"

namespace tandem::load {
namespace {

using Traits = grpc::SerializationTraits<v1::StreamAlertsRequest>;

constexpr char kStreamMethod[] = "/tandem.load.Echo/Stream";
constexpr char kUnaryMethod[] = "/tandem.load.Echo/Unary";

// Serves every method: on the wire a unary call is a stream of one message.
class EchoReactor final : public grpc::ServerGenericBidiReactor {
 public:
  explicit EchoReactor(bool unary) : unary_(unary) { StartRead(&request_); }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    if (!Traits::Deserialize(&request_, &message_).ok()) {
      return Finish({grpc::StatusCode::INVALID_ARGUMENT, "a StreamAlertsRequest was expected"});
    }
    bool own_buffer = false;
    response_.Clear();
    (void)Traits::Serialize(message_, &response_, &own_buffer);  // cannot fail in memory
    if (unary_) return StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
    StartWrite(&response_);
  }
  void OnWriteDone(bool ok) override {
    if (ok && !unary_) StartRead(&request_);
    if (!ok && !unary_) Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

  const bool unary_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  v1::StreamAlertsRequest message_;  // re-used: parsing into it allocates nothing after a while
};

class EchoService final : public grpc::CallbackGenericService {
 public:
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    return new EchoReactor(context->method() == kUnaryMethod);  // deletes itself in OnDone
  }
};

class RunningEcho final : public EchoServer {
 public:
  ~RunningEcho() override {
    if (server_) server_->Shutdown(std::chrono::system_clock::now());
  }
  bool Start(const std::string& address) {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
    builder.RegisterCallbackGenericService(&service_);
    server_ = builder.BuildAndStart();
    address_ = address.starts_with("unix:")
                   ? address
                   : fmt::format("{}:{}", address.substr(0, address.rfind(':')), port);
    return server_ != nullptr && port != 0;
  }
  std::string address() const override { return address_; }

 private:
  EchoService service_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

// The server to talk to: the one at `address`, or a new one of our own.
struct Peer {
  std::unique_ptr<EchoServer> own;
  std::shared_ptr<grpc::Channel> channel;
};

absl::StatusOr<Peer> ConnectTo(const std::string& address) {
  Peer peer;
  if (address.empty()) {
    TANDEM_ASSIGN_OR_RETURN(peer.own, StartEchoServer("127.0.0.1:0"));
  }
  client::Connection connection;
  connection.address = peer.own ? peer.own->address() : address;
  TANDEM_ASSIGN_OR_RETURN(peer.channel, client::OpenChannel(connection));
  return peer;
}

// Writes batches until it is stopped, or `count` of them; counts answers.
class EchoStream final : public StreamHandler {
 public:
  EchoStream(const ReferenceOptions& alerts, std::uint64_t count)
      : batches_(alerts), left_(count) {}

  std::optional<grpc::ByteBuffer> Next() override {
    const std::lock_guard lock(mutex_);
    if (left_ == 0) return std::nullopt;
    --left_;
    return batches_.Next(++number_);
  }
  absl::Status OnAnswer(const grpc::ByteBuffer&, SteadyTime written) override {
    const std::lock_guard lock(mutex_);
    last_ = SteadyNow();
    latencies_.Add(last_ - written);
    if (left_ == 0) changed_.notify_all();
    return absl::OkStatus();
  }

  void Stop() {
    const std::lock_guard lock(mutex_);
    left_ = 0;
  }
  // Begins to count anew, and gives what was counted before.
  Latencies Restart() {
    const std::lock_guard lock(mutex_);
    return std::exchange(latencies_, {});
  }
  // Waits until `answers` were counted or the time is over.
  void Await(std::uint64_t answers, std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, time, [&] { return latencies_.count() >= answers; });
  }
  SteadyTime last() const {
    const std::lock_guard lock(mutex_);
    return last_;
  }
  std::size_t alert_bytes() const { return batches_.alert_bytes(); }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  ReferenceBatches batches_;
  std::uint64_t left_;
  std::uint64_t number_ = 0;
  SteadyTime last_;
  Latencies latencies_;
};

absl::StatusOr<Latencies> UnaryRoundTrips(const Peer& peer, const RoundTripOptions& options) {
  grpc::GenericStub stub(peer.channel);
  ReferenceBatches batches({.batch = options.batch});
  Latencies latencies;
  for (std::uint64_t i = 0; i < options.count; ++i) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    const grpc::ByteBuffer request = batches.Next(i + 1);
    grpc::ByteBuffer response;
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<grpc::Status> done;
    const SteadyTime begin = SteadyNow();
    stub.UnaryCall(&context, kUnaryMethod, {}, &request, &response, [&](const grpc::Status& s) {
      const std::lock_guard lock(mutex);
      done = s;
      changed.notify_all();
    });
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return done.has_value(); });
    if (!done->ok()) return client::FromGrpc(*done);
    latencies.Add(SteadyNow() - begin);
  }
  return latencies;
}

absl::StatusOr<Latencies> StreamRoundTrips(const Peer& peer, const RoundTripOptions& options) {
  EchoStream handler({.batch = options.batch}, options.count);
  LoadStream stream(peer.channel, std::make_unique<grpc::ClientContext>(), kStreamMethod,
                    /*window=*/1, handler);
  handler.Await(options.count, std::chrono::minutes(10));
  TANDEM_RETURN_IF_ERROR(stream.Finish(std::chrono::seconds(10)));
  return handler.Restart();
}

}  // namespace

absl::StatusOr<std::unique_ptr<EchoServer>> StartEchoServer(const std::string& address) {
  auto server = std::make_unique<RunningEcho>();
  if (!server->Start(address)) {
    return Error(absl::StatusCode::kUnavailable, "CANNOT_LISTEN",
                 fmt::format("cannot listen on {}; is the port taken?", address));
  }
  return server;
}

absl::StatusOr<Json> RunEcho(const EchoOptions& options) {
  TANDEM_ASSIGN_OR_RETURN(const Peer peer, ConnectTo(options.address));
  EchoStream handler(options.alerts, UINT64_MAX);
  LoadStream stream(peer.channel, std::make_unique<grpc::ClientContext>(), kStreamMethod,
                    options.window, handler);
  handler.Await(UINT64_MAX, options.warm_up);
  (void)handler.Restart();  // the warm-up does not count
  const double own_cpu = OwnCpuSeconds();
  const double server_cpu = options.server_pid ? CpuSecondsOf(options.server_pid).value_or(0) : 0;
  const SteadyTime begin = SteadyNow();
  handler.Await(UINT64_MAX, options.duration);
  const double seconds = Seconds(std::max(handler.last(), begin) - begin);
  const Latencies latencies = handler.Restart();
  const auto alerts = static_cast<double>(latencies.count() * options.alerts.batch);
  Json figures = {{"mode", "echo"},
                  {"batch", options.alerts.batch},
                  {"window", options.window},
                  {"alert_bytes", handler.alert_bytes()},
                  {"server", peer.own ? "in this process" : options.address},
                  {"seconds", seconds},
                  {"alerts_per_second", seconds > 0 ? alerts / seconds : 0},
                  {"answer", latencies.Figures()},
                  {peer.own ? "cpu_us_per_alert" : "client_cpu_us_per_alert",
                   alerts > 0 ? (OwnCpuSeconds() - own_cpu) / alerts * 1e6 : 0}};
  if (options.server_pid != 0 && alerts > 0) {
    figures["server_cpu_us_per_alert"] =
        (CpuSecondsOf(options.server_pid).value_or(0) - server_cpu) / alerts * 1e6;
  }
  handler.Stop();
  TANDEM_RETURN_IF_ERROR(stream.Finish(std::chrono::seconds(10)));
  return figures;
}

absl::StatusOr<Json> RunRoundTrip(const RoundTripOptions& options) {
  TANDEM_ASSIGN_OR_RETURN(const Peer peer, ConnectTo(options.address));
  TANDEM_ASSIGN_OR_RETURN(const Latencies latencies, options.unary
                                                         ? UnaryRoundTrips(peer, options)
                                                         : StreamRoundTrips(peer, options));
  return Json{{"mode", "roundtrip"},
              {"kind", options.unary ? "unary" : "stream"},
              {"batch", options.batch},
              {"server", peer.own ? "in this process" : options.address},
              {"round_trip", latencies.Figures()}};
}

}  // namespace tandem::load
