// What the dispatcher tells the router, and the log, of how an attempt ended.
#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "router/base/text.h"
#include "services/notifier/dispatcher.h"

namespace tandem::notifier {
namespace {

constexpr std::size_t kDetailMax = 256;  // bytes; the limit of ReportDeliveryRequest.detail

// Why those wait that have not been tried: it stands where the last failure is told.
constexpr std::string_view kBroken = " (circuit breaker open)";

void SetTime(google::protobuf::Timestamp& target, absl::Time time) {
  const std::int64_t micros = absl::ToUnixMicros(time);
  target.set_seconds(micros / 1'000'000);
  target.set_nanos(static_cast<std::int32_t>(micros % 1'000'000 * 1000));
}

}  // namespace

void Dispatcher::FillReport(Entry& entry, const AttemptResult& result, absl::Time now) {
  v1::ReportDeliveryRequest& report = entry.report;
  report.Clear();
  report.set_detail(result.detail.substr(0, kDetailMax));
  report.set_latency_ms(static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(absl::ToInt64Milliseconds(result.latency), 0, UINT32_MAX)));
  if (result.end == AttemptEnd::kDelivered) {
    report.set_outcome(v1::ReportDeliveryRequest::SUCCEEDED);
    entry.fate = DeliveryFate::kDelivered;
    Say(LogLevel::kInfo, entry, "delivered");
    return;
  }
  if (result.end == AttemptEnd::kNotReady && !entry.ended) {
    return FillNotReady(entry, result.detail, now);
  }
  entry.not_ready = false;
  entry.refusals = result.end == AttemptEnd::kRefused ? entry.refusals + 1 : 0;
  // What is announced is kept: before its endpoint has rested no attempt begins.
  const EndpointBook::Rest rest = book_.RestOf(entry.endpoint);
  const AttemptHistory history{.attempt = entry.attempt,
                               .refusals = entry.refusals,
                               .first_seen = entry.first_seen,
                               .rests_until = rest.until};
  if (rest.broken && result.end == AttemptEnd::kFailed) {
    report.set_detail(result.detail.substr(0, kDetailMax - kBroken.size()).append(kBroken));
    SayBroken(entry, rest, now);
  }
  const auto next =
      entry.ended ? std::nullopt : NextAttempt(options_.retry, result, history, now, dice_);
  if (next) {
    report.set_outcome(v1::ReportDeliveryRequest::FAILED);
    // As it is stored: to the microsecond.
    entry.due = absl::FromUnixMicros(absl::ToUnixMicros(*next));
    SetTime(*report.mutable_not_before(), entry.due);
    Say(LogLevel::kInfo, entry,
        fmt::format("failed ({}), next attempt not before {}", report.detail(),
                    SecondsText(entry.due)));
  } else {
    report.set_outcome(v1::ReportDeliveryRequest::GIVEN_UP);
    entry.fate = entry.ended ? DeliveryFate::kWithdrawn : DeliveryFate::kGivenUp;
    SayGivenUp(entry);
  }
}

void Dispatcher::HoldBack(Entries::iterator entry, const std::string& missing) {
  Entry& e = entry->second;
  const absl::Time now = ports_.clock.Now();
  expiries_.erase({e.first_seen + options_.retry.window, entry->first});
  book_.End(e.endpoint, EndpointBook::Says::kNothing, now);
  ports_.observer.OnAttemptEnded(e.message.delivery.channel(), AttemptEnd::kNotReady, {});
  const bool said = e.not_ready && e.report.detail() == missing.substr(0, kDetailMax);
  FillNotReady(e, missing, now);
  if (said) return Wait(entry, e.due);
  e.phase = Phase::kReporting;
  SendReport(entry, e.attempt + 1);
}

void Dispatcher::FillNotReady(Entry& entry, const std::string& missing, absl::Time now) {
  entry.not_ready = true;
  entry.due = now + JitteredDelay(options_.retry, ++entry.looks, dice_);
  entry.report.Clear();
  entry.report.set_outcome(v1::ReportDeliveryRequest::FAILED);
  entry.report.set_detail(missing.substr(0, kDetailMax));
  SayNotReady(entry, entry.report.detail());
}

void Dispatcher::GiveUp(Entries::iterator entry, const std::string& detail) {
  Entry& e = entry->second;
  e.attempt = std::max<std::uint32_t>(e.attempt, 1);
  e.phase = Phase::kReporting;
  e.report.Clear();
  e.report.set_outcome(v1::ReportDeliveryRequest::GIVEN_UP);
  e.report.set_detail(detail.substr(0, kDetailMax));
  e.fate = DeliveryFate::kGivenUp;
  SayGivenUp(e);
  SendReport(entry, e.attempt);
}

void Dispatcher::Say(LogLevel level, const Entry& entry, const std::string& text) const {
  if (!ports_.log) return;
  ports_.log(level,
             fmt::format("delivery {} attempt {}: {}",
                         Printable(entry.message.delivery.delivery_id()), entry.attempt, text));
}

void Dispatcher::SayGivenUp(const Entry& entry) {
  const std::string& why = entry.report.detail();
  if (entry.not_ready) return SayNotReady(entry, why + "; given up");
  Say(LogLevel::kWarning, entry, fmt::format("given up ({})", why));
}

void Dispatcher::SayBroken(const Entry& entry, const EndpointBook::Rest& rest,
                           absl::Time now) const {
  // When it opens; each probe after that is a failure that is told by itself.
  if (rest.failures != options_.breaker.failures) return;
  Say(LogLevel::kWarning, entry,
      fmt::format("the endpoint of contact {} has failed {} times in a row and is left alone for "
                  "{}; {} more deliveries wait for it",
                  Printable(entry.message.delivery.contact()), rest.failures,
                  DurationText(rest.until - now), rest.waiting));
}

void Dispatcher::SayNotReady(const Entry& entry, const std::string& why) {
  const auto held_back = not_ready_.Due(why, ports_.clock.Now());
  if (!held_back) return;
  Say(LogLevel::kWarning, entry,
      *held_back == 0 ? fmt::format("waits for an operator: {}", why)
                      : fmt::format("waits for an operator: {} ({} more attempts like it since "
                                    "this was said last)",
                                    why, *held_back));
}

}  // namespace tandem::notifier
