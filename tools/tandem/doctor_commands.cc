// `tandem doctor` and `tandem health`.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <ostream>
#include <vector>

#include "router/base/status.h"
#include "tools/tandem/commands.h"
#include "tools/tandem/doctor.h"
#include "tools/tandem/doctor_probes.h"
#include "tools/tandem/failure.h"
#include "tools/tandem/health_check.h"

namespace tandem::cli {
namespace {

constexpr char kLocalFolder[] = "data";
constexpr char kAdminAddress[] = "127.0.0.1:7480";

struct DoctorOptions {
  std::string data;
  std::string admin_address;
};

// Shows each check as soon as it is done: one that hangs is then known by name.
class Report {
 public:
  explicit Report(Session& session) : session_(session) {}

  void Add(Check check) {
    if (!session_.options.json) {
      session_.out() << CheckText(check, session_.look()) << std::flush;
    }
    checks_.push_back(std::move(check));
  }
  void Add(std::vector<Check> checks) {
    for (Check& check : checks) Add(std::move(check));
  }
  int Finish() {
    session_.out() << (session_.options.json ? ChecksJson(checks_) : CheckSummary(checks_));
    return AnyBad(checks_) ? kExitFinding : kExitOk;
  }
  bool bad() const { return AnyBad(checks_); }

 private:
  Session& session_;
  std::vector<Check> checks_;
};

void CheckRouter(Session& session, Client& client, Report& report) {
  report.Add(CheckConnection(client, session.look()));
  if (report.bad()) return;  // nothing behind a door that does not open
  v1::Principal me;
  const Check token = CheckToken(client, session.look(), me);
  report.Add(token);
  if (token.level == Check::Level::kBad) return;
  report.Add(CheckClock(client, session.look()));
  report.Add(CheckTenants(client, session.look(), me));
}

absl::StatusOr<int> Doctor(Session& session, const DoctorOptions& options) {
  TANDEM_ASSIGN_OR_RETURN(Client * client, session.Connect());
  TANDEM_ASSIGN_OR_RETURN(const absl::Duration timeout, session.Timeout());
  Report report(session);
  CheckRouter(session, *client, report);
  const bool here = !UsesTls({.address = session.options.address});
  if (!options.data.empty()) {
    report.Add(CheckDataFolder(options.data));
  } else if (here && access(kLocalFolder, F_OK) == 0) {
    report.Add(CheckDataFolder(kLocalFolder));
  }
  if (!options.admin_address.empty() || here) {
    report.Add(
        CheckAdminEndpoint(options.admin_address.empty() ? kAdminAddress : options.admin_address,
                           std::min(timeout, absl::Seconds(3))));
  }
  return report.Finish();
}

absl::StatusOr<int> ShowHealth(Session& session, const std::string& service) {
  TANDEM_ASSIGN_OR_RETURN(Client * client, session.Connect());
  TANDEM_ASSIGN_OR_RETURN(const Health health, AskHealth(*client, service));
  const std::string_view word = health.state == Health::State::kServing      ? "SERVING"
                                : health.state == Health::State::kNotServing ? "NOT_SERVING"
                                                                             : "UNKNOWN";
  session.out() << (session.options.json ? fmt::format("{{\"status\":\"{}\"}}\n", word)
                                         : fmt::format("{}\n", word));
  return health.state == Health::State::kServing ? kExitOk : kExitFinding;
}

}  // namespace

void AddDoctorCommands(const Command& root, Session& session) {
  auto options = std::make_shared<DoctorOptions>();
  const Command doctor = root.Sub("doctor", "Look for what is wrong and say what to do");
  doctor.Add({"--data", "The router's data folder (default: ./data when it exists)", "FOLDER"},
             options->data);
  doctor.Add({.names = "--admin-address",
              .help = fmt::format("The router's admin endpoint (default {})", kAdminAddress),
              .value = "HOST:PORT",
              .env = "TANDEM_ADMIN_ADDRESS"},
             options->admin_address);
  doctor.Runs([&session, options] { return Doctor(session, *options); });

  auto service = std::make_shared<std::string>();
  const Command health = root.Sub("health", "Exit code 0 when the router serves; needs no token");
  health.Add({"--service", "One service: tandem.v1.AlertIngest", "NAME"}, *service);
  health.Runs([&session, service] { return ShowHealth(session, *service); });
}

}  // namespace tandem::cli
