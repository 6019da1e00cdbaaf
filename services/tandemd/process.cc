#include "services/tandemd/process.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "router/base/check.h"
#include "router/base/status.h"
#include "services/runtime/logging.h"
#include "services/runtime/process_metrics.h"
#include "services/runtime/sd_notify.h"
#include "services/runtime/tls.h"
#include "services/runtime/version.h"
#include "services/tandemd/private_file.h"

namespace tandem::tandemd {

using runtime::Log;
using runtime::LogLevel;

namespace {

// Trouble stands in health after this; a look costs a few atomic reads.
constexpr absl::Duration kHealthLook = absl::Milliseconds(250);

}  // namespace

Process::Process(runtime::Config config, std::function<runtime::StartUp()> read_config)
    : config_(std::move(config)),
      shutdown_({.timeout = config_.drain.lameduck + config_.drain.timeout,
                 .hurry = [this] { return server_ != nullptr && server_->EndLameduck(); }}),
      observer_(metrics_),
      notifier_metrics_(metrics_),
      reloader_({.metrics = &metrics_,
                 .clock = &clock_,
                 .read = read_config,
                 .apply = [this](const runtime::Config& next) { Apply(next); }}),
      registry_(config_.grpc.open_calls_max) {
  metrics_.FamiliesFrom(runtime::ProcessFamilies);
  if (read_config) shutdown_.OnReload([this] { reloader_.Reload(config_); });
}

int Process::Run() {
  const absl::Status started = Start();
  if (!started.ok()) {
    Log(LogLevel::kError, "cannot start", {{"error", MessageOf(started)}});
    shutdown_.Stop(1, "start failed");
  } else {
    readiness_.Ready("process");
    runtime::NotifySystemd("READY=1");
    Log(LogLevel::kInfo, "serving",
        {{"grpc_port", server_->bound_port()},
         {"admin_port", admin_->bound_port()},
         {"data_dir", config_.data_dir}});
  }
  return shutdown_.Run();
}

absl::Status Process::Start() {
  TANDEM_RETURN_IF_ERROR(MakePrivateFolder(config_.data_dir));
  TANDEM_RETURN_IF_ERROR(CheckOwner(config_.data_dir, geteuid()));
  TANDEM_ASSIGN_OR_RETURN(
      admin_, runtime::AdminHttp::Start(
                  config_.admin.listen,
                  {.metrics = [this] { return metrics_.Text(); }, .readiness = &readiness_}));
  shutdown_.OnStop("admin port", [this] { admin_->Stop(); });
  if (config_.roles.router) TANDEM_RETURN_IF_ERROR(StartRouter());
  TANDEM_RETURN_IF_ERROR(StartAuthentication());
  if (config_.roles.context) TANDEM_RETURN_IF_ERROR(StartContext());
  // Of a process that was killed: with a store locked, no living one is meant by it.
  if (router_ != nullptr || context_ != nullptr) {
    TANDEM_RETURN_IF_ERROR(RemoveFile(AddressesFile()));
  }
  TANDEM_RETURN_IF_ERROR(StartServer());
  if (config_.roles.router) TANDEM_RETURN_IF_ERROR(StartFollowing());
  if (config_.roles.notifier) TANDEM_RETURN_IF_ERROR(StartNotifier());
  server_->SetServing(true);
  health_->Look();
  // Last: who waits for this file finds everything else done.
  return WriteAddresses();
}

absl::Status Process::StartRouter() {
  TANDEM_ASSIGN_OR_RETURN(router_,
                          RouterRole::Open(config_, &clock_, [this](const absl::Status& status) {
                            Log(LogLevel::kError, "the journal failed; ending to recover",
                                {{"error", MessageOf(status)}});
                            readiness_.NotReady("journal", "failed");
                            shutdown_.Stop(1, "journal failed");
                          }));
  router_->AddMetrics(metrics_);
  router_->StartRetention(config_.retention, metrics_);
  shutdown_.OnStop("router", [this] { router_->Stop(); });
  return router_->EnsureAdministrator(config_);
}

absl::Status Process::StartAuthentication() {
  const rpc::Authenticator* authenticator = nullptr;
  if (router_ != nullptr) {
    authenticator = &router_->directory();
  } else {
    TANDEM_ASSIGN_OR_RETURN(auto channel, ChannelTo(config_.router.address));
    remote_ = std::make_unique<runtime::RemoteAuthenticator>(std::move(channel),
                                                             config_.peers.token, clock_);
    authenticator = remote_.get();
  }
  local_ = std::make_unique<rpc::LocalServiceAuthenticator>(*authenticator);
  guard_ = std::make_unique<rpc::CallGuard>(rpc::CallGuard::Parts{.authenticator = local_.get(),
                                                                  .clock = &clock_,
                                                                  .registry = &registry_,
                                                                  .observer = &observer_});
  credentials_ = std::make_unique<rpc::CredentialWatch>(rpc::CredentialWatch::Options{
      .registry = &registry_, .authenticator = local_.get(), .clock = &clock_});
  shutdown_.OnStop("credential watch", [this] { credentials_->Stop(); });
  return absl::OkStatus();
}

absl::Status Process::StartContext() {
  const std::string folder = config_.data_dir + "/context";
  TANDEM_RETURN_IF_ERROR(MakePrivateFolder(folder));
  TANDEM_ASSIGN_OR_RETURN(context_, context::ContextService::Open(
                                        {.path = folder + "/context.db", .guard = guard_.get()}));
  shutdown_.OnStop("context service", [this] { context_->Drain(); });
  return absl::OkStatus();
}

absl::Status Process::StartServer() {
  std::vector<runtime::ServedService> services;
  if (router_ != nullptr) {
    // Who signs knows the names; where the notifier is another process, nobody here does.
    api::HasSecret has_secret;
    if (config_.roles.notifier) {
      secret_names_.Set(config_);
      has_secret = [this](const TenantId& tenant, const std::string& name) {
        return secret_names_.Has(tenant, name);
      };
    }
    services =
        router_->Serve(guard_.get(), {.on_installation_changed = [this] { credentials_->Wake(); },
                                      .has_secret = std::move(has_secret)});
  }
  if (context_ != nullptr) services.push_back({"tandem.v1.Context", context_->service()});
  WatchHealth(services);
  TANDEM_ASSIGN_OR_RETURN(auto credentials,
                          runtime::ServerCredentials(config_.grpc.tls, clock_.Now()));
  TANDEM_ASSIGN_OR_RETURN(server_,
                          runtime::GrpcServer::Start({.listen = config_.grpc.listen,
                                                      .credentials = std::move(credentials),
                                                      .max_message = MessageMax(),
                                                      .reflection = config_.grpc.reflection,
                                                      .registry = &registry_},
                                                     std::move(services)));
  shutdown_.OnStop("grpc server", [this] {
    readiness_.Draining();
    server_->Drain({.lameduck = config_.drain.lameduck, .timeout = config_.drain.timeout});
  });
  return absl::OkStatus();
}

// On the main thread until the stop begins, so never beside a drain.
void Process::WatchHealth(const std::vector<runtime::ServedService>& services) {
  health_ = std::make_unique<runtime::Health>(
      &readiness_,
      [this](const std::string& service, bool serving) { server_->SetServing(service, serving); });
  constexpr char kContext[] = "tandem.v1.Context";
  if (router_ != nullptr) {
    std::vector<std::string> names;
    for (const runtime::ServedService& served : services) {
      if (served.name != kContext) names.push_back(served.name);
    }
    health_->Add({.name = "journal", .services = std::move(names), .why_not = [this] {
                    return router_->WhyNotServing();
                  }});
  }
  if (context_ != nullptr) {
    health_->Add({.name = "context", .services = {kContext}, .why_not = [this] {
                    return std::string(
                        context_->writable()
                            ? ""
                            : "the store failed: changes are refused until the next start");
                  }});
  }
  shutdown_.Every(kHealthLook, [this] { health_->Look(); });
}

void Process::Apply(const runtime::Config& config) {
  config_ = config;
  runtime::SetLogLevel(config_.log.level);
  if (router_ != nullptr) router_->Apply(config_);
  secret_names_.Set(config_);
  if (notifier_ == nullptr) return;
  auto secrets = SecretBookOf(config_);
  TANDEM_CHECK(secrets.ok(), "the reloader has asked the same");
  notifier_->SetSecrets(*std::move(secrets));
}

// An import of context is the largest message that anybody sends.
std::uint64_t Process::MessageMax() const {
  constexpr std::uint64_t kRestOfTheRequest = 64 << 10;
  if (context_ == nullptr) return config_.grpc.max_message;
  return std::max<std::uint64_t>(config_.grpc.max_message,
                                 context::kImportBytesMax + kRestOfTheRequest);
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> Process::ChannelTo(
    const std::optional<runtime::Endpoint>& address) {
  if (!address) {
    if (server_ != nullptr) return server_->InProcessChannel();
    return Error(absl::StatusCode::kInvalidArgument, "CONFIG_INVALID",
                 "router.address is needed by a process that does not run the router role");
  }
  TANDEM_ASSIGN_OR_RETURN(auto credentials,
                          runtime::PeerCredentials(config_.peers, *address, clock_.Now()));
  grpc::ChannelArguments arguments = runtime::ClientChannelArguments(config_.grpc.max_message);
  // A role that was away for a moment must not be left alone for minutes.
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  return grpc::CreateCustomChannel(runtime::ToText(*address), credentials, arguments);
}

absl::Status Process::StartFollowing() {
  if (context_ == nullptr && !config_.context.address) return absl::OkStatus();
  TANDEM_ASSIGN_OR_RETURN(auto channel, ChannelTo(config_.context.address));
  router_->FollowContext(std::move(channel),
                         config_.context.address ? config_.peers.token.Reveal() : local_->token());
  shutdown_.OnStop("context watch", [this] { router_->StopFollowing(); });
  return absl::OkStatus();
}

absl::Status Process::StartNotifier() {
  TANDEM_ASSIGN_OR_RETURN(auto channel, ChannelTo(config_.router.address));
  TANDEM_ASSIGN_OR_RETURN(auto secrets, SecretBookOf(config_));
  notifier::WorkerOptions options{
      .link = {.channel = std::move(channel),
               .worker_id = fmt::format("notifier-{}", getpid()),
               .token = config_.router.address ? config_.peers.token.Reveal() : local_->token()},
      .http = {.policy = {.allow_private_addresses = config_.notifier.allow_private_addresses,
                          .allow_http = config_.notifier.allow_http},
               .total_timeout = config_.notifier.timeout},
      .secrets = std::move(secrets),
      .clock = &clock_,
      .observer = &notifier_metrics_,
      .log = [](notifier::LogLevel level, const std::string& line) {
        Log(level == notifier::LogLevel::kError     ? LogLevel::kError
            : level == notifier::LogLevel::kWarning ? LogLevel::kWarn
                                                    : LogLevel::kInfo,
            line);
      }};
  options.dispatch.limits.in_flight_max = config_.notifier.max_in_flight;
  options.dispatch.seed = static_cast<std::uint64_t>(absl::ToUnixNanos(clock_.Now()));
  TANDEM_ASSIGN_OR_RETURN(notifier_, notifier::DeliveryWorker::Start(std::move(options)));
  shutdown_.OnStop("notifier", [this] { notifier_->Stop(); });
  return absl::OkStatus();
}

std::string Process::AddressesFile() const { return config_.data_dir + "/addresses.json"; }

absl::Status Process::WriteAddresses() {
  const auto address = [](const runtime::Endpoint& listen, std::uint16_t port) {
    return runtime::ToText({listen.host, port});
  };
  const nlohmann::json addresses = {
      {"grpc", address(config_.grpc.listen, server_->bound_port())},
      {"admin", address(config_.admin.listen, admin_->bound_port())},
      {"pid", getpid()},
  };
  // Whoever holds the ports removes it, so that nobody is sent to where nobody listens.
  shutdown_.OnStop("addresses", [path = AddressesFile()] {
    if (const absl::Status removed = RemoveFile(path); !removed.ok()) {
      Log(LogLevel::kWarn, "the addresses stay behind", {{"error", MessageOf(removed)}});
    }
  });
  return WritePrivateFile(AddressesFile(), addresses.dump(2) + "\n");
}

}  // namespace tandem::tandemd
