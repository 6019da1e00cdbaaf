#include "router/api/delivery_hub.h"

#include <pthread.h>

#include "router/base/status.h"

namespace tandem::api {

DeliveryHub::DeliveryHub(journal::Journal* journal, Options options)
    : journal_(journal), options_(options), thread_([this] {
        pthread_setname_np(pthread_self(), "deliveries");
        Loop();
      }) {}

DeliveryHub::~DeliveryHub() {
  {
    const std::scoped_lock lock(mutex_, room_mutex_);
    stopping_ = true;
    ends_ = true;
  }
  changed_.notify_one();
  room_.notify_one();
  thread_.join();
}

void DeliveryHub::OnCommitted(const std::shared_ptr<const journal::Commit>& commit) {
  if (commit->deliveries.empty()) return;
  const std::lock_guard lock(mutex_);
  for (const journal::DeliveryRow& row : commit->deliveries) {
    const auto event = EventOf(row);
    for (Joining& joining : joining_) {
      joining.overrun = joining.overrun || joining.missed.size() >= options_.missed_max;
      if (joining.overrun || !joining.sink->Wants(row.tenant)) continue;
      if (event || !row.open) joining.missed.push_back({row.tenant, row.number, event});
    }
    if (!event) continue;
    std::erase_if(sinks_,
                  [&](const auto& sink) { return sink->Wants(row.tenant) && !sink->Send(*event); });
  }
}

std::optional<v1::DeliveryEvent> DeliveryHub::EventOf(const journal::DeliveryRow& row) {
  if (!row.open) return EndOf(row.tenant, row.number);
  v1::DeliveryEvent event;
  if (!event.mutable_open()->ParseFromString(row.body)) return std::nullopt;
  ids_.try_emplace({row.tenant, row.number}, event.open().delivery_id());
  return event;
}

std::optional<v1::DeliveryEvent> DeliveryHub::EndOf(const TenantId& tenant, DeliveryNumber number) {
  const auto known = ids_.find({tenant, number});
  if (known == ids_.end()) return std::nullopt;  // opened and ended before anyone was told
  v1::DeliveryEvent event;
  event.mutable_ended()->set_tenant(tenant.value);
  event.mutable_ended()->set_delivery_id(known->second);
  ids_.erase(known);
  return event;
}

void DeliveryHub::Add(std::shared_ptr<DeliverySink> sink) {
  {
    const std::lock_guard lock(mutex_);
    joining_.push_back({.sink = std::move(sink)});
  }
  changed_.notify_one();
}

void DeliveryHub::Loop() {
  for (;;) {
    Joining* joining = nullptr;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !joining_.empty(); });
      if (stopping_) return;
      joining = &joining_.front();
    }
    const absl::Status joined = Join(*joining);
    std::shared_ptr<DeliverySink> sink = joining->sink;
    {
      const std::lock_guard lock(mutex_);
      if (joined.ok() && CatchUp(*joining)) sinks_.push_back(sink);
      joining_.pop_front();
    }
    if (!joined.ok()) sink->CutOff(joined);
  }
}

// OK also when the sink takes nothing any more: then there is nobody to tell.
absl::Status DeliveryHub::Join(Joining& joining) {
  TANDEM_ASSIGN_OR_RETURN(const auto reader, journal_->OpenReader());
  TANDEM_ASSIGN_OR_RETURN(const auto rows, reader->ListOpenDeliveries());
  for (const journal::DeliveryRow& row : rows) {
    if (!joining.sink->Wants(row.tenant)) continue;
    std::optional<v1::DeliveryEvent> event;
    {
      const std::lock_guard lock(mutex_);
      event = EventOf(row);
    }
    if (!event) continue;
    TANDEM_RETURN_IF_ERROR(AwaitRoom(*joining.sink));
    if (!joining.sink->Send(*std::move(event))) return absl::OkStatus();
  }
  const std::lock_guard lock(mutex_);
  if (!joining.overrun) return absl::OkStatus();
  return AddRetry(Error(absl::StatusCode::kResourceExhausted, "READER_TOO_SLOW",
                        "more changed than can wait while the worker was told what is open; watch "
                        "again to get all of it"),
                  absl::Milliseconds(100));
}

absl::Status DeliveryHub::AwaitRoom(const DeliverySink& sink) {
  std::unique_lock lock(room_mutex_);
  if (room_.wait_for(lock, absl::ToChronoNanoseconds(options_.patience),
                     [&] { return ends_ || sink.HasRoom(); })) {
    return absl::OkStatus();
  }
  return AddRetry(Error(absl::StatusCode::kResourceExhausted, "READER_TOO_SLOW",
                        "the worker took nothing for too long; watch again to get all that is "
                        "open"),
                  absl::Milliseconds(100));
}

bool DeliveryHub::CatchUp(Joining& joining) {
  for (auto& [tenant, number, event] : joining.missed) {
    if (!event) event = EndOf(tenant, number);  // one that was read as open is known by now
    if (event && !joining.sink->Send(*std::move(event))) return false;
  }
  v1::DeliveryEvent end;
  end.mutable_snapshot_end();
  return joining.sink->Send(std::move(end));
}

void DeliveryHub::Remove(const DeliverySink* sink) {
  const std::lock_guard lock(mutex_);
  std::erase_if(sinks_, [sink](const auto& known) { return known.get() == sink; });
}

void DeliveryHub::Poke() {
  { const std::lock_guard lock(room_mutex_); }
  room_.notify_one();
}

}  // namespace tandem::api
