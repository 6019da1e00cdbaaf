#include "router/api/delivery_hub.h"

#include <algorithm>
#include <utility>

#include "router/base/status.h"

namespace tandem::api {

void DeliveryHub::OnCommitted(const std::shared_ptr<const journal::Commit>& commit) {
  if (commit->deliveries.empty()) return;
  std::lock_guard lock(mutex_);
  for (const journal::DeliveryRow& row : commit->deliveries) {
    v1::DeliveryEvent event;
    const auto known = ids_.find({row.tenant, row.number});
    if (row.open) {
      if (!event.mutable_open()->ParseFromString(row.body)) continue;
      if (known == ids_.end()) ids_[{row.tenant, row.number}] = event.open().delivery_id();
    } else {
      if (known == ids_.end()) continue;  // opened and ended before anyone was told
      event.mutable_ended()->set_tenant(row.tenant.value);
      event.mutable_ended()->set_delivery_id(known->second);
      ids_.erase(known);
    }
    std::erase_if(sinks_,
                  [&](const auto& sink) { return sink->Wants(row.tenant) && !sink->Send(event); });
  }
}

absl::Status DeliveryHub::Add(std::shared_ptr<DeliverySink> sink) {
  TANDEM_ASSIGN_OR_RETURN(const auto reader, journal_->OpenReader());
  // Under the lock: a commit that is read here is handed over again at most.
  std::lock_guard lock(mutex_);
  TANDEM_ASSIGN_OR_RETURN(const auto rows, reader->ListOpenDeliveries());
  for (const journal::DeliveryRow& row : rows) {
    v1::DeliveryEvent event;
    if (!event.mutable_open()->ParseFromString(row.body)) continue;
    ids_[{row.tenant, row.number}] = event.open().delivery_id();
    if (sink->Wants(row.tenant) && !sink->Send(std::move(event))) return absl::OkStatus();
  }
  v1::DeliveryEvent end;
  end.mutable_snapshot_end();
  if (sink->Send(std::move(end))) sinks_.push_back(std::move(sink));
  return absl::OkStatus();
}

void DeliveryHub::Remove(const DeliverySink* sink) {
  std::lock_guard lock(mutex_);
  std::erase_if(sinks_, [sink](const auto& known) { return known.get() == sink; });
}

}  // namespace tandem::api
