#include "services/tandemd/router_role.h"

#include <fmt/format.h>
#include <openssl/rand.h>
#include <sys/statvfs.h>

#include <filesystem>
#include <utility>

#include "router/base/check.h"
#include "router/base/status.h"
#include "services/runtime/logging.h"
#include "services/tandemd/administrator.h"
#include "services/tandemd/private_file.h"

namespace tandem::tandemd {
namespace {

using runtime::Log;
using runtime::LogLevel;

core::IdentityKey RandomKey() {
  core::IdentityKey key;
  TANDEM_CHECK(RAND_bytes(key.data(), static_cast<int>(key.size())) == 1,
               "the machine has no random numbers");
  return key;
}

std::uint64_t FreeBytes(const std::string& folder) {
  struct statvfs found = {};
  // A file system that cannot be asked must not stop the router; an append will tell.
  if (statvfs(folder.c_str(), &found) != 0) return ~std::uint64_t{0};
  return static_cast<std::uint64_t>(found.f_bavail) * found.f_frsize;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RouterRole>> RouterRole::Open(
    const runtime::Config& config, const Clock* clock,
    std::function<void(const absl::Status&)> on_fatal) {
  std::unique_ptr<RouterRole> role(new RouterRole);
  role->clock_ = clock;
  role->resolve_timeout_ = config.router.resolve_timeout;
  const std::string folder = config.data_dir + "/router";
  TANDEM_RETURN_IF_ERROR(MakePrivateFolder(folder));
  TANDEM_ASSIGN_OR_RETURN(role->journal_,
                          journal::OpenSqliteJournal({.path = folder + "/journal.db"}));
  TANDEM_ASSIGN_OR_RETURN(auto snapshots, journal::SnapshotStore::Open(folder));
  role->snapshots_ = std::make_unique<journal::SnapshotStore>(std::move(snapshots));
  TANDEM_ASSIGN_OR_RETURN(role->feed_, api::FeedHub::Start(role->journal_.get(), clock, {}));
  role->deliveries_ = std::make_unique<api::DeliveryHub>(role->journal_.get());
  const core::IdentityKey key = role->key_ = RandomKey();
  role->snapshotter_ = std::make_unique<engine::Snapshotter>(engine::SnapshotterOptions{
      .journal = role->journal_.get(),
      .store = role->snapshots_.get(),
      .key = key,
      .records_between = config.router.snapshot_every,
      .on_done = [](const TenantId& tenant, const absl::Status& status) {
        if (status.ok()) {
          Log(LogLevel::kDebug, "snapshot written", {{"tenant", tenant.value}});
        } else {
          Log(LogLevel::kError, "snapshot failed; recovery will take longer",
              {{"tenant", tenant.value}, {"error", MessageOf(status)}});
        }
      }});
  engine::EngineOptions options{
      .clock = clock,
      .shard = {.resolve_timeout = config.router.resolve_timeout, .key = key},
      .mailbox = {.commands_max = config.router.mailbox_max},
      .group_commands_max = config.router.group_max,
      .free_disk = [folder] { return FreeBytes(folder); },
      .min_free_disk = config.router.min_free_disk,
      .snapshots = role->snapshots_.get(),
      .sinks = {role->feed_.get(), role->deliveries_.get(), role->snapshotter_.get()},
      .on_fatal = std::move(on_fatal)};
  const absl::Time start = clock->Now();
  TANDEM_ASSIGN_OR_RETURN(role->engine_,
                          engine::Engine::Start(role->journal_.get(), std::move(options)));
  Log(LogLevel::kInfo, "recovered",
      {{"seconds", absl::ToDoubleSeconds(clock->Now() - start)},
       {"active_alerts", role->engine_->counters().active_alerts.load()},
       {"incidents", role->engine_->counters().incidents.load()},
       {"open_deliveries", role->engine_->counters().open_deliveries.load()}});
  TANDEM_ASSIGN_OR_RETURN(role->readers_, api::ReaderPool::Start(role->journal_.get(), {}));
  role->directory_ = std::make_unique<api::Directory>(role->engine_.get());
  return role;
}

RouterRole::~RouterRole() {
  StopFollowing();
  Stop();
}

std::vector<runtime::ServedService> RouterRole::Serve(const rpc::CallGuard* guard, Hooks hooks) {
  TANDEM_CHECK(api_ == nullptr, "a role is served once");
  api_ = std::make_unique<api::RouterApi>(
      api::RouterApi::Parts{.engine = engine_.get(),
                            .readers = readers_.get(),
                            .authenticator = &guard->authenticator(),
                            .clock = clock_,
                            .on_installation_changed = std::move(hooks.on_installation_changed),
                            .has_secret = std::move(hooks.has_secret)});
  std::vector<runtime::ServedService> served;
  const auto add = [&](const char* name, std::unique_ptr<grpc::Service> service) {
    served.push_back({name, service.get()});
    services_.push_back(std::move(service));
  };
  add("tandem.v1.AlertIngest",
      std::make_unique<api::AlertIngestService>(
          engine_.get(), guard, api::AlertIngestService::Options{resolve_timeout_}));
  add("tandem.v1.Incidents", std::make_unique<api::IncidentsService>(api_.get(), guard));
  add("tandem.v1.Playbooks", std::make_unique<api::PlaybooksService>(api_.get(), guard));
  add("tandem.v1.Admin", std::make_unique<api::AdminService>(api_.get(), guard));
  add("tandem.v1.Feed", std::make_unique<api::FeedService>(feed_.get(), engine_.get(), guard));
  add("tandem.v1.Deliveries",
      std::make_unique<api::DeliveriesService>(api_.get(), deliveries_.get(), guard));
  return served;
}

void RouterRole::FollowContext(std::shared_ptr<grpc::Channel> channel, std::string token) {
  watcher_ = std::make_unique<api::ContextWatcher>(
      engine_.get(), api::ContextWatcher::Options{
                         .clock = clock_,
                         .channel = std::move(channel),
                         .token = std::move(token),
                         .on_lost = [](const TenantId& tenant, const absl::Status& status) {
                           Log(LogLevel::kWarn,
                               "context service lost; routing goes on with the last known context",
                               {{"tenant", tenant.value}, {"error", MessageOf(status)}});
                         }});
}

absl::Status RouterRole::EnsureAdministrator(const runtime::Config& config) {
  const bool is_new = engine_->Installation()->principals.empty();
  const auto made = tandemd::EnsureAdministrator(
      *engine_, {.data_dir = config.data_dir,
                 .now = clock_->Now(),
                 .takes_certificates = config.grpc.tls.on() && !config.grpc.tls.client_ca.empty()});
  if (!made.ok()) {
    if (is_new) return made.status();
    Log(LogLevel::kError,
        "no administrator of all tenants has a token that holds, and none could be made; the next "
        "start tries again",
        {{"error", MessageOf(made.status())}});
    return absl::OkStatus();
  }
  if (!*made) return absl::OkStatus();
  const NewAdministratorToken& token = **made;
  if (token.is_installation) {
    Log(LogLevel::kInfo, "new installation: the administrator's token was written",
        {{"file", token.file}});
  } else {
    Log(LogLevel::kWarn,
        "no administrator of all tenants had a token that holds: a new one was made and written",
        {{"principal", token.principal}, {"file", token.file}});
  }
  return absl::OkStatus();
}

void RouterRole::StartRetention(absl::Duration keep, runtime::Metrics& metrics) {
  auto& pruned =
      metrics.Counters("journal_pruned_records_total", "Records removed by the retention").Add({});
  retention_ = std::make_unique<engine::Retention>(engine::RetentionOptions{
      .clock = clock_,
      .journal = journal_.get(),
      .store = snapshots_.get(),
      .engine = engine_.get(),
      .key = key_,
      .keep = keep,
      .need_snapshot = [this](const TenantId& tenant) { snapshotter_->Demand(tenant); },
      .on_done =
          [&pruned](const TenantId& tenant, const absl::StatusOr<journal::CutCounts>& counts) {
            if (!counts.ok()) {
              return Log(LogLevel::kError, "the retention could not be kept",
                         {{"tenant", tenant.value}, {"error", MessageOf(counts.status())}});
            }
            pruned.Increment(static_cast<double>(counts->records));
            Log(LogLevel::kInfo, "pruned what is older than the retention",
                {{"tenant", tenant.value},
                 {"records", counts->records},
                 {"incidents", counts->incidents}});
          }});
}

std::string RouterRole::WhyNotServing() const {
  switch (engine_->health()) {
    case engine::EngineHealth::kReadOnly:
      return "the disk is full: input is refused, reads go on";
    case engine::EngineHealth::kFailed:
      return "failed: the process ends to recover";
    case engine::EngineHealth::kServing:
    case engine::EngineHealth::kStopping:
      break;
  }
  return "";
}

void RouterRole::Apply(const runtime::Config& config) {
  engine_->SetMinFreeDisk(config.router.min_free_disk);
  retention_->SetKeep(config.retention);
}

void RouterRole::AddMetrics(runtime::Metrics& metrics) {
  const engine::Engine* engine = engine_.get();
  const auto gauge = [&](const char* name, const char* help, auto read) {
    metrics.GaugeFrom(name, help, [engine, read] { return static_cast<double>(read(*engine)); });
  };
  using E = engine::Engine;
  gauge("alerts_active", "Alerts that fire",
        [](const E& e) { return e.counters().active_alerts.load(); });
  gauge("incidents", "Incidents in the state: open, acknowledged and recently resolved",
        [](const E& e) { return e.counters().incidents.load(); });
  gauge("deliveries_open", "Messages that are still owed",
        [](const E& e) { return e.counters().open_deliveries.load(); });
  gauge("alerts_received", "Alerts taken since the start",
        [](const E& e) { return e.counters().alerts.load(); });
  gauge("alerts_refused", "Alerts refused since the start",
        [](const E& e) { return e.counters().alerts_refused.load(); });
  gauge("journal_commits", "Commits since the start",
        [](const E& e) { return e.counters().groups.load(); });
  gauge("journal_records", "Records written since the start",
        [](const E& e) { return e.counters().records.load(); });
  gauge("journal_append_seconds", "Time spent in commits since the start",
        [](const E& e) { return static_cast<double>(e.counters().append_nanoseconds) * 1e-9; });
  gauge("clock_behind_seconds",
        "By how much the wall clock is behind the time of the last record: it was set back",
        [](const E& e) {
          return static_cast<double>(e.counters().clock_behind_microseconds) * 1e-6;
        });
  gauge("mailbox_depth", "Commands that wait for the engine",
        [](const E& e) { return e.mailbox_size(); });
  gauge("mailbox_refused", "Commands refused because the mailbox was full, since the start",
        [](const E& e) { return e.counters().mailbox_refused.load(); });
  gauge("journal_writable", "1 while input is taken, 0 while the disk is full or after a failure",
        [](const E& e) { return e.health() == engine::EngineHealth::kServing ? 1 : 0; });
  metrics.GaugeFrom("feed_subscribers", "Readers of the feed",
                    [feed = feed_.get()] { return static_cast<double>(feed->subscribers()); });
  metrics.GaugeFrom("context_age_seconds",
                    "Longest time since the context service was heard of, over all tenants",
                    [this] {
                      if (watcher_ == nullptr) return 0.0;
                      double oldest = 0;
                      for (const auto& [tenant, created] : engine_->Installation()->tenants) {
                        const absl::Duration age = clock_->Now() - watcher_->LastHeard(tenant);
                        oldest = std::max(oldest, absl::ToDoubleSeconds(age));
                      }
                      return oldest;
                    });
}

void RouterRole::StopFollowing() {
  if (watcher_ != nullptr) watcher_->Stop();
}

void RouterRole::Stop() {
  if (engine_ != nullptr) engine_->Stop();
  if (retention_ != nullptr) retention_->Stop();
  if (readers_ != nullptr) readers_->Stop();
  if (snapshotter_ != nullptr) snapshotter_->Stop();
  if (feed_ != nullptr) feed_->Stop();
}

}  // namespace tandem::tandemd
