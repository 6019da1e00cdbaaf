// What the notifier does with open deliveries: announce an attempt to the router, make it, report
// what became of it, and try again or give up. All of its judgement, apart from transport and
// threads.
//
// A delivery goes waiting → announcing → calling → reporting, and from there back to waiting or
// away. The router has recorded an attempt before the call is made, so that it is known afterwards
// who may have been told. What an operator has to give us first is asked before that: an attempt
// that cannot be made is reported once and not announced. An answer to the announcement that says
// "no longer open" ends it without a call: that, and not the stream of events, is what keeps a
// stale event from paging anybody.
//
// What one contact is told about one incident arrives in the order in which it was planned: a
// delivery stands behind the earlier ones until they have ended, so that no late retry of
// `incident.resolved` follows an `incident.reopened`.
//
// Not thread-safe; every call comes from one thread. Time comes from the clock that is handed in.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "router/base/clock.h"
#include "services/notifier/backoff.h"
#include "services/notifier/channel.h"
#include "services/notifier/endpoint_book.h"
#include "services/notifier/held_book.h"
#include "services/notifier/message.h"
#include "services/notifier/observer.h"
#include "services/notifier/reminder.h"
#include "tandem/v1/deliveries.pb.h"

namespace tandem::notifier {

// Where events come from. They arrive at Dispatcher::OnEvent, one at a time, and are never held up:
// behind the deliveries of one tenant wait those of all the others.
class DeliverySource {
 public:
  virtual ~DeliverySource() = default;
  // Begins the stream anew (Dispatcher::OnWatchStarted, then all that is open), after the return;
  // nothing arrives from the old one any more.
  virtual void WatchAgain() = 0;
};

// Where reports go.
class DeliverySink {
 public:
  // Whether the delivery is still open; or why nobody knows whether the report is recorded.
  using Done = absl::AnyInvocable<void(absl::StatusOr<bool>)>;
  virtual ~DeliverySink() = default;
  // `done` is called exactly once, never inside Report.
  virtual void Report(const v1::ReportDeliveryRequest& report, Done done) = 0;
};

// Calls Dispatcher::Wake at (or soon after) the time it was last given; InfiniteFuture: never.
class Alarm {
 public:
  virtual ~Alarm() = default;
  virtual void WakeAt(absl::Time time) = 0;
};

struct DispatcherOptions {
  RetryPolicy retry = {};
  BreakerPolicy breaker = {};
  DispatchLimits limits = {};
  // Deliveries that are held. The router keeps the rest, which is asked for when there is room.
  HoldLimits hold = {};
  // Between two questions whether there is more: each makes the router list all that is open.
  absl::Duration refill_pause = absl::Seconds(2);
  // How long an endpoint that answered 410 is left alone; its deliveries are given up meanwhile.
  absl::Duration gone_for = absl::Hours(1);
  // Pauses between repeats of a report that was not answered.
  RetryPolicy report_retry = {.first = absl::Milliseconds(200), .longest = absl::Seconds(5)};
  std::uint64_t seed = 0;
};

class Dispatcher {
 public:
  // All outlive the dispatcher.
  struct Ports {
    const Clock& clock;
    DeliverySource& source;
    DeliverySink& sink;
    Alarm& alarm;
    NotifierObserver& observer;
    std::map<std::string, DeliveryChannel*> channels;  // by name
    Log log;                                           // may be empty
  };

  Dispatcher(Ports ports, const DispatcherOptions& options);

  // A stream of events begins: all open deliveries will come again. Those that are held are
  // recognised, and at the end of the snapshot what did not come again is over.
  void OnWatchStarted();
  void OnEvent(const v1::DeliveryEvent& event);

  void Wake() { Settle(); }

  // A channel was given something: what waits for that is tried at once.
  void OnChannelsChanged();

  // From here on no attempt begins; what is under way ends and is reported.
  void Stop();
  // After Stop: reports that are not answered are not repeated any more.
  void Abandon();
  // Nothing is under way. After Stop it stays so.
  bool Idle() const { return calls_ == 0 && reports_ == 0; }

  std::size_t held() const { return entries_.size(); }

