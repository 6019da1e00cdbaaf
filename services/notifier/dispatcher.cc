#include "services/notifier/dispatcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "router/base/check.h"
#include "router/base/status.h"
#include "router/base/text.h"

namespace tandem::notifier {
namespace {

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

DeliveryKey KeyOf(const v1::Delivery& delivery) {
  return {delivery.tenant(), delivery.delivery_id()};
}

// Answers to a report that repeating it will not change.
bool IsFinal(const absl::Status& status) {
  return status.code() == absl::StatusCode::kInvalidArgument ||
         status.code() == absl::StatusCode::kNotFound ||
         status.code() == absl::StatusCode::kFailedPrecondition;
}

}  // namespace

Dispatcher::Dispatcher(Ports ports, const DispatcherOptions& options)
    : ports_(std::move(ports)),
      options_(options),
      dice_(options.seed),
      book_(options_.limits, options_.breaker, ports_.observer),
      held_(options_.hold) {}

void Dispatcher::OnWatchStarted() {
  snapshot_ = true;
  held_.ForgetMore();
  for (auto& [key, entry] : entries_) entry.in_snapshot = false;
}

void Dispatcher::OnEvent(const v1::DeliveryEvent& event) {
  switch (event.event_case()) {
    case v1::DeliveryEvent::kOpen:
      Open(event.open());
      break;
    case v1::DeliveryEvent::kEnded:
      EndDelivery({event.ended().tenant(), event.ended().delivery_id()});
      break;
    case v1::DeliveryEvent::kSnapshotEnd:
      EndMissing();
      snapshot_ = false;
      break;
    case v1::DeliveryEvent::EVENT_NOT_SET:
      break;  // an event of a newer router
  }
  Settle();
}

void Dispatcher::Open(const v1::Delivery& delivery) {
  if (stopping_) return;
  if (const auto held = entries_.find(KeyOf(delivery)); held != entries_.end()) {
    held->second.in_snapshot = true;  // perhaps in the middle of an attempt
    return;
  }
  const EndpointKey endpoint{delivery.tenant(), delivery.channel(), delivery.address()};
  if (!MakeRoom(endpoint)) return held_.NoteMore(endpoint);
  const auto entry = entries_.try_emplace(KeyOf(delivery)).first;
  Entry& e = entry->second;
  e.message = incidents_.Hold(delivery);
  e.endpoint = endpoint;
  e.serial = serial_++;
  held_.Add(endpoint, e.serial, entry->first);
  e.due = delivery.has_not_before() ? TimeOf(delivery.not_before()) : absl::InfinitePast();
  e.attempt = delivery.attempts();
  auto& conversation = conversations_[ConversationOf(e)];
  conversation.emplace(e.serial, entry->first);
  if (conversation.size() == 1) Begin(entry);
}

Dispatcher::Conversation Dispatcher::ConversationOf(const Entry& entry) {
  return {entry.endpoint, entry.message.incident->name(), entry.message.delivery.contact()};
}

void Dispatcher::Begin(Entries::iterator entry) {
  Entry& e = entry->second;
  const absl::Time now = ports_.clock.Now();
  e.first_seen = now;
  if (const std::string problem = WhyNot(e, now); !problem.empty()) return GiveUp(entry, problem);
  Wait(entry, std::max(now, e.due));
}

bool Dispatcher::MakeRoom(const EndpointKey& endpoint) {
  const HeldBook::Room room = held_.RoomFor(endpoint);
  if (!room.gives_way) return room.is_there;
  // The one that came last: what came before it keeps its place. Not one with an attempt under way.
  const HeldBook::Deliveries& deliveries = held_.Of(*room.gives_way);
  for (auto last = deliveries.rbegin(); last != deliveries.rend(); ++last) {
    const auto entry = entries_.find(last->second);
    const Phase phase = entry->second.phase;
    if (phase != Phase::kWaiting && phase != Phase::kBehind) continue;
    held_.NoteMore(*room.gives_way);
    if (phase == Phase::kWaiting) LeaveLine(entry);
    Drop(entry);
    return true;
  }
  return false;
}

void Dispatcher::EndDelivery(const DeliveryKey& key) {
  const auto entry = entries_.find(key);
  if (entry == entries_.end()) return;
  entry->second.ended = true;
  switch (entry->second.phase) {
    case Phase::kWaiting:
      LeaveLine(entry);
      return Erase(entry);
    case Phase::kBehind:
      return Erase(entry);
    case Phase::kAnnouncing:
    case Phase::kCalling:
    case Phase::kReporting:
      return;  // an answer is due, and what it says is still worth recording
  }
}

void Dispatcher::EndMissing() {
  std::vector<DeliveryKey> missing;
  for (const auto& [key, entry] : entries_) {
    if (!entry.in_snapshot) missing.push_back(key);
  }
  for (const DeliveryKey& key : missing) EndDelivery(key);
}

std::string Dispatcher::WhyNot(const Entry& entry, absl::Time now) const {
  const auto channel = ports_.channels.find(entry.message.delivery.channel());
  if (channel == ports_.channels.end()) {
    return fmt::format("the notifier has no channel `{}`",
                       Printable(entry.message.delivery.channel().substr(0, 64)));
  }
  if (book_.Disabled(entry.endpoint, now)) {
    return "the endpoint has said that it is gone (HTTP 410); correct the contact's address";
  }
  return channel->second->WhyImpossible(entry.message).value_or("");
}

DeliveryChannel& Dispatcher::ChannelOf(const Entry& entry) const {
  return *ports_.channels.at(entry.message.delivery.channel());
}

void Dispatcher::Wait(Entries::iterator entry, absl::Time due) {
  Entry& e = entry->second;
  if (e.not_ready && !ChannelOf(e).WhyNotYet(e.message)) {
    e.not_ready = false;  // what it waited for has been given
    e.looks = 0;
    due = ports_.clock.Now();
  }
  book_.Enqueue(e.endpoint, entry->first, due);
  e.phase = Phase::kWaiting;
  e.due = due;
  expiries_.emplace(e.first_seen + options_.retry.window, entry->first);
}

void Dispatcher::LeaveLine(Entries::iterator entry) {
  const Entry& e = entry->second;
  TANDEM_CHECK(e.phase == Phase::kWaiting, "only what waits stands in line");
  book_.Withdraw(e.endpoint, entry->first, e.due);
  expiries_.erase({e.first_seen + options_.retry.window, entry->first});
}

void Dispatcher::Announce(Entries::iterator entry) {
  Entry& e = entry->second;
  expiries_.erase({e.first_seen + options_.retry.window, entry->first});
  e.phase = Phase::kAnnouncing;
  ++e.attempt;
  e.report.Clear();
  e.report.set_outcome(v1::ReportDeliveryRequest::ATTEMPTING);
  SendReport(entry, e.attempt);
}

void Dispatcher::Call(Entries::iterator entry) {
  Entry& e = entry->second;
  e.phase = Phase::kCalling;
  ++calls_;
  if (auto missing = ChannelOf(e).WhyNotYet(e.message)) {
    return EndAttempt(entry, {.end = AttemptEnd::kNotReady, .detail = *std::move(missing)});
  }
  ChannelOf(e).Send(e.message, [this, key = entry->first](const AttemptResult& result) {
    OnCalled(key, result);
  });
}

void Dispatcher::OnCalled(const DeliveryKey& key, const AttemptResult& result) {
  const auto entry = entries_.find(key);
  TANDEM_CHECK(entry != entries_.end() && entry->second.phase == Phase::kCalling,
               "a call that ends was under way");
  EndAttempt(entry, result);
  Settle();
}

void Dispatcher::EndAttempt(Entries::iterator entry, const AttemptResult& result) {
  Entry& e = entry->second;
  const absl::Time now = ports_.clock.Now();
  --calls_;
  book_.End(e.endpoint, EndpointBook::SaidBy(result.end), now);
  ports_.observer.OnAttemptEnded(e.message.delivery.channel(), result.end, result.latency);
  if (result.end == AttemptEnd::kCancelled) {
    // We are going down and nothing is known: the next worker begins another attempt.
    return Drop(entry);
  }
  if (result.retry_after) {
    book_.Hold(e.endpoint, now + std::min(*result.retry_after, options_.retry.longest));
  }
  FillReport(e, result, now);
  e.phase = Phase::kReporting;
  SendReport(entry, e.attempt);
  if (result.end == AttemptEnd::kGone) GiveUpEndpoint(EndpointKey(e.endpoint), now);
}

void Dispatcher::GiveUpEndpoint(const EndpointKey& endpoint, absl::Time now) {
  for (const DeliveryKey& key : book_.Disable(endpoint, now + options_.gone_for)) {
    const auto entry = entries_.find(key);
    expiries_.erase({entry->second.first_seen + options_.retry.window, key});
    GiveUp(entry, WhyNot(entry->second, now));
  }
}

void Dispatcher::SendReport(Entries::iterator entry, std::uint32_t attempt) {
  Entry& e = entry->second;
  e.report.set_tenant(e.message.delivery.tenant());
  e.report.set_delivery_id(e.message.delivery.delivery_id());
  e.report.set_attempt(attempt);
  e.report_tries = 0;
  ++reports_;
  ports_.sink.Report(e.report, [this, key = entry->first](const absl::StatusOr<bool>& open) {
    OnReported(key, open);
  });
}

void Dispatcher::OnReported(const DeliveryKey& key, const absl::StatusOr<bool>& open) {
  const auto entry = entries_.find(key);
  TANDEM_CHECK(entry != entries_.end(), "a reported delivery is held until the answer");
  if (!open.ok() && !IsFinal(open.status())) {
    RepeatLater(entry, open.status());
    return Settle();
  }
  --reports_;
  if (!open.ok()) {
    Say(LogLevel::kError, entry->second, "report refused: " + MessageOf(open.status()));
  }
  const bool still_open = open.ok() && *open && !entry->second.ended;
  if (entry->second.phase == Phase::kAnnouncing) {
    OnAnnounced(entry, still_open);
  } else {
    OnOutcomeRecorded(entry, still_open);
  }
  Settle();
}

void Dispatcher::RepeatLater(Entries::iterator entry, const absl::Status& why) {
  Entry& e = entry->second;
  const bool announcing = e.phase == Phase::kAnnouncing;
  if (abandoning_ || (stopping_ && announcing)) {
    --reports_;
    return announcing ? OnAnnounced(entry, /*open=*/false) : Drop(entry);
  }
  ++e.report_tries;
  if (e.report_tries == 1) {
    Say(LogLevel::kWarning, e, "report not answered, will be repeated: " + MessageOf(why));
  }
  repeats_.emplace(ports_.clock.Now() + JitteredDelay(options_.report_retry, e.report_tries, dice_),
                   entry->first);
}

void Dispatcher::OnAnnounced(Entries::iterator entry, bool open) {
  if (open && !stopping_) return Call(entry);
  book_.End(entry->second.endpoint, EndpointBook::Says::kNothing, ports_.clock.Now());
  stopping_ ? Drop(entry) : Erase(entry);
}

void Dispatcher::OnOutcomeRecorded(Entries::iterator entry, bool open) {
  Entry& e = entry->second;
  const bool again = e.report.outcome() == v1::ReportDeliveryRequest::FAILED;
  if (!again || !open) return Erase(entry);
  if (stopping_) return Drop(entry);
  if (const std::string problem = WhyNot(e, ports_.clock.Now()); !problem.empty()) {
    return GiveUp(entry, problem);
  }
  Wait(entry, e.due);
}

void Dispatcher::Erase(Entries::iterator entry) {
  ports_.observer.OnDeliveryEnded(entry->second.message.delivery.channel(), entry->second.fate);
  Drop(entry);
}

void Dispatcher::Drop(Entries::iterator entry) {
  held_.Remove(entry->second.endpoint, entry->second.serial);
  const auto conversation = conversations_.find(ConversationOf(entry->second));
  conversation->second.erase(entry->second.serial);
  entries_.erase(entry);
  if (conversation->second.empty()) {
    conversations_.erase(conversation);
    return;
  }
  const auto first = entries_.find(conversation->second.begin()->second);
  if (first->second.phase == Phase::kBehind && !stopping_) Begin(first);
}

void Dispatcher::OnChannelsChanged() {
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    const Entry& e = entry->second;
    if (e.phase != Phase::kWaiting || !e.not_ready || stopping_) continue;
    LeaveLine(entry);
    Wait(entry, e.due);
  }
  Settle();
}

