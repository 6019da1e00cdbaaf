#include "router/api/delivery_hub.h"

#include <algorithm>
#include <utility>

#include "router/base/status.h"

namespace tandem::api {

void DeliveryHub::OnCommitted(const std::shared_ptr<const journal::Commit>& commit) {
  if (commit->deliveries.empty()) return;
  const std::lock_guard lock(mutex_);
  for (const journal::DeliveryRow& row : commit->deliveries) {
    const auto event = EventOf(row);
    for (Joining& joining : joining_) {
      if (joining.sink->Wants(row.tenant)) joining.missed.push_back({row, event});
    }
    if (!event) continue;
    std::erase_if(sinks_,
                  [&](const auto& sink) { return sink->Wants(row.tenant) && !sink->Send(*event); });
  }
}

std::optional<v1::DeliveryEvent> DeliveryHub::EventOf(const journal::DeliveryRow& row) {
  v1::DeliveryEvent event;
  const std::pair key(row.tenant, row.number);
  if (row.open) {
    if (!event.mutable_open()->ParseFromString(row.body)) return std::nullopt;
    ids_.try_emplace(key, event.open().delivery_id());
    return event;
  }
  const auto known = ids_.find(key);
  if (known == ids_.end()) return std::nullopt;  // opened and ended before anyone was told
  event.mutable_ended()->set_tenant(row.tenant.value);
  event.mutable_ended()->set_delivery_id(known->second);
  ids_.erase(known);
  return event;
}

// The journal is read while commits go on: there may be a hundred thousand open deliveries.
absl::Status DeliveryHub::Add(std::shared_ptr<DeliverySink> sink) {
  TANDEM_ASSIGN_OR_RETURN(const auto reader, journal_->OpenReader());
  std::list<Joining>::iterator joining;
  {
    const std::lock_guard lock(mutex_);
    joining = joining_.insert(joining_.end(), {.sink = sink});
  }
  const auto rows = reader->ListOpenDeliveries();
  bool takes = rows.ok();
  for (std::size_t i = 0; takes && i < rows->size(); ++i) {
    std::optional<v1::DeliveryEvent> event;
    {
      const std::lock_guard lock(mutex_);
      event = EventOf((*rows)[i]);
    }
    if (event && sink->Wants((*rows)[i].tenant)) takes = sink->Send(*std::move(event));
  }
  const std::lock_guard lock(mutex_);
  if (takes && CatchUp(*joining)) sinks_.push_back(std::move(sink));
  joining_.erase(joining);
  return rows.status();
}

bool DeliveryHub::CatchUp(Joining& joining) {
  for (auto& [row, event] : joining.missed) {
    if (!event) event = EventOf(row);  // one that was read as open is known by now
    if (event && !joining.sink->Send(*std::move(event))) return false;
  }
  v1::DeliveryEvent end;
  end.mutable_snapshot_end();
  return joining.sink->Send(std::move(end));
}

void DeliveryHub::Remove(const DeliverySink* sink) {
  std::lock_guard lock(mutex_);
  std::erase_if(sinks_, [sink](const auto& known) { return known.get() == sink; });
}

}  // namespace tandem::api