 private:
  enum class Phase { kBehind, kWaiting, kAnnouncing, kCalling, kReporting };
  struct Entry {
    Message message;
    EndpointKey endpoint;
    std::uint64_t serial = 0;  // in the order in which they came
    Phase phase = Phase::kBehind;
    absl::Time first_seen;       // or when its turn came
    absl::Time due;              // while waiting or behind
    std::uint32_t attempt = 0;   // the number of the last one that was announced
    std::uint32_t refusals = 0;  // in a row
    bool not_ready = false;      // no attempt can be made: something was not given to us
    std::uint32_t looks = 0;     // in vain, in a row, whether it has been given
    bool ended = false;          // the router does not want it any more
    bool in_snapshot = true;     // came again since the stream began
    v1::ReportDeliveryRequest report;
    std::uint32_t report_tries = 0;
    DeliveryFate fate = DeliveryFate::kWithdrawn;
  };
  using Entries = std::map<DeliveryKey, Entry>;
  // What is told about one incident to one contact, there.
  struct Conversation {
    EndpointKey endpoint;
    std::string incident;
    std::string contact;
    friend auto operator<=>(const Conversation&, const Conversation&) = default;
  };

  void Open(const v1::Delivery& delivery);
  // False: it stays with the router. Others may have gone back there for it.
  bool MakeRoom(const EndpointKey& endpoint);
  static Conversation ConversationOf(const Entry& entry);
  // Its turn has come.
  void Begin(Entries::iterator entry);
  void EndDelivery(const DeliveryKey& key);
  void EndMissing();

  // Empty when an attempt may be made.
  std::string WhyNot(const Entry& entry, absl::Time now) const;
  DeliveryChannel& ChannelOf(const Entry& entry) const;
  void Wait(Entries::iterator entry, absl::Time due);
  void LeaveLine(Entries::iterator entry);
  void Announce(Entries::iterator entry);
  // Its turn has come and no attempt can be made: the router is told once, then only looked again.
  void HoldBack(Entries::iterator entry, const std::string& missing);
  void Call(Entries::iterator entry);
  void OnCalled(const DeliveryKey& key, const AttemptResult& result);
  void EndAttempt(Entries::iterator entry, const AttemptResult& result);
  // The report that `result` leads to, and when the next attempt is due.
  void FillReport(Entry& entry, const AttemptResult& result, absl::Time now);
  // That no attempt can be made, and when we look again. Nothing is announced to the router: a
  // worker that has what is missing begins at once.
  void FillNotReady(Entry& entry, const std::string& missing, absl::Time now);
  void GiveUp(Entries::iterator entry, const std::string& detail);
  void GiveUpEndpoint(const EndpointKey& endpoint, absl::Time now);

  void SendReport(Entries::iterator entry, std::uint32_t attempt);
  void OnReported(const DeliveryKey& key, const absl::StatusOr<bool>& open);
  void RepeatLater(Entries::iterator entry, const absl::Status& why);
  void OnAnnounced(Entries::iterator entry, bool open);
  void OnOutcomeRecorded(Entries::iterator entry, bool open);
  // Its end is known, and counted.
  void Erase(Entries::iterator entry);
  // Held no more; it goes on when the router offers it again, here or at another worker.
  void Drop(Entries::iterator entry);

  // Begins what is due, then sets the alarm. The last act of every public call and every callback.
  void Settle();
  void GiveUpExpired(absl::Time now);
  void RepeatReports(absl::Time now);
  void BeginDue(absl::Time now);
  void AskForMore(absl::Time now);
  absl::Time NextWake() const;

  void Say(LogLevel level, const Entry& entry, const std::string& text) const;
  void SayGivenUp(const Entry& entry);
  // An endpoint is left alone from now on.
  void SayBroken(const Entry& entry, const EndpointBook::Rest& rest, absl::Time now) const;
  // What waits for an operator: once a minute for each reason, however many wait.
  void SayNotReady(const Entry& entry, const std::string& why);

  Ports ports_;
  const DispatcherOptions options_;
  std::mt19937_64 dice_;
  IncidentPool incidents_;  // outlives the entries
  Entries entries_;
  EndpointBook book_;
  std::set<std::pair<absl::Time, DeliveryKey>> expiries_;  // of what waits
  std::set<std::pair<absl::Time, DeliveryKey>> repeats_;   // of reports
  std::size_t calls_ = 0;
  std::size_t reports_ = 0;  // unanswered, waiting to be repeated included
  bool stopping_ = false;
  bool abandoning_ = false;
  HeldBook held_;
  // By serial. Of each the first is on its way and the others are behind it.
  std::map<Conversation, std::map<std::uint64_t, DeliveryKey>> conversations_;
  std::uint64_t serial_ = 0;
  bool snapshot_ = true;  // being offered, or asked for
  absl::Time ask_at_ = absl::InfinitePast();
  Reminder not_ready_{absl::Minutes(1)};
};

}  // namespace tandem::notifier
