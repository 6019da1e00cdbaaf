#include "tools/agent/agent_report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>

#include "router/base/clock.h"
#include "router/base/text.h"

namespace tandem::client {
namespace {

std::uint64_t Sum(const std::map<std::string, std::uint64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const auto& entry) { return sum + entry.second; });
}

std::uint64_t Reconnects(const ClientStats& stats) {
  return stats.connects == 0 ? 0 : stats.connects - 1;
}

std::string Reasons(const std::map<std::string, std::uint64_t>& counts) {
  std::string text;
  for (const auto& [reason, count] : counts) {
    text += fmt::format("{}{} {}", text.empty() ? " (" : ", ", reason, count);
  }
  return text.empty() ? text : text + ")";
}

}  // namespace

std::string CountedAlerts(std::uint64_t count) {
  return fmt::format("{} alert{}", count, count == 1 ? "" : "s");
}

std::string SummaryJson(const AgentSummary& summary) {
  const ClientStats& stats = summary.stats;
  nlohmann::ordered_json json = {
      {"sent", stats.sent},
      {"resent", stats.resent},
      {"accepted", stats.accepted},
      {"confirmed_on_resume", stats.confirmed_on_resume},
      {"refused", nlohmann::ordered_json(stats.refused)},
      {"dropped", nlohmann::ordered_json(stats.dropped)},
      {"bad_lines", summary.bad_lines},
      {"batches", stats.batches},
      {"receipts", stats.receipts},
      {"reconnects", Reconnects(stats)},
      {"turned_away", summary.turned_away},
      {"spooled", stats.waiting_alerts},
      {"spooled_bytes", stats.waiting_bytes},
      {"seconds", absl::ToDoubleSeconds(summary.took)},
  };
  // An empty map would be `null` to readers that expect an object.
  for (const char* member : {"refused", "dropped"}) {
    if (json[member].empty()) json[member] = nlohmann::ordered_json::object();
  }
  return json.dump();
}

std::string SummaryText(const AgentSummary& summary) {
  const ClientStats& stats = summary.stats;
  const double seconds = absl::ToDoubleSeconds(summary.took);
  std::string text = fmt::format("sent      {} in {} ({:.0f}/s)\n", CountedAlerts(stats.sent),
                                 DurationText(absl::Trunc(summary.took, absl::Milliseconds(1))),
                                 seconds > 0 ? static_cast<double>(stats.sent) / seconds : 0);
  text += fmt::format("accepted  {}\n", stats.accepted + stats.confirmed_on_resume);
  if (stats.resent > 0) text += fmt::format("resent    {}\n", stats.resent);
  if (!stats.refused.empty()) {
    text += fmt::format("refused   {}{}\n", Sum(stats.refused), Reasons(stats.refused));
  }
  if (!stats.dropped.empty()) {
    text += fmt::format("dropped   {}{}\n", Sum(stats.dropped), Reasons(stats.dropped));
  }
  if (summary.bad_lines > 0) text += fmt::format("bad lines {}\n", summary.bad_lines);
  if (stats.waiting_alerts > 0) {
    text += fmt::format("waiting   {} without a receipt\n", stats.waiting_alerts);
  }
  text += fmt::format("batches   {}, {} reconnect{}", stats.batches, Reconnects(stats),
                      Reconnects(stats) == 1 ? "" : "s");
  return text;
}

int ExitCodeOf(const AgentSummary& summary) {
  const ClientStats& stats = summary.stats;
  if (summary.turned_away || stats.waiting_alerts > 0) return kExitUnreachable;
  if (!stats.refused.empty() || !stats.dropped.empty() || summary.bad_lines > 0) {
    return kExitFinding;
  }
  return kExitOk;
}

Progress::Progress() : on_terminal_(::isatty(STDERR_FILENO) == 1) {}

void Progress::Show(const ClientStats& stats) {
  if (!on_terminal_) return;
  const absl::Time now = SystemClock().Now();
  if (now < last_ + absl::Milliseconds(200)) return;
  last_ = now;
  shown_ = true;
  fmt::print(stderr, "\r\033[Ksent {}, accepted {}, waiting {}{}", stats.sent,
             stats.accepted + stats.confirmed_on_resume, stats.waiting_alerts,
             stats.connected ? "" : " (not connected)");
  std::fflush(stderr);
}

void Progress::End() {
  if (shown_) fmt::print(stderr, "\r\033[K");
}

}  // namespace tandem::client
