#include "router/api/feed_hub.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "router/base/check.h"
#include "router/base/plant.h"
#include "router/base/status.h"
#include "router/codec/convert.h"
#include "router/core/installation.h"
#include "tandem/journal/v1/journal.pb.h"

namespace tandem::api {
namespace {

absl::Status CutOffStatus(const Positions& at) {
  return AddFact(AddRetry(Error(absl::StatusCode::kResourceExhausted, "READER_TOO_SLOW",
                                "the reader was too far behind; subscribe again with the cursor in "
                                "the error's details, and nothing is lost"),
                          absl::Milliseconds(100)),
                 "cursor", MakeCursor(at));
}

absl::Status TooOld(const Positions& oldest) {
  return AddFact(Error(absl::StatusCode::kOutOfRange, "CURSOR_TOO_OLD",
                       "the retention has removed events that come after this cursor; read what is "
                       "kept with from_beginning, or go on with the cursor in the error's details "
                       "behind all that was removed"),
                 "cursor", MakeCursor(oldest));
}

// While it lives, what the sink is sent leaves together: this much at once, because what is held
// counts against the sink's limits.
class Together {
 public:
  static constexpr int kEventsMax = 64;

  explicit Together(std::shared_ptr<FeedSink> sink) : sink_(std::move(sink)) { sink_->Hold(); }
  ~Together() { sink_->Release(); }
  // After each event.
  void Next() {
    if (++events_ % kEventsMax != 0) return;
    sink_->Release();
    sink_->Hold();
  }
  Together(const Together&) = delete;
  Together& operator=(const Together&) = delete;

