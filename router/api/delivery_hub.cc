#include "router/api/delivery_hub.h"

#include <pthread.h>

#include <optional>
#include <utility>

#include "router/base/status.h"

namespace tandem::api {
namespace {

// What the change of a delivery is to those who watch; nullopt when it cannot be read. The end of
// one of which a worker has not heard means nothing to it.
std::optional<v1::DeliveryEvent> EventOf(const journal::DeliveryRow& row) {
  v1::DeliveryEvent event;
  if (row.open) {
    if (!event.mutable_open()->ParseFromString(row.body)) return std::nullopt;
  } else {
    event.mutable_ended()->set_tenant(row.tenant.value);
    event.mutable_ended()->set_delivery_id(row.body);
  }
  return event;
}

}  // namespace

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
    if (!event) continue;
    for (Joining& joining : joining_) {
      if (!joining.sink->Wants(row.tenant)) continue;
      joining.overrun = joining.overrun || joining.missed.size() >= options_.missed_max;
      if (!joining.overrun) joining.missed.push_back(*event);
    }
    std::erase_if(sinks_,
                  [&](const auto& sink) { return sink->Wants(row.tenant) && !sink->Send(*event); });
  }
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
    auto event = EventOf(row);
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
  for (v1::DeliveryEvent& event : joining.missed) {
    if (!joining.sink->Send(std::move(event))) return false;
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
