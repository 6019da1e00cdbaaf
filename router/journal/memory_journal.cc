// The journal of tests and simulation: what is durable elsewhere is only kept here.
//
// One mutex guards the tables; it is never held across a call of a visitor. Records are shared with
// readers, so that a long read costs no copy of the bodies.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

#include "router/base/check.h"
#include "router/base/status.h"
#include "router/journal/errors.h"
#include "router/journal/incident_query.h"
#include "router/journal/journal.h"

namespace tandem::journal {
namespace {

using SharedRecord = std::shared_ptr<const RecordRow>;

// A journal stores microseconds.
absl::Time StoredTime(absl::Time time) { return absl::FromUnixMicros(absl::ToUnixMicros(time)); }

struct Tenant {
  std::map<Sequence, SharedRecord> records;
  std::map<IncidentNumber, IncidentRow> incidents;
  std::map<std::pair<Sequence, IncidentNumber>, EventRow> events;
  std::map<DeliveryNumber, DeliveryRow> deliveries;
};

struct Tables {
  std::mutex mutex;
  std::map<TenantId, Tenant> tenants;  // guarded by mutex

  // REQUIRES: mutex is held.
  const Tenant* Find(const TenantId& tenant) const {
    const auto at = tenants.find(tenant);
    return at == tenants.end() ? nullptr : &at->second;
  }
};

class MemoryReader final : public Reader {
 public:
  explicit MemoryReader(std::shared_ptr<Tables> tables) : tables_(std::move(tables)) {}

