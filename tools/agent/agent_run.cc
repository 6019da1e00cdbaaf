#include "tools/agent/agent_run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>
#include <vector>

#include "router/base/status.h"
#include "router/base/text.h"
#include "tools/agent/agent_log.h"
#include "tools/agent/agent_report.h"
#include "tools/agent/client.h"
#include "tools/agent/json_alert.h"
#include "tools/agent/line_reader.h"
#include "tools/agent/refusal.h"
#include "tools/agent/stop_signal.h"
#include "tools/agent/storm.h"
#include "tools/agent/storm_corpus.h"
#include "tools/agent/wire.h"

namespace tandem::client {
namespace {

constexpr std::size_t kRulesMaxBytes = 64u << 20;

void Complain(std::string_view text) { fmt::print(stderr, "tandem-agent: {}\n", Printable(text)); }

class Agent {
 public:
  explicit Agent(AgentSettings settings) : settings_(std::move(settings)) {}

  int Run();

 private:
  absl::Status Open();
  void Listen();
  bool InputGoesOn(int fd) const;
  void HearOfLostStream(const LostStream& lost);
  absl::Status SendLines(int fd);
  absl::Status SendStorm();
  absl::StatusOr<Storm> MakeStorm() const;
  std::uint64_t DueBy(absl::Duration passed, std::uint64_t made) const;
  // Sends, waiting while the spool is full; false when a signal or a final refusal ends the work.
  absl::StatusOr<bool> Send(const std::vector<v1::Alert>& alerts);
  bool stopping() const { return turned_away_ || log_failed_ || stop_.came(); }
  AgentSummary Summary(absl::Duration took) const;