 private:
  const std::shared_ptr<FeedSink> sink_;
  int events_ = 0;
};

// One who watches all tenants gets a tenant that was created since, from its first record on.
void Join(const TenantId& tenant, Subscription& wanted, Positions& at) {
  if (!wanted.all_tenants || tenant == core::kInstallation) return;
  if (at.try_emplace(tenant, FeedPosition{}).second) wanted.tenants.push_back(tenant);
}

}  // namespace

absl::StatusOr<std::unique_ptr<FeedHub>> FeedHub::Start(journal::Journal* journal,
                                                        const Clock* clock, Options options) {
  TANDEM_CHECK(clock != nullptr, "the feed needs a clock");
  std::unique_ptr<FeedHub> hub(new FeedHub(clock, options));
  TANDEM_ASSIGN_OR_RETURN(hub->reader_, journal->OpenReader());
  hub->alerts_ = std::make_unique<AlertsView>(hub->reader_.get());
  TANDEM_ASSIGN_OR_RETURN(const auto heads, hub->reader_->ReadHeads());
  for (const journal::TenantHead& head : heads) hub->published_[head.tenant] = {head.sequence};
  hub->thread_ = std::thread([raw = hub.get()] {
    pthread_setname_np(pthread_self(), "feed");
    raw->Loop();
  });
  return hub;
}

FeedHub::~FeedHub() { Stop(); }

void FeedHub::OnDecided(const std::shared_ptr<const journal::Commit>& commit) {
  {
    std::lock_guard lock(mutex_);
    if (count_ == 0 || commit->events.empty()) return;
    decided_ = commit;
  }
  changed_.notify_one();
}

void FeedHub::OnCommitted(const std::shared_ptr<const journal::Commit>& commit) {
  {
    std::lock_guard lock(mutex_);
    decided_ = nullptr;  // too late to prepare it
    commits_.push_back(commit);
    if (commits_.size() > options_.commits_max) {
      for (const journal::RecordRow& record : commits_.front()->records) {
        dropped_[record.tenant] = {record.sequence};
      }
      commits_.pop_front();
    }
  }
  changed_.notify_one();
}

absl::Status FeedHub::Add(std::shared_ptr<FeedSink> sink, Subscription subscription) {
  {
    std::lock_guard lock(mutex_);
    if (count_ >= options_.subscribers_max) {
      return AddRetry(Error(absl::StatusCode::kResourceExhausted, "SUBSCRIBERS_EXHAUSTED",
                            "too many readers watch the feed; try again later"),
                      absl::Seconds(5));
    }
    ++count_;
    arriving_.push_back({.sink = std::move(sink), .wanted = std::move(subscription)});
  }
  changed_.notify_one();
  return absl::OkStatus();
}

void FeedHub::Remove(const FeedSink* sink) {
  {
    std::lock_guard lock(mutex_);
    const auto same = [sink](const Subscriber& arriving) { return arriving.sink.get() == sink; };
    const std::size_t not_yet_here = std::erase_if(arriving_, same);
    count_ -= not_yet_here;
    if (not_yet_here == 0) leaving_.push_back(sink);
  }
  changed_.notify_one();
}

void FeedHub::Poke() {
  {
    std::lock_guard lock(mutex_);
    poked_ = true;
  }
  changed_.notify_one();
}

std::size_t FeedHub::subscribers() const {
  std::lock_guard lock(mutex_);
  return count_;
}

void FeedHub::Loop() {
  bool more = false;  // a subscriber that is behind has room for another page
  for (;;) {
    std::deque<std::shared_ptr<const journal::Commit>> commits;
    std::vector<Subscriber> arriving;
    std::vector<const FeedSink*> leaving;
    Positions dropped;
    std::shared_ptr<const journal::Commit> decided;
    {
      std::unique_lock lock(mutex_);
      const auto ready = [this] {
        return stopping_ || poked_ || decided_ != nullptr || !commits_.empty() ||
               !arriving_.empty() || !leaving_.empty();
      };
      if (!more) {
        changed_.wait_for(lock, absl::ToChronoNanoseconds(options_.heartbeat / 4), ready);
      }
      if (stopping_) return;
      poked_ = false;
      commits.swap(commits_);
      arriving.swap(arriving_);
      leaving.swap(leaving_);
      dropped.swap(dropped_);
      decided.swap(decided_);
    }
    // Before the new ones come: one of them may live where one that left has lived.
    Forget(leaving);
    for (Subscriber& subscriber : arriving) {
      Welcome(subscriber);
      subscribers_.push_back(std::move(subscriber));
    }
    if (!dropped.empty()) Skip(dropped);
    for (const auto& commit : commits) Deliver(commit);
    if (decided != nullptr) Prepare(decided);
    more = false;
    for (Subscriber& subscriber : subscribers_) {
      if (!subscriber.live && subscriber.sink != nullptr) more = CatchUp(subscriber) || more;
    }
    Heartbeat(clock_->Now());
    Forget({});
  }
}

// Removes those who left, and those who take nothing any more.
void FeedHub::Forget(const std::vector<const FeedSink*>& leaving) {
  const auto gone = [&](const Subscriber& subscriber) {
    return subscriber.sink == nullptr ||
           std::find(leaving.begin(), leaving.end(), subscriber.sink.get()) != leaving.end();
  };
  const std::size_t removed = std::erase_if(subscribers_, gone);
  if (removed == 0) return;
  std::lock_guard lock(mutex_);
  count_ -= removed;
}

// Commits up to `dropped` will not come: the journal has them, whether or not more follow.
void FeedHub::Skip(const Positions& dropped) {
  for (const auto& [tenant, position] : dropped) {
    Meet(tenant);
    published_[tenant] = position;
  }
  for (Subscriber& subscriber : subscribers_) subscriber.live = false;
}

void FeedHub::Welcome(Subscriber& subscriber) {
  for (const TenantId& tenant : subscriber.wanted.tenants) {
    subscriber.at[tenant] = StartOf(subscriber.wanted, tenant);
  }
  // Created since the service looked which tenants there are.
  for (const auto& [tenant, position] : published_) {
    Join(tenant, subscriber.wanted, subscriber.at);
  }
  if (subscriber.wanted.from && !subscriber.wanted.from_beginning) {
    if (const absl::Status kept = CheckKept(subscriber.at); !kept.ok()) {
      subscriber.sink->CutOff(kept);
      subscriber.sink = nullptr;
      return;
    }
  }
  Beat(subscriber);
}

// OUT_OF_RANGE when the retention has taken something behind one of the positions: going on would
// pass over it in silence.
absl::Status FeedHub::CheckKept(const Positions& at) {
  Positions oldest = at;
  for (auto& [tenant, position] : oldest) {
    if (position >= Published(tenant)) continue;  // the last record is never pruned
    TANDEM_ASSIGN_OR_RETURN(const auto pruned, reader_->ReadPruned(tenant));
    if (!pruned.empty()) position = std::max(position, FeedPosition{pruned.back().last});
  }
  return oldest == at ? absl::OkStatus() : TooOld(oldest);
}

FeedPosition FeedHub::StartOf(const Subscription& wanted, const TenantId& tenant) const {
  if (wanted.from_beginning) return {};
  if (!wanted.from) return Published(tenant);
  const auto from = wanted.from->find(tenant);
  if (from != wanted.from->end()) return from->second;
  return wanted.all_tenants ? FeedPosition{} : Published(tenant);
}

// The last record of the tenant that the hub has seen; before its first when there was none.
FeedPosition FeedHub::Published(const TenantId& tenant) const {
  const auto found = published_.find(tenant);
  return found == published_.end() ? FeedPosition{} : found->second;
}

// The first that is heard of a tenant: whoever watches all of them watches it from here on.
void FeedHub::Meet(const TenantId& tenant) {
  if (published_.contains(tenant)) return;
  for (Subscriber& subscriber : subscribers_) Join(tenant, subscriber.wanted, subscriber.at);
}

// Bodies of events name their alerts; the alerts themselves stand in the records.
bool FeedHub::IsTooMuchAtOnce(const journal::Commit& commit) const {
  if (commit.events.size() > options_.live_events_max) return true;
  std::size_t bytes = 0;
  for (const journal::EventRow& event : commit.events) bytes += event.body.size();
  for (const journal::RecordRow& record : commit.records) bytes += record.body.size();
  return bytes > options_.live_bytes_max;
}

// What can be done while the commit is being written: nobody hears of it yet.
void FeedHub::Prepare(const std::shared_ptr<const journal::Commit>& commit) {
  DropUnwritten();
  prepared_.commit = commit;
  if (IsTooMuchAtOnce(*commit)) return;  // it is read from the journal
  prepared_.items.reserve(commit->events.size());
  alerts_->LookFirstIn(commit.get());
  for (const journal::EventRow& row : commit->events) {
    FeedItem& item = prepared_.items.emplace_back(row, &prepared_.arena);
    if (!item.is_readable()) continue;
    for (const Subscriber& subscriber : subscribers_) {
      if (!IsLive(subscriber) || !subscriber.at.contains(row.tenant)) continue;
      if (subscriber.wanted.filter.Matches(item.incident())) BodyFor(subscriber, item);
    }
  }
  alerts_->LookFirstIn(nullptr);
}

// What was prepared and not committed is not to be found in the journal, and its number will be
// another's.
void FeedHub::DropUnwritten() {
  if (prepared_.commit == nullptr) return;
  alerts_->Forget();
  DropPrepared();
}

void FeedHub::DropPrepared() {
  prepared_.items.clear();
  prepared_.arena.Reset();
  prepared_.commit = nullptr;
}

std::shared_ptr<const std::string> FeedHub::BodyFor(const Subscriber& subscriber, FeedItem& item) {
  return subscriber.wanted.omit_alerts ? item.Body()
                                       : item.BodyWithAlerts(*alerts_, options_.event);
}

void FeedHub::Deliver(const std::shared_ptr<const journal::Commit>& commit) {
  for (const journal::RecordRow& record : commit->records) Meet(record.tenant);
  if (prepared_.commit != commit) DropUnwritten();
  if (IsTooMuchAtOnce(*commit)) {
    for (Subscriber& subscriber : subscribers_) subscriber.live = false;
  } else if (std::any_of(subscribers_.begin(), subscribers_.end(), IsLive)) {
    if (prepared_.commit != commit) Prepare(commit);
    alerts_->LookFirstIn(commit.get());
    for (Subscriber& subscriber : subscribers_) {
      if (IsLive(subscriber)) DeliverTo(subscriber, *commit, prepared_.items);
    }
    alerts_->LookFirstIn(nullptr);
  }
  DropPrepared();
  for (const journal::RecordRow& record : commit->records) {
    published_[record.tenant] = {record.sequence};
  }
}

void FeedHub::DeliverTo(Subscriber& subscriber, const journal::Commit& commit,
                        std::vector<FeedItem>& items) {
  Together together(subscriber.sink);
  auto event = commit.events.begin();
  for (const journal::RecordRow& record : commit.records) {
    // Events follow the order of their records.
    const auto first = event;
    while (event != commit.events.end() && event->tenant == record.tenant &&
           event->sequence == record.sequence) {
      ++event;
    }
    const auto at = subscriber.at.find(record.tenant);
    if (at == subscriber.at.end() || at->second >= FeedPosition{record.sequence}) continue;
    if (at->second != FeedPosition{Sequence(record.sequence.value - 1)}) {
      subscriber.live = false;  // commits were dropped: the journal has them
      return;
    }
    for (auto row = first; row != event; ++row) {
      FeedItem& item = items[static_cast<std::size_t>(row - commit.events.begin())];
      if (!SendEvent(subscriber, *row, item)) return;
      together.Next();
    }
    at->second = {record.sequence};
  }
}

// One page for each tenant that is behind; true when there may be more and the sink has room.
bool FeedHub::CatchUp(Subscriber& subscriber) {
  bool behind = false;
  for (const TenantId& tenant : subscriber.wanted.tenants) {
    if (subscriber.at[tenant] >= Published(tenant)) continue;
    if (!subscriber.sink->HasRoom()) return false;
    behind = CatchUpTenant(subscriber, tenant) || behind;
    if (subscriber.sink == nullptr) return false;
  }
  subscriber.live = !behind;
  if (subscriber.live && IsPlanted(Plant::kSkipAtHandOver)) {
    // As this bug is mostly written: one number is off by one.
    for (auto& [tenant, at] : subscriber.at) at = {Sequence(at.sequence.value + 1)};
  }
  return behind && subscriber.sink->HasRoom();
}

// True when the tenant is still behind after a page.
bool FeedHub::CatchUpTenant(Subscriber& subscriber, const TenantId& tenant) {
  const FeedPosition published = Published(tenant);
  FeedPosition& at = subscriber.at[tenant];
  const bool whole = at.incident == FeedPosition::kWhole;
  const Sequence after(whole || at.sequence.value == 0 ? at.sequence.value : at.sequence.value - 1);
  const auto rows = reader_->ListEvents(tenant, after, options_.page_events);
  if (!rows.ok()) {
    subscriber.sink->CutOff(AddFact(rows.status(), "cursor", MakeCursor(subscriber.at)));
    subscriber.sink = nullptr;
    return false;
  }
  subscriber.bytes_sent = 0;
  Together together(subscriber.sink);
  for (const journal::EventRow& row : *rows) {
    // What was committed since is also handed over as a commit.
    if (row.sequence > published.sequence) break;
    if (at >= FeedPosition{row.sequence, row.incident.value}) continue;  // it has this one
    FeedItem item(row, &arena_);
    const bool sent = SendEvent(subscriber, row, item);
    arena_.Reset();
    if (!sent) return false;
    together.Next();
    if (subscriber.bytes_sent >= options_.page_bytes || !subscriber.sink->HasRoom()) {
      return at < published;  // the next page goes on behind this event
    }
  }
  // A page holds whole records only, so one that is not full need not be the last.
  if (rows->empty() || rows->back().sequence >= published.sequence) {
    at = std::max(at, published);
    return false;
  }
  at = {rows->back().sequence};
  return true;
}

bool FeedHub::SendEvent(Subscriber& subscriber, const journal::EventRow& row, FeedItem& item) {
  const FeedPosition before =
      std::exchange(subscriber.at[row.tenant], {row.sequence, row.incident.value});
  if (!item.is_readable()) return true;
  if (!subscriber.wanted.filter.Matches(item.incident())) return true;
  FeedMessage message = MakeMessage(BodyFor(subscriber, item), MakeCursor(subscriber.at));
  subscriber.bytes_sent += message.size();
  subscriber.last_sent = clock_->Now();
  const FeedSink::Sent sent = subscriber.sink->Send(std::move(message));
  if (sent == FeedSink::Sent::kYes) return true;
  subscriber.at[row.tenant] = before;  // it did not get this one
  if (sent == FeedSink::Sent::kFull) subscriber.sink->CutOff(CutOffStatus(subscriber.at));
  subscriber.sink = nullptr;
  return false;
}

// A sign of life that carries nothing but the cursor and the router's time.
void FeedHub::Beat(Subscriber& subscriber) {
  v1::FeedEvent event;
  event.set_heartbeat(true);
  subscriber.last_sent = clock_->Now();
  codec::PutTime(absl::ToUnixMicros(subscriber.last_sent), event.mutable_time());
  FeedMessage message = MakeMessage(std::make_shared<const std::string>(event.SerializeAsString()),
                                    MakeCursor(subscriber.at));
  // One that is full has enough to read.
  if (subscriber.sink->Send(std::move(message)) == FeedSink::Sent::kGone) {
    subscriber.sink = nullptr;
  }
}

void FeedHub::Heartbeat(absl::Time now) {
  for (Subscriber& subscriber : subscribers_) {
    if (subscriber.sink == nullptr || now - subscriber.last_sent < options_.heartbeat) continue;
    Beat(subscriber);
  }
}

void FeedHub::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

}  // namespace tandem::api
