#include "router/engine/retention.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "router/base/check.h"
#include "router/base/status.h"
#include "router/core/state.h"
#include "router/engine/shard.h"
#include "tandem/journal/v1/journal.pb.h"

namespace tandem::engine {
namespace {

constexpr std::size_t kSliceRecords = 256;    // as many as one transaction of the journal
constexpr std::size_t kSliceBytes = 4 << 20;  // of bodies
constexpr std::uint32_t kEventsAtOnce = 1'000;
constexpr int kNiceness = 10;  // about a tenth of a normal thread's share

// Records that a slice holds, all of them old enough to go.
struct Slice {
  std::vector<Sequence> records;
  bool is_last = false;
};

absl::StatusOr<Slice> ReadSlice(journal::Reader& reader, const TenantId& tenant, Sequence from,
                                Sequence below, absl::Time older_than) {
  Slice slice{.records = {}, .is_last = true};
  std::size_t bytes = 0;
  TANDEM_RETURN_IF_ERROR(reader.ReadRecords(tenant, from, [&](const journal::RecordRow& row) {
    if (row.sequence >= below || row.time >= older_than) return false;
    slice.records.push_back(row.sequence);
    bytes += row.body.size();
    slice.is_last = slice.records.size() < kSliceRecords && bytes < kSliceBytes;
    return slice.is_last;
  }));
  return slice;
}

// What must stay of a tenant, whatever its age.
class Needed {
 public:
  Needed(const core::TenantState& state, absl::Time older_than)
      : tenant_(state.tenant), older_than_(older_than) {
    records_.insert(state.activations.begin(), state.activations.end());
    records_.insert(state.context_changes.begin(), state.context_changes.end());
    state.alerts.ForEach([this](const core::AlertSlot& slot) { records_.insert(slot.source); });
    for (const auto& [number, incident] : state.incidents) records_.insert(incident->opened_by);
    for (const auto& [number, delivery] : state.deliveries) records_.insert(delivery.planned_in);
  }

  // Those of `slice` that must stay, ascending.
  absl::StatusOr<std::vector<Sequence>> Of(const Slice& slice, journal::Reader& reader) {
    TANDEM_RETURN_IF_ERROR(AddShown(slice, reader));
    std::vector<Sequence> kept;
    std::ranges::set_intersection(slice.records, records_, std::back_inserter(kept));
    return kept;
  }

 private:
  // Records in which something happened to an incident that lists still show.
  absl::Status AddShown(const Slice& slice, journal::Reader& reader) {
    Sequence after(slice.records.front().value - 1);
    while (after < slice.records.back()) {
      TANDEM_ASSIGN_OR_RETURN(const auto events, reader.ListEvents(tenant_, after, kEventsAtOnce));
      if (events.empty()) return absl::OkStatus();
      for (const journal::EventRow& event : events) {
        if (event.sequence > slice.records.back()) return absl::OkStatus();
        TANDEM_ASSIGN_OR_RETURN(const bool shown, IsShown(event.incident, reader));
        if (shown) records_.insert(event.sequence);
      }
      after = events.back().sequence;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<bool> IsShown(IncidentNumber number, journal::Reader& reader) {
    if (const auto known = shown_.find(number); known != shown_.end()) return known->second;
    TANDEM_ASSIGN_OR_RETURN(const auto row, reader.ReadIncident(tenant_, number));
    const bool shown =
        row && (row->state != IncidentState::kResolved || row->updated >= older_than_);
    shown_.emplace(number, shown);
    if (shown) TANDEM_RETURN_IF_ERROR(AddLabelsOf(number, reader));
    return shown;
  }

  // Its timeline shows labels from the records that its events name.
  absl::Status AddLabelsOf(IncidentNumber number, journal::Reader& reader) {
    Sequence after;
    for (;;) {
      TANDEM_ASSIGN_OR_RETURN(const auto events,
                              reader.ListIncidentEvents(tenant_, number, after, kEventsAtOnce));
      if (events.empty()) return absl::OkStatus();
      after = events.back().sequence;
      for (const journal::EventRow& event : events) {
        journal::v1::Event body;
        if (!body.ParseFromString(event.body)) continue;  // its seal fits: a newer release wrote it
        for (const auto& alert : body.alerts()) records_.insert(Sequence(alert.record()));
      }
    }
  }

  const TenantId tenant_;
  const absl::Time older_than_;
  std::set<Sequence> records_;
  std::map<IncidentNumber, bool> shown_;
};

// Everything before the answer may go without being missed at a start, even if the newest snapshot
// turns out to be damaged. nullopt: nothing may go.
absl::StatusOr<std::optional<Sequence>> SafeBelow(const TenantId& tenant, journal::Reader& reader,
                                                  const journal::SnapshotStore& store) {
  TANDEM_ASSIGN_OR_RETURN(const auto newest, store.Load(tenant));
  if (!newest.snapshot) return std::nullopt;
  TANDEM_ASSIGN_OR_RETURN(const auto older, store.Load(tenant, newest.snapshot->sequence));
  if (!older.snapshot) return std::nullopt;
  for (const journal::Snapshot& snapshot : {*newest.snapshot, *older.snapshot}) {
    TANDEM_ASSIGN_OR_RETURN(const auto record, reader.ReadRecord(tenant, snapshot.sequence));
    if (!record || record->hash != snapshot.hash) return std::nullopt;
  }
  return older.snapshot->sequence;
}

}  // namespace

Retention::Retention(RetentionOptions options)
    : options_(std::move(options)), keep_(options_.keep) {
  TANDEM_CHECK(options_.clock != nullptr && options_.journal != nullptr &&
                   options_.store != nullptr && options_.engine != nullptr,
               "a retention without its parts");
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "retention");
    // As the snapshotter: what is old can wait. That it is refused costs no more than a share.
    setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNiceness);
    Loop();
  });
}

