// `tandem alert send` and `tandem alert stream`.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <ostream>
#include <utility>
#include <vector>

#include "router/base/status.h"
#include "router/base/text.h"
#include "tandem/v1/alert_ingest.grpc.pb.h"
#include "tools/tandem/age.h"
#include "tools/tandem/alert_sender.h"
#include "tools/tandem/alert_text.h"
#include "tools/tandem/commands.h"
#include "tools/tandem/failure.h"
#include "tools/tandem/json.h"
#include "tools/tandem/line_reader.h"
#include "tools/tandem/names.h"

namespace tandem::cli {
namespace {

// Below the router's 1 MiB a batch, which counts a few bytes of framing for each alert.
constexpr std::size_t kBatchMaxBytes = 900 << 10;
constexpr std::int64_t kBatchMaxAlerts = 512;
// A writer that pauses gets its alerts sent: `tail -f … | tandem alert stream`.
constexpr absl::Duration kPause = absl::Milliseconds(200);
constexpr absl::Duration kProgressEvery = absl::Milliseconds(200);

struct SendOptions {
  std::vector<std::string> labels;
  std::vector<std::string> annotations;
  std::string starts_at;
  std::string ends_at;
  std::string generator_url;
  bool resolve = false;
};

absl::StatusOr<v1::Alert> BuildAlert(const SendOptions& options, absl::Time now) {
  if (options.resolve && !options.ends_at.empty()) {
    return UsageError("--resolve means --ends-at now: give one of the two");
  }
  v1::Alert alert;
  for (const std::string& text : options.labels) {
    TANDEM_ASSIGN_OR_RETURN(*alert.add_labels(), ReadLabel("--label", text));
  }
  for (const std::string& text : options.annotations) {
    TANDEM_ASSIGN_OR_RETURN(*alert.add_annotations(), ReadLabel("--annotation", text));
  }
  const std::string ends_at = options.resolve ? "now" : options.ends_at;
  if (!ends_at.empty()) {
    TANDEM_ASSIGN_OR_RETURN(const absl::Time time, ReadTime("--ends-at", ends_at, now));
    *alert.mutable_ends_at() = ToStamp(time);
  }
  if (!options.starts_at.empty()) {
    TANDEM_ASSIGN_OR_RETURN(const absl::Time time, ReadTime("--starts-at", options.starts_at, now));
    *alert.mutable_starts_at() = ToStamp(time);
  }
  alert.set_generator_url(options.generator_url);
  return alert;
}

std::string RefusalText(const v1::Refusal& refusal) {
  return fmt::format("refused: {}: {} ({})", Printable(refusal.field()),
                     Printable(refusal.description()), Printable(refusal.reason()));
}

absl::StatusOr<int> Send(Session& session, const SendOptions& options) {
  v1::PushAlertsRequest request;
  TANDEM_ASSIGN_OR_RETURN(*request.mutable_parent(), session.Tenant());
  TANDEM_ASSIGN_OR_RETURN(*request.mutable_batch()->add_alerts(),
                          BuildAlert(options, session.clock().Now()));
  request.mutable_batch()->set_number(1);
  TANDEM_ASSIGN_OR_RETURN(Client * client, session.Connect());
  TANDEM_ASSIGN_OR_RETURN(
      const v1::PushAlertsResponse response,
      client->Call("AlertIngest/PushAlerts", &v1::AlertIngest::Stub::PushAlerts, request));
  const v1::Receipt& receipt = response.receipt();
  if (session.options.json) {
    session.PrintJson(response);
  } else {
    if (receipt.accepted() > 0) session.out() << "accepted: the alert is durable\n";
    for (const v1::Refusal& refusal : receipt.refusals()) {
      session.out() << RefusalText(refusal) << "\n";
    }
  }
  return receipt.refusals().empty() ? kExitOk : kExitFinding;
}

struct StreamOptions {
  std::string file = "-";
  std::string client_id;
  std::int64_t batch = kBatchMaxAlerts;
};

// Distinct on every run: a batch number of an earlier run never means one of this.
std::string NewClientId() {
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  std::string name;
  for (const char c : std::string_view(host.data())) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-';
    if (plain && name.size() < 64) name += c;
  }
  return fmt::format("tandem-cli/{}/{}", name.empty() ? "host" : name, NewRequestId());
}

// What became of the lines so far.
struct Tally {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;     // by the router, or here because it would be too large for it
  std::uint64_t unreadable = 0;  // not an alert at all
  std::uint64_t repeated = 0;    // durable before
};

// From lines to batches to receipts.
class AlertStream {
 public:
  AlertStream(Session& session, const Client& client, const StreamOptions& options,
              std::string parent)
      : session_(session),
        batch_max_(static_cast<int>(options.batch)),
        started_(session.clock().Now()),
        sender_(client,
                {.parent = std::move(parent),
                 .client_id = options.client_id.empty() ? NewClientId() : options.client_id},
                [this](const v1::AlertBatch& batch, const v1::Receipt& receipt) {
                  Receive(batch, receipt);
                }) {}