  AgentSettings settings_;
  StopSignal stop_;
  std::unique_ptr<AgentLog> ack_log_;
  std::unique_ptr<AgentLog> alert_log_;
  Progress progress_;
  std::uint64_t bad_lines_ = 0;
  std::atomic<bool> turned_away_ = false;  // the router will not have us
  std::atomic<bool> log_failed_ = false;
  std::unique_ptr<AlertClient> client_;  // last: its thread uses the rest
};

absl::Status Agent::Open() {
  if (!settings_.ack_log.empty()) {
    TANDEM_ASSIGN_OR_RETURN(ack_log_, AgentLog::Open(settings_.ack_log));
  }
  if (!settings_.alert_log.empty()) {
    TANDEM_ASSIGN_OR_RETURN(alert_log_, AgentLog::Open(settings_.alert_log));
  }
  Listen();
  TANDEM_ASSIGN_OR_RETURN(client_, AlertClient::Start(settings_.client));
  return absl::OkStatus();
}

// A monitor that pipes its alerts in goes on for ever, and its agent may be started first of all. A
// file that ends is sent by somebody who waits for the outcome.
bool Agent::InputGoesOn(int fd) const {
  if (settings_.input == Input::kStorm) {
    return settings_.storm.count == 0 && settings_.storm.duration == absl::InfiniteDuration();
  }
  struct stat what {};
  return ::fstat(fd, &what) == 0 && !S_ISREG(what.st_mode);
}

void Agent::Listen() {
  const auto check = [this](const absl::Status& written) {
    if (written.ok() || log_failed_.exchange(true)) return;
    Complain(MessageOf(written));
    stop_.Raise();
  };
  ClientEvents& events = settings_.client.events;
  if (alert_log_) {
    events.sending = [this, check](const BatchView& b) { check(alert_log_->WriteAlerts(b)); };
  }
  if (ack_log_) {
    events.receipt = [this, check](const BatchReceipt& r) { check(ack_log_->WriteReceipt(r)); };
  }
  events.refused = [](const RefusedAlert& refused) {
    Complain(fmt::format("refused: {} {}: {} {}", refused.reason, refused.field,
                         refused.description, AlertKey(refused.alert)));
  };
  events.dropped = [](const DroppedAlerts& dropped) {
    Complain(fmt::format("{} dropped: {}: {}", CountedAlerts(dropped.alerts), dropped.reason,
                         dropped.description));
  };
  events.notice = [](const absl::Status& notice) { Complain(MessageOf(notice)); };
  events.disconnected = [this](const LostStream& lost) { HearOfLostStream(lost); };
}

// On the client's thread. A final refusal wakes whoever waits for input.
void Agent::HearOfLostStream(const LostStream& lost) {
  if (lost.turned_away) {
    if (turned_away_.exchange(true)) return;  // said already
    Complain(fmt::format("the router at {} refused this agent: {}: {}; {}",
                         settings_.client.connection.address, ReasonOf(lost.why),
                         MessageOf(lost.why), AdviceFor(lost.why)));
    stop_.Raise();
    return;
  }
  if (lost.why.ok() && stopping()) return;
  const std::string retry = DurationText(absl::Trunc(lost.retry_in, absl::Milliseconds(1)));
  if (IsMissingTenant(lost.why)) {
    const std::string& tenant = settings_.client.tenant;
    Complain(
        fmt::format("waiting for tenant \"{0}\": the router at {1} knows none of this name, or "
                    "not for this token; if the name is right, an administrator makes it with "
                    "`tandem admin tenant create {0}`, otherwise mend --tenant; alerts are kept "
                    "meanwhile; next attempt in {2}",
                    tenant, settings_.client.connection.address, retry));
    return;
  }
  Complain(fmt::format("no stream: {}: {}; next attempt in {}",
                       absl::StatusCodeToString(lost.why.code()), MessageOf(lost.why), retry));
}

absl::StatusOr<bool> Agent::Send(const std::vector<v1::Alert>& alerts) {
  // Tried once even while stopping: what was read from a pipe cannot be read again.
  while (true) {
    const absl::Status status = client_->Send(alerts);
    if (status.ok()) {
      progress_.Show(client_->stats());
      return true;
    }
    if (!absl::IsResourceExhausted(status)) return status;
    if (stopping()) {
      Complain(fmt::format("of what was read {} found no room: {}", CountedAlerts(alerts.size()),
                           MessageOf(status)));
      return false;
    }
    // The input waits; a full spool empties as soon as the router takes something.
    stop_.Wait(absl::Milliseconds(50));
  }
}

absl::Status Agent::SendLines(int fd) {
  LineReader reader(fd, kJsonLineMaxBytes, stop_);
  const std::size_t chunk = settings_.client.batch_alerts;
  while (!stopping()) {
    TANDEM_ASSIGN_OR_RETURN(const std::vector<NumberedLine> lines, reader.Read(chunk));
    if (lines.empty()) return absl::OkStatus();
    std::vector<v1::Alert> alerts;
    bool give_up = false;
    for (const NumberedLine& line : lines) {
      absl::StatusOr<v1::Alert> alert = ReadJsonAlert(line.text);
      if (alert.ok()) {
        alerts.push_back(*std::move(alert));
        continue;
      }
      ++bad_lines_;
      Complain(fmt::format("line {}: {}", line.number, MessageOf(alert.status())));
      give_up = settings_.strict;
      if (give_up) break;
    }
    TANDEM_ASSIGN_OR_RETURN(const bool sent, Send(alerts));
    if (!sent || give_up) return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::StatusOr<Storm> Agent::MakeStorm() const {
  const StormSettings& asked = settings_.storm;
  TANDEM_ASSIGN_OR_RETURN(const std::string rules_text,
                          ReadWholeFile(asked.rules_file, kRulesMaxBytes));
  TANDEM_ASSIGN_OR_RETURN(std::vector<AlertRule> rules, ReadAlertRules(rules_text));
  std::vector<StormEntity> entities = MadeUpContext();
  if (!asked.context_file.empty()) {
    TANDEM_ASSIGN_OR_RETURN(const std::string yaml,
                            ReadWholeFile(asked.context_file, kRulesMaxBytes));
    TANDEM_ASSIGN_OR_RETURN(entities, ReadStormContext(yaml));
  }
  return Storm(std::move(rules), std::move(entities),
               {.seed = asked.seed,
                .resolve_share = asked.resolve_share,
                .repeat_share = asked.repeat_share});
}

// Alerts of the storm to send now: those that the rate has brought, a batch at most.
std::uint64_t Agent::DueBy(absl::Duration passed, std::uint64_t made) const {
  const std::uint64_t batch = settings_.client.batch_alerts;
  if (settings_.storm.rate == 0) return batch;
  const double planned = settings_.storm.rate * absl::ToDoubleSeconds(passed);
  if (planned < static_cast<double>(made)) return 0;
  return std::min(batch, static_cast<std::uint64_t>(planned) - made + 1);
}

absl::Status Agent::SendStorm() {
  const StormSettings& asked = settings_.storm;
  TANDEM_ASSIGN_OR_RETURN(Storm storm, MakeStorm());
  const SystemClock clock;
  const absl::Time begin = clock.Now();
  std::uint64_t made = 0;
  while (!stopping()) {
    const absl::Duration passed = clock.Now() - begin;
    const std::uint64_t left = asked.count == 0 ? UINT64_MAX : asked.count - made;
    if (left == 0 || passed >= asked.duration) return absl::OkStatus();
    const std::uint64_t due = DueBy(passed, made);
    if (due == 0) {
      stop_.Wait(begin + absl::Seconds(static_cast<double>(made) / asked.rate) - clock.Now());
      continue;
    }
    const std::uint64_t count = std::min(due, left);
    std::vector<v1::Alert> alerts;
    alerts.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) alerts.push_back(storm.Next(clock.Now()));
    made += alerts.size();
    TANDEM_ASSIGN_OR_RETURN(const bool sent, Send(alerts));
    if (!sent) return absl::OkStatus();
  }
  return absl::OkStatus();
}

AgentSummary Agent::Summary(absl::Duration took) const {
  return {.stats = client_->stats(),
          .bad_lines = bad_lines_,
          .turned_away = turned_away_,
          .took = took};
}

int Agent::Run() {
  const SystemClock clock;
  const absl::Time begin = clock.Now();
  FileHandle file;
  absl::Status status;
  if (settings_.input == Input::kFile) {
    absl::StatusOr<FileHandle> opened = OpenFile(settings_.file, O_RDONLY);
    status = opened.status();
    if (opened.ok()) file = *std::move(opened);
  }
  const int fd = settings_.input == Input::kFile ? file.fd() : STDIN_FILENO;
  settings_.client.wait_for_tenant = InputGoesOn(fd);
  if (status.ok()) status = Open();
  if (!status.ok()) {
    Complain(MessageOf(status));
    return kExitUsage;
  }
  switch (settings_.input) {
    case Input::kStorm:
      status = SendStorm();
      break;
    case Input::kFile:
    case Input::kStdin:
      status = SendLines(fd);
      break;
  }
  if (!status.ok()) Complain(MessageOf(status));
  const bool wait = !turned_away_ && !log_failed_;
  const absl::Status drained = client_->Stop(wait ? settings_.drain : absl::ZeroDuration());
  progress_.End();
  if (!drained.ok()) Complain(MessageOf(drained));
  const AgentSummary summary = Summary(clock.Now() - begin);
  fmt::print("{}\n", settings_.json ? SummaryJson(summary) : SummaryText(summary));
  if (!status.ok() || log_failed_) return kExitUsage;
  return ExitCodeOf(summary);
}

}  // namespace

int RunAgent(AgentSettings settings) { return Agent(std::move(settings)).Run(); }

}  // namespace tandem::client
