#include "services/runtime/grpc_server.h"

#include <fmt/format.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "router/base/check.h"
#include "router/base/status.h"
#include "services/runtime/logging.h"

namespace tandem::runtime {
namespace {

// A client that loses its network is noticed within 80 s; one that pings more often than every 10 s
// without a call is cut off (agents ping every 30 s).
constexpr int kServerKeepaliveMs = 60'000;
constexpr int kServerKeepaliveTimeoutMs = 20'000;
constexpr int kClientPingLeastMs = 10'000;
constexpr int kPingStrikesMax = 3;
constexpr int kClientKeepaliveMs = 30'000;
constexpr int kClientKeepaliveTimeoutMs = 10'000;
// Connections are renewed so that load behind a balancer spreads again; streams can resume.
constexpr int kConnectionAgeMs = 30 * 60 * 1000;
constexpr int kConnectionAgeGraceMs = 60 * 1000;
constexpr int kStreamsPerConnectionMax = 1000;
constexpr int kHeadersMax = 16 << 10;  // bytes
constexpr absl::Duration kLastCallsMax = absl::Seconds(1);

void Configure(grpc::ServerBuilder& builder, const GrpcServer::Options& options) {
  builder.SetMaxReceiveMessageSize(static_cast<int>(options.max_message));
  builder.SetMaxSendMessageSize(static_cast<int>(options.max_message));
  // Without this two processes may share a port, and each gets half of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsPerConnectionMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kHeadersMax);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kServerKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kServerKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kClientPingLeastMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, kPingStrikesMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, kConnectionAgeMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, kConnectionAgeGraceMs);
}

absl::Status Stopping() {
  return AddRetry(Error(absl::StatusCode::kUnavailable, "STOPPING",
                        "the process stops; call again, and a stream goes on from its cursor"),
                  absl::Seconds(1));
}

}  // namespace

GrpcServer::GrpcServer(Options options, std::vector<ServedService> services)
    : options_(std::move(options)), services_(std::move(services)) {}

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(Options options,
                                                              std::vector<ServedService> services) {
  TANDEM_CHECK(options.registry != nullptr && options.credentials != nullptr,
               "a server without its parts");
  std::unique_ptr<GrpcServer> made(new GrpcServer(std::move(options), std::move(services)));
  // Both are switches of the library, read by every builder after them.
  grpc::EnableDefaultHealthCheckService(true);
  if (made->options_.reflection) grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  Configure(builder, made->options_);
  int port = 0;
  builder.AddListeningPort(ToText(made->options_.listen), made->options_.credentials, &port);
  for (const ServedService& served : made->services_) builder.RegisterService(served.service);
  made->server_ = builder.BuildAndStart();
  if (made->server_ == nullptr || port == 0) {
    return Error(absl::StatusCode::kUnavailable, "LISTEN_FAILED",
                 fmt::format("cannot listen on {} (grpc.listen): is another process there, and is "
                             "the address one of this machine's?",
                             ToText(made->options_.listen)));
  }
  made->bound_port_ = static_cast<std::uint16_t>(port);
  made->SetServing(false);
  return made;
}

GrpcServer::~GrpcServer() {
  if (server_ != nullptr) Drain({absl::ZeroDuration(), absl::Seconds(1)});
}

std::shared_ptr<grpc::Channel> GrpcServer::InProcessChannel() const {
  return server_->InProcessChannel(ClientChannelArguments(options_.max_message));
}

void GrpcServer::SetServing(const std::string& service, bool serving) {
  server_->GetHealthCheckService()->SetServingStatus(service, serving);
}

void GrpcServer::SetServing(bool serving) {
  for (const ServedService& served : services_) SetServing(served.name, serving);
  SetServing("", serving);
}

void GrpcServer::Drain(DrainTimes times) {
  if (std::exchange(drained_, true)) return;
  const absl::Duration lameduck = std::min(times.lameduck, times.timeout);
  server_->GetHealthCheckService()->Shutdown();  // NOT_SERVING, and nothing changes it again.
  if (lameduck > absl::ZeroDuration()) {
    std::unique_lock lock(mutex_);
    in_lameduck_ = true;
    lameduck_over_.wait_for(lock, absl::ToChronoMilliseconds(lameduck),
                            [this] { return !in_lameduck_; });
    in_lameduck_ = false;
  }
  options_.registry->EndAll(Stopping());
  const std::size_t left = options_.registry->WaitUntilEmpty(times.timeout - lameduck);
  if (left > 0) Log(LogLevel::kWarn, "calls did not end in time", {{"calls", left}});
  // What still runs is about to answer, or watches health: the deadline cancels it.
  server_->Shutdown(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(kLastCallsMax));
  server_->Wait();
}

bool GrpcServer::EndLameduck() {
  const std::lock_guard lock(mutex_);
  lameduck_over_.notify_all();
  return std::exchange(in_lameduck_, false);
}

grpc::ChannelArguments ClientChannelArguments(std::uint64_t max_message) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(max_message));
  arguments.SetMaxSendMessageSize(static_cast<int>(max_message));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kClientKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kClientKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  return arguments;
}

}  // namespace tandem::runtime