  absl::Status Run(LineReader& lines) {
    while (true) {
      const bool hurry = batch_.alerts_size() > 0 || sender_.pending() > 0;
      TANDEM_ASSIGN_OR_RETURN(
          LineReader::Event event,
          lines.Next(hurry ? std::optional<absl::Duration>(kPause) : std::nullopt));
      if (event.kind == LineReader::Event::Kind::kLine) {
        TANDEM_RETURN_IF_ERROR(Take(event.line, lines.number()));
        continue;
      }
      if (event.kind == LineReader::Event::Kind::kTooLong) {
        RefuseHere(lines.number(), "LINE_TOO_LONG", LineReader::kLineMaxBytes);
        continue;
      }
      TANDEM_RETURN_IF_ERROR(Flush());
      TANDEM_RETURN_IF_ERROR(sender_.Drain());
      if (event.kind == LineReader::Event::Kind::kEnd) return absl::OkStatus();
    }
  }

  void Summarise() {
    EndProgress();
    const double seconds = absl::ToDoubleSeconds(session_.clock().Now() - started_);
    const std::uint64_t all = tally_.accepted + tally_.refused + tally_.repeated;
    if (session_.options.json) {
      session_.out() << fmt::format(
          "{{\"accepted\":{},\"refused\":{},\"unreadable\":{},\"alreadyDurable\":{},"
          "\"withoutReceipt\":{},\"seconds\":{:.3f}}}\n",
          tally_.accepted, tally_.refused, tally_.unreadable, tally_.repeated, Unsure(), seconds);
      return;
    }
    session_.out() << fmt::format("{} accepted, {} refused, {} unreadable in {:.1f} s ({:.0f}/s)\n",
                                  tally_.accepted, tally_.refused, tally_.unreadable, seconds,
                                  static_cast<double>(all) / std::max(seconds, 0.001));
    if (Unsure() > 0) {
      session_.out() << fmt::format(
          "without a receipt: {}; send them again, an alert is never counted twice\n", Unsure());
    }
  }

  bool clean() const { return tally_.refused == 0 && tally_.unreadable == 0; }

 private:
  absl::Status Take(const std::string& line, std::uint64_t number) {
    if (line.find_first_not_of(" \t") == std::string::npos) return absl::OkStatus();
    absl::StatusOr<v1::Alert> alert = ReadAlertJson(line);
    if (!alert.ok()) {
      ++tally_.unreadable;
      Complain(number, alert.status(), MessageOf(alert.status()));
      return absl::OkStatus();
    }
    const std::size_t bytes = alert->ByteSizeLong() + 8;
    if (bytes > kBatchMaxBytes) {
      RefuseHere(number, "ALERT_TOO_LARGE", kBatchMaxBytes);
      return absl::OkStatus();
    }
    if (bytes_ + bytes > kBatchMaxBytes) TANDEM_RETURN_IF_ERROR(Flush());
    *batch_.add_alerts() = *std::move(alert);
    lines_.push_back(number);
    bytes_ += bytes;
    return batch_.alerts_size() >= batch_max_ ? Flush() : absl::OkStatus();
  }

  absl::Status Flush() {
    if (batch_.alerts_size() == 0) return absl::OkStatus();
    bytes_ = 0;
    sent_lines_.push_back(std::exchange(lines_, {}));
    return sender_.Send(std::exchange(batch_, {}));
  }

  void Receive(const v1::AlertBatch& batch, const v1::Receipt& receipt) {
    const std::vector<std::uint64_t> lines = std::move(sent_lines_.front());
    sent_lines_.pop_front();
    tally_.accepted += receipt.accepted();
    tally_.refused += static_cast<std::uint64_t>(receipt.refusals_size());
    if (receipt.already_durable()) {
      tally_.repeated += static_cast<std::uint64_t>(batch.alerts_size());
    }
    for (const v1::Refusal& refusal : receipt.refusals()) {
      const std::uint64_t line = refusal.index() < lines.size() ? lines[refusal.index()] : 0;
      Complain(line, InvalidField(refusal.reason(), refusal.field(), refusal.description()),
               RefusalText(refusal));
    }
    Progress();
  }