void Dispatcher::Stop() {
  stopping_ = true;
  std::vector<DeliveryKey> waiting;
  for (const auto& [key, entry] : entries_) {
    if (entry.phase == Phase::kWaiting || entry.phase == Phase::kBehind) waiting.push_back(key);
  }
  for (const DeliveryKey& key : waiting) {
    const auto entry = entries_.find(key);
    if (entry->second.phase == Phase::kWaiting) LeaveLine(entry);
    Drop(entry);
  }
  // Announcements that wait to be repeated: no call was made, and none will be.
  for (const auto& [due, key] : std::exchange(repeats_, {})) {
    const auto entry = entries_.find(key);
    if (entry->second.phase == Phase::kAnnouncing) {
      --reports_;
      OnAnnounced(entry, /*open=*/false);
    } else {
      repeats_.emplace(due, key);
    }
  }
  Settle();
}

void Dispatcher::Abandon() {
  TANDEM_CHECK(stopping_, "first stop, then abandon");
  abandoning_ = true;
  for (const auto& [due, key] : std::exchange(repeats_, {})) {
    --reports_;
    Drop(entries_.find(key));
  }
}

void Dispatcher::Settle() {
  const absl::Time now = ports_.clock.Now();
  GiveUpExpired(now);
  RepeatReports(now);
  BeginDue(now);
  AskForMore(now);
  ports_.observer.OnLoad({.held = entries_.size(),
                          .in_flight = book_.in_flight(),
                          .behind_breakers = book_.behind_breakers()});
  ports_.alarm.WakeAt(NextWake());
}