  absl::Status ReadRecords(const TenantId& tenant, Sequence from,
                           absl::FunctionRef<bool(const RecordRow&)> visit) override {
    std::vector<SharedRecord> records;
    {
      const std::lock_guard lock(tables_->mutex);
      if (const Tenant* found = tables_->Find(tenant)) {
        for (auto at = found->records.lower_bound(from); at != found->records.end(); ++at) {
          records.push_back(at->second);
        }
      }
    }
    for (const SharedRecord& record : records) {
      if (!visit(*record)) break;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<RecordRow>> ReadRecord(const TenantId& tenant,
                                                      Sequence sequence) override {
    const std::lock_guard lock(tables_->mutex);
    const Tenant* found = tables_->Find(tenant);
    if (found == nullptr) return std::nullopt;
    const auto at = found->records.find(sequence);
    if (at == found->records.end()) return std::nullopt;
    return *at->second;
  }

  absl::StatusOr<std::vector<TenantHead>> ReadHeads() override {
    const std::lock_guard lock(tables_->mutex);
    std::vector<TenantHead> heads;
    for (const auto& [id, tenant] : tables_->tenants) {
      if (tenant.records.empty()) continue;
      const RecordRow& last = *tenant.records.rbegin()->second;
      heads.push_back({id, last.sequence, last.hash, last.time});
    }
    return heads;
  }

  // What is not there was pruned: nothing else removes a record here.
  absl::StatusOr<std::vector<PrunedRange>> ReadPruned(const TenantId& tenant) override {
    const std::lock_guard lock(tables_->mutex);
    std::vector<PrunedRange> ranges;
    const Tenant* found = tables_->Find(tenant);
    if (found == nullptr) return ranges;
    Sequence next(1);
    for (const auto& [sequence, record] : found->records) {
      if (sequence != next) ranges.push_back({next, Sequence(sequence.value - 1)});
      next = sequence.Next();
    }
    return ranges;
  }

  absl::StatusOr<std::optional<IncidentRow>> ReadIncident(const TenantId& tenant,
                                                          IncidentNumber number) override {
    const std::lock_guard lock(tables_->mutex);
    const Tenant* found = tables_->Find(tenant);
    if (found == nullptr) return std::nullopt;
    const auto at = found->incidents.find(number);
    if (at == found->incidents.end()) return std::nullopt;
    return at->second;
  }

  absl::StatusOr<std::vector<IncidentRow>> ListIncidents(const IncidentQuery& query) override {
    TANDEM_CHECK(!query.tenants.empty() && query.limit > 0, "an incident query has tenants");
    const std::lock_guard lock(tables_->mutex);
    NewestIncidents newest(query.limit);
    const IncidentFilter filter(query);
    for (const auto& [id, tenant] : tables_->tenants) {
      if (std::ranges::find(query.tenants, id) == query.tenants.end()) continue;
      for (const auto& [number, row] : tenant.incidents) {
        if (filter.Passes(row) && newest.Wants(row)) newest.Add(row);
      }
    }
    return std::move(newest).Take();
  }

  absl::StatusOr<std::vector<EventRow>> ListIncidentEvents(const TenantId& tenant,
                                                           IncidentNumber incident, Sequence after,
                                                           std::uint32_t limit) override {
    const std::lock_guard lock(tables_->mutex);
    std::vector<EventRow> events;
    const Tenant* found = tables_->Find(tenant);
    if (found == nullptr) return events;
    for (auto at = found->events.lower_bound({after.Next(), IncidentNumber()});
         at != found->events.end() && events.size() < limit; ++at) {
      if (at->first.second == incident) events.push_back(at->second);
    }
    return events;
  }

  absl::StatusOr<std::vector<EventRow>> ListEvents(const TenantId& tenant, Sequence after,
                                                   std::uint32_t limit) override {
    const std::lock_guard lock(tables_->mutex);
    std::vector<EventRow> events;
    const Tenant* found = tables_->Find(tenant);
    if (found == nullptr) return events;
    auto at = found->events.lower_bound({after.Next(), IncidentNumber()});
    while (at != found->events.end()) {
      const Sequence sequence = at->first.first;
      const auto end = found->events.lower_bound({sequence.Next(), IncidentNumber()});
      const auto count = static_cast<std::size_t>(std::distance(at, end));
      if (!events.empty() && events.size() + count > limit) break;
      for (; at != end; ++at) events.push_back(at->second);
    }
    return events;
  }

  absl::StatusOr<std::vector<DeliveryRow>> ListOpenDeliveries() override {
    const std::lock_guard lock(tables_->mutex);
    std::vector<DeliveryRow> open;
    for (const auto& [id, tenant] : tables_->tenants) {
      for (const auto& [number, row] : tenant.deliveries) open.push_back(row);
    }
    return open;
  }

 private:
  const std::shared_ptr<Tables> tables_;
};

class MemoryJournal final : public Journal {
 public:
  absl::Status Append(const Commit& commit) override {
    const std::lock_guard lock(tables_->mutex);
    if (!failed_.ok()) return failed_;
    std::vector<SharedRecord> records;
    if (failed_ = Chain(commit, &records); !failed_.ok()) return failed_;
    for (SharedRecord& record : records) {
      tables_->tenants[record->tenant].records.emplace(record->sequence, record);
    }
    for (const IncidentRow& row : commit.incidents) {
      IncidentRow& stored = tables_->tenants[row.tenant].incidents[row.number];
      stored = row;
      stored.updated = StoredTime(row.updated);
    }
    for (const EventRow& row : commit.events) {
      tables_->tenants[row.tenant].events.insert_or_assign({row.sequence, row.incident}, row);
    }
    for (const DeliveryRow& row : commit.deliveries) {
      auto& deliveries = tables_->tenants[row.tenant].deliveries;
      if (row.open) {
        deliveries.insert_or_assign(row.number, row);
      } else {
        deliveries.erase(row.number);
      }
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<Reader>> OpenReader() override {
    return std::make_unique<MemoryReader>(tables_);
  }

  absl::StatusOr<CutCounts> Prune(const Cut& cut) override {
    const std::lock_guard lock(tables_->mutex);
    if (!failed_.ok()) return failed_;
    CutCounts counts;
    const auto at = tables_->tenants.find(cut.tenant);
    if (at == tables_->tenants.end() || at->second.records.empty()) return counts;
    Tenant& tenant = at->second;
    const Sequence head = tenant.records.rbegin()->first;
    const auto is_cut = [&](Sequence sequence) {
      return sequence >= cut.first && sequence <= cut.through && sequence != head &&
             !std::ranges::binary_search(cut.keep, sequence);
    };
    std::erase_if(tenant.events, [&](const auto& event) { return is_cut(event.first.first); });
    counts.records =
        std::erase_if(tenant.records, [&](const auto& record) { return is_cut(record.first); });
    counts.incidents = CutIncidents(tenant, cut.resolved_before);
    return counts;
  }

 private:
  static std::uint64_t CutIncidents(Tenant& tenant, absl::Time resolved_before) {
    std::vector<std::pair<absl::Time, IncidentNumber>> old;
    for (const auto& [number, row] : tenant.incidents) {
      if (row.state == IncidentState::kResolved && row.updated < resolved_before) {
        old.emplace_back(row.updated, number);
      }
    }
    std::ranges::sort(old);
    if (old.size() > kCutIncidentsMax) old.resize(kCutIncidentsMax);
    for (const auto& [updated, number] : old) tenant.incidents.erase(number);
    return old.size();
  }

  // The commit's records with their hashes, or the gap; changes nothing.
  // REQUIRES: the mutex is held.
  absl::Status Chain(const Commit& commit, std::vector<SharedRecord>* records) const {
    std::map<TenantId, std::pair<Sequence, Hash>> heads;
    for (const RecordRow& row : commit.records) {
      auto [head, is_new] = heads.try_emplace(row.tenant);
      if (const Tenant* tenant = is_new ? tables_->Find(row.tenant) : nullptr;
          tenant != nullptr && !tenant->records.empty()) {
        const RecordRow& last = *tenant->records.rbegin()->second;
        head->second = {last.sequence, last.hash};
      }
      auto& [sequence, hash] = head->second;
      if (row.sequence != sequence.Next()) return Gap(row.tenant, sequence, row.sequence);
      RecordRow chained = row;
      chained.time = StoredTime(row.time);
      chained.previous = hash;
      chained.hash = ChainHash(hash, row.tenant, row.sequence, row.time, row.body);
      sequence = row.sequence;
      hash = chained.hash;
      records->push_back(std::make_shared<const RecordRow>(std::move(chained)));
    }
    return absl::OkStatus();
  }

  const std::shared_ptr<Tables> tables_ = std::make_shared<Tables>();
  absl::Status failed_;  // guarded by tables_->mutex; the first error stays
};

}  // namespace

std::unique_ptr<Journal> NewMemoryJournal() { return std::make_unique<MemoryJournal>(); }

}  // namespace tandem::journal