  // A line that the router would not take: told, counted, and passed over.
  void RefuseHere(std::uint64_t line, std::string_view reason, std::size_t bytes_max) {
    ++tally_.refused;
    const std::string what =
        fmt::format("longer than {} bytes; shorten it or take it out", bytes_max);
    Complain(line, Error(absl::StatusCode::kInvalidArgument, reason, what),
             fmt::format("refused: {} ({})", what, reason));
  }

  // `text` for people, `error` for programs; line 0 is not known.
  void Complain(std::uint64_t line, const absl::Status& error, const std::string& text) {
    EndProgress();
    if (session_.options.json) {
      session_.err() << FailureJson(line == 0 ? error
                                              : AddFact(error, "line", fmt::format("{}", line)));
      return;
    }
    session_.err() << (line == 0 ? "" : fmt::format("line {}: ", line)) << Printable(text) << "\n";
  }

  // On a terminal only: one line that is written over.
  void Progress() {
    const absl::Time now = session_.clock().Now();
    if (!session_.err_on_terminal() || now - shown_ < kProgressEvery) return;
    shown_ = now;
    progress_ = true;
    session_.err() << fmt::format("\r{} accepted, {} refused …\x1b[K", tally_.accepted,
                                  tally_.refused)
                   << std::flush;
  }

  void EndProgress() {
    if (std::exchange(progress_, false)) session_.err() << "\r\x1b[K" << std::flush;
  }

  std::uint64_t Unsure() const {
    std::uint64_t alerts = lines_.size();
    for (const auto& lines : sent_lines_) alerts += lines.size();
    return alerts;
  }

  Session& session_;
  const int batch_max_;
  const absl::Time started_;
  v1::AlertBatch batch_;                               // being filled
  std::size_t bytes_ = 0;                              // of batch_
  std::vector<std::uint64_t> lines_;                   // of batch_, by alert
  std::deque<std::vector<std::uint64_t>> sent_lines_;  // of what has no receipt
  Tally tally_;
  absl::Time shown_ = absl::InfinitePast();
  bool progress_ = false;
  AlertSender sender_;
};

absl::StatusOr<int> Stream(Session& session, const StreamOptions& options) {
  if (options.batch < 1 || options.batch > kBatchMaxAlerts) {
    return UsageError(fmt::format("--batch {}: expected 1 to {}", options.batch, kBatchMaxAlerts));
  }
  TANDEM_ASSIGN_OR_RETURN(std::string parent, session.Tenant());
  TANDEM_ASSIGN_OR_RETURN(LineReader lines, LineReader::Open(options.file));
  TANDEM_ASSIGN_OR_RETURN(Client * client, session.Connect());
  AlertStream stream(session, *client, options, std::move(parent));
  const absl::Status status = stream.Run(lines);
  stream.Summarise();
  TANDEM_RETURN_IF_ERROR(status);
  return stream.clean() ? kExitOk : kExitFinding;
}

void AddSend(const Command& alert, Session& session) {
  auto options = std::make_shared<SendOptions>();
  const Command send = alert.Sub("send", "Send one alert");
  send.Add({.names = "-l,--label",
            .help = "severity=critical; repeat for each label",
            .value = "NAME=VALUE",
            .required = true},
           options->labels);
  send.Add({"-a,--annotation", "summary=\"Line 3 stands still\"; repeat for each", "NAME=VALUE"},
           options->annotations);
  send.Add({"--starts-at", "When it began: a time, or -10m (default: now)", "TIME"},
           options->starts_at);
  send.Add(
      {"--ends-at", "When it ends: a time, 10m, or now (default: the router's timeout)", "TIME"},
      options->ends_at);
  send.Flag({"--resolve", "It has ended: the same as --ends-at now"}, options->resolve);
  send.Add({"--generator-url", "Where a person sees the cause", "URL"}, options->generator_url);
  send.Runs([&session, options] { return Send(session, *options); });
}

void AddStream(const Command& alert, Session& session) {
  auto options = std::make_shared<StreamOptions>();
  const Command stream =
      alert.Sub("stream", "Send alerts from a file or a pipe, one JSON object a line");
  stream.Add(
      {"file", "JSON lines as Alertmanager takes them; - or nothing: standard input", "FILE"},
      options->file);
  stream.Add({"--client-id", "Names the sender across runs (default: a new one each run)", "ID"},
             options->client_id);
  stream.Add({"--batch", "Alerts a batch at most, 1 to 512", "N"}, options->batch);
  stream.Runs([&session, options] { return Stream(session, *options); });
}

}  // namespace

void AddAlertCommands(const Command& root, Session& session) {
  const Command alert = root.Sub("alert", "Send alerts");
  AddSend(alert, session);
  AddStream(alert, session);
}

}  // namespace tandem::cli