void Dispatcher::GiveUpExpired(absl::Time now) {
  while (!expiries_.empty() && expiries_.begin()->first < now) {
    const auto entry = entries_.find(expiries_.begin()->second);
    LeaveLine(entry);
    const Entry& e = entry->second;
    // What was reported last is the failure of the last attempt, if this worker made one.
    const std::string last = e.report.detail();
    GiveUp(entry, e.not_ready ? last
                              : fmt::format("not delivered within {} after {} attempts{}{}",
                                            DurationText(options_.retry.window), e.attempt,
                                            last.empty() ? "" : ": ", last));
  }
}

void Dispatcher::RepeatReports(absl::Time now) {
  while (!repeats_.empty() && repeats_.begin()->first <= now) {
    const DeliveryKey key = repeats_.begin()->second;
    repeats_.erase(repeats_.begin());
    ports_.sink.Report(entries_.at(key).report,
                       [this, key](const absl::StatusOr<bool>& open) { OnReported(key, open); });
  }
}

void Dispatcher::BeginDue(absl::Time now) {
  if (stopping_) return;
  while (const auto key = book_.TakeNext(now)) {
    const auto entry = entries_.find(*key);
    const auto missing = ChannelOf(entry->second).WhyNotYet(entry->second.message);
    missing ? HoldBack(entry, *missing) : Announce(entry);
  }
}

void Dispatcher::AskForMore(absl::Time now) {
  if (stopping_ || snapshot_ || !held_.HasMore() || now < ask_at_) return;
  ask_at_ = now + options_.refill_pause;
  if (!held_.WorthAsking()) return;
  snapshot_ = true;
  ports_.source.WatchAgain();
}

absl::Time Dispatcher::NextWake() const {
  absl::Time next = absl::InfiniteFuture();
  if (!stopping_) next = std::min(next, book_.NextReady());
  if (!stopping_ && !snapshot_ && held_.HasMore()) next = std::min(next, ask_at_);
  // Just after: the last attempt may begin at the very end of the window.
  if (!expiries_.empty()) next = std::min(next, expiries_.begin()->first + absl::Microseconds(1));
  if (!repeats_.empty()) next = std::min(next, repeats_.begin()->first);
  return next;
}

}  // namespace tandem::notifier
