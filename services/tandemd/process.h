// A tandemd process: the roles that its configuration names, the server in front of them, and the
// order in which all of it starts and stops.
//
// The main thread's.
#pragma once

#include <absl/status/status.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "router/base/clock.h"
#include "router/rpc/credential_watch.h"
#include "router/rpc/local_service.h"
#include "router/rpc/server.h"
#include "services/context/context_service.h"
#include "services/notifier/worker.h"
#include "services/runtime/admin_http.h"
#include "services/runtime/command_line.h"
#include "services/runtime/config.h"
#include "services/runtime/grpc_server.h"
#include "services/runtime/health.h"
#include "services/runtime/metrics.h"
#include "services/runtime/readiness.h"
#include "services/runtime/remote_authenticator.h"
#include "services/runtime/rpc_observer.h"
#include "services/runtime/shutdown.h"
#include "services/tandemd/notifier_metrics.h"
#include "services/tandemd/reloader.h"
#include "services/tandemd/router_role.h"
#include "services/tandemd/signing_secrets.h"

namespace tandem::tandemd {

class Process {
 public:
  // `read_config` reads everything anew at SIGHUP; empty: SIGHUP ends the process, as by default.
  explicit Process(runtime::Config config, std::function<runtime::StartUp()> read_config = nullptr);

  // Starts every role, serves until the process is told to end, and stops in reverse. Returns the
  // exit code: 0 after a signal, 1 after a failure, with the reason in the log.
  int Run();

 private:
  absl::Status Start();
  absl::Status StartRouter();
  absl::Status StartAuthentication();
  absl::Status StartContext();
  absl::Status StartServer();
  absl::Status StartFollowing();
  absl::Status StartNotifier();
  std::string AddressesFile() const;
  absl::Status WriteAddresses();
  void WatchHealth(const std::vector<runtime::ServedService>& services);
  void Apply(const runtime::Config& config);
  std::uint64_t MessageMax() const;
  absl::StatusOr<std::shared_ptr<grpc::Channel>> ChannelTo(
      const std::optional<runtime::Endpoint>& address);

  runtime::Config config_;  // the main thread's
  SystemClock clock_;
  runtime::Shutdown shutdown_;
  runtime::Readiness readiness_;
  runtime::Metrics metrics_;
  runtime::RpcObserver observer_;
  NotifierMetrics notifier_metrics_;
  Reloader reloader_;
  SecretNames secret_names_;
  rpc::StreamRegistry registry_;
  std::unique_ptr<runtime::AdminHttp> admin_;
  std::unique_ptr<RouterRole> router_;
  std::unique_ptr<runtime::RemoteAuthenticator> remote_;
  std::unique_ptr<rpc::LocalServiceAuthenticator> local_;
  std::unique_ptr<rpc::CallGuard> guard_;
  std::unique_ptr<rpc::CredentialWatch> credentials_;
  std::unique_ptr<context::ContextService> context_;
  std::unique_ptr<runtime::GrpcServer> server_;
  std::unique_ptr<runtime::Health> health_;
  std::unique_ptr<notifier::DeliveryWorker> notifier_;
};

}  // namespace tandem::tandemd
