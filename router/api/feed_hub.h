// The live feed: hands every committed event to those who watch, in order, without gap and without
// repeat.
//
// A subscriber that is behind is served pages from the journal, as fast as it reads; one that has
// caught up is handed commits as they come. Both happen on one thread, so there is no moment
// between the two at which an event could slip through.
//
// Threads: one of its own (`feed`); OnCommitted comes from the engine's, Add and Remove from any.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "router/api/alerts_view.h"
#include "router/api/cursor.h"
#include "router/api/feed_message.h"
#include "router/api/incident_filter.h"
#include "router/base/clock.h"
#include "router/engine/engine.h"

namespace tandem::api {

// Where events go. All calls come from the hub's thread.
class FeedSink {
 public:
  virtual ~FeedSink() = default;
  enum class Sent { kYes, kFull, kGone };
  virtual Sent Send(FeedMessage message) = 0;
  // What is sent between the two may leave together.
  virtual void Hold() {}
  virtual void Release() {}
  // True when so little waits, by number and by bytes, that history may be sent. After a false the
  // sink calls Poke once it has room.
  virtual bool HasRoom() const = 0;
  virtual void CutOff(absl::Status status) = 0;
};

struct Subscription {
  std::vector<TenantId> tenants;
  // Tenants that are created later belong to it, too, each from its first record on.
  bool all_tenants = false;
  // Where to go on. A tenant that is missing in it begins with what comes, but with all_tenants at
  // its first record: it was created after the cursor. nullopt: all begin with what comes.
  std::optional<Positions> from;
  bool from_beginning = false;  // instead of `from`
  IncidentFilter filter;
  bool omit_alerts = false;
};

class FeedHub final : public engine::CommitSink {
 public:
  struct Options {
    // Commits that wait for the hub; when it falls further behind, the oldest are dropped and every
    // subscriber reads them from the journal instead.
    std::size_t commits_max = 256;
    absl::Duration heartbeat = absl::Seconds(15);
    // What one who is behind is sent of a tenant before the others have their turn: the first of
    // the two that is reached. He sees no difference but the pace.
    std::uint32_t page_events = 256;
    std::size_t page_bytes = 1 << 20;
    // A commit with more than this is read from the journal, a page at a time, by those who have
    // room: handed over at once it would cut off readers who are not slow at all.
    std::size_t live_events_max = 1024;
    std::size_t live_bytes_max = 2 << 20;
    // Alerts in one event, by number and by bytes, so that a storm fits into one gRPC message
    // (4 MiB). The incident's counts tell how many there are.
    FeedItem::Limits event = {.alerts_max = 512, .alert_bytes_max = 1 << 20};
    std::size_t subscribers_max = 10'000;
  };

  // `journal` and `clock` outlive the hub.
  static absl::StatusOr<std::unique_ptr<FeedHub>> Start(journal::Journal* journal,
                                                        const Clock* clock, Options options);
  ~FeedHub() override;

  void OnDecided(const std::shared_ptr<const journal::Commit>& commit) override;
  void OnCommitted(const std::shared_ptr<const journal::Commit>& commit) override;

  // RESOURCE_EXHAUSTED when there are too many. One whose `from` lies before what the retention has
  // left is cut off with OUT_OF_RANGE, reason CURSOR_TOO_OLD, and the oldest cursor that loses
  // nothing from there on. The sink is used until it says kGone, is cut off,
  // or Remove was called (it may see one more call then).
  absl::Status Add(std::shared_ptr<FeedSink> sink, Subscription subscription);
  void Remove(const FeedSink* sink);

  // Looks again: a sink has room, or a test has moved the clock.
  void Poke();

  std::size_t subscribers() const;
  void Stop();

 private:
  struct Subscriber {
    std::shared_ptr<FeedSink> sink;
    Subscription wanted;
    Positions at;       // everything up to here was handed over or filtered out
    bool live = false;  // has caught up
    absl::Time last_sent;
    std::size_t bytes_sent = 0;  // of the page that is being sent
  };
  using Subscribers = std::list<Subscriber>;
  // The events of a commit, made ready while it is written.
  struct Prepared {
    std::shared_ptr<const journal::Commit> commit;
    google::protobuf::Arena arena;
    std::vector<FeedItem> items;  // as commit->events
  };

  FeedHub(const Clock* clock, Options options) : clock_(clock), options_(options) {}

  void Loop();
  void Forget(const std::vector<const FeedSink*>& leaving);
  void Skip(const Positions& dropped);
  void Welcome(Subscriber& subscriber);
  absl::Status CheckKept(const Positions& at);
  FeedPosition StartOf(const Subscription& wanted, const TenantId& tenant) const;
  FeedPosition Published(const TenantId& tenant) const;
  void Meet(const TenantId& tenant);
  // Has caught up, and takes what comes.
  static bool IsLive(const Subscriber& subscriber) {
    return subscriber.live && subscriber.sink != nullptr;
  }
  std::shared_ptr<const std::string> BodyFor(const Subscriber& subscriber, FeedItem& item);
  void Prepare(const std::shared_ptr<const journal::Commit>& commit);
  void DropUnwritten();
  void DropPrepared();
  void Deliver(const std::shared_ptr<const journal::Commit>& commit);
  void DeliverTo(Subscriber& subscriber, const journal::Commit& commit,
                 std::vector<FeedItem>& items);
  bool CatchUp(Subscriber& subscriber);
  bool CatchUpTenant(Subscriber& subscriber, const TenantId& tenant);
  bool IsTooMuchAtOnce(const journal::Commit& commit) const;
  void Heartbeat(absl::Time now);
  bool SendEvent(Subscriber& subscriber, const journal::EventRow& row, FeedItem& item);
  void Beat(Subscriber& subscriber);

  const Clock* const clock_;
  const Options options_;
  std::unique_ptr<journal::Reader> reader_;
  std::unique_ptr<AlertsView> alerts_;
  google::protobuf::Arena arena_;  // hub's thread: what events from the journal are made of
  Prepared prepared_;              // hub's thread
  Positions published_;            // hub's thread: the last record of each tenant that it has seen
  Subscribers subscribers_;        // hub's thread

  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::deque<std::shared_ptr<const journal::Commit>> commits_;
  std::shared_ptr<const journal::Commit> decided_;  // the last one, until it is committed
  Positions dropped_;  // the last record of each tenant whose commit was dropped
  std::vector<Subscriber> arriving_;
  std::vector<const FeedSink*> leaving_;
  std::size_t count_ = 0;
  bool poked_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tandem::api