Retention::~Retention() { Stop(); }

void Retention::Loop() {
  if (!Wait(options_.first)) return;
  do {
    for (const auto& [tenant, created] : options_.engine->Installation()->tenants) {
      const absl::StatusOr<journal::CutCounts> counts = Prune(tenant);
      if (stopping()) return;
      const bool silent = counts.ok() && counts->records == 0 && counts->incidents == 0;
      if (!silent && options_.on_done) options_.on_done(tenant, counts);
    }
  } while (Wait(options_.every));
}

absl::StatusOr<journal::CutCounts> Retention::Prune(const TenantId& tenant) {
  journal::CutCounts total;
  const absl::Duration keep = [this] {
    const std::lock_guard lock(mutex_);
    return keep_;
  }();
  if (keep == absl::InfiniteDuration()) return total;
  const absl::Time older_than = options_.clock->Now() - keep;
  TANDEM_ASSIGN_OR_RETURN(const auto reader, options_.journal->OpenReader());
  TANDEM_ASSIGN_OR_RETURN(const auto pruned, reader->ReadPruned(tenant));
  Sequence from = pruned.empty() ? Sequence(1) : pruned.back().last.Next();
  TANDEM_ASSIGN_OR_RETURN(Slice slice, ReadSlice(*reader, tenant, from, from.Next(), older_than));
  if (slice.records.empty()) return total;
  TANDEM_ASSIGN_OR_RETURN(const auto below, SafeBelow(tenant, *reader, *options_.store));
  if (!below || *below <= from) {
    if (options_.need_snapshot) options_.need_snapshot(tenant);
    return total;
  }
  TANDEM_ASSIGN_OR_RETURN(const auto state,
                          RecoverTenant(tenant, options_.key, *reader, options_.store));
  Needed needed(*state, older_than);
  from = Sequence(1);  // what was needed the last time may not be needed any more
  for (;;) {
    TANDEM_ASSIGN_OR_RETURN(slice, ReadSlice(*reader, tenant, from, *below, older_than));
    if (slice.records.empty()) return total;
    journal::Cut cut{.tenant = tenant,
                     .first = slice.records.front(),
                     .through = slice.records.back(),
                     .resolved_before = older_than};
    TANDEM_ASSIGN_OR_RETURN(cut.keep, needed.Of(slice, *reader));
    journal::CutCounts counts;
    do {  // An old record may have opened more incidents than go in one step.
      TANDEM_ASSIGN_OR_RETURN(counts, MakeCut(cut));
      total.records += counts.records;
      total.incidents += counts.incidents;
      if (!Wait(options_.pause)) return total;
    } while (counts.incidents == journal::kCutIncidentsMax);
    if (slice.is_last) return total;
    from = slice.records.back().Next();
  }
}

absl::StatusOr<journal::CutCounts> Retention::MakeCut(journal::Cut cut) {
  std::promise<absl::StatusOr<journal::CutCounts>> done;
  options_.engine->Prune(std::move(cut), [&done](absl::StatusOr<journal::CutCounts> counts) {
    done.set_value(std::move(counts));
  });
  return done.get_future().get();
}

bool Retention::Wait(absl::Duration duration) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, absl::ToChronoNanoseconds(duration),
                            [this] { return stopping_; });
}

void Retention::SetKeep(absl::Duration keep) {
  const std::lock_guard lock(mutex_);
  keep_ = keep;
}

bool Retention::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void Retention::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  const std::lock_guard lock(join_mutex_);
  if (thread_.joinable()) thread_.join();
}

}  // namespace tandem::engine
