#include "router/api/feed_message.h"

#include <algorithm>
#include <utility>

#include "router/base/check.h"
#include "router/codec/convert.h"

namespace tandem::api {
namespace {

using google::protobuf::Arena;

}  // namespace

FeedMessage MakeMessage(std::shared_ptr<const std::string> body, const std::string& cursor) {
  v1::FeedEvent only_cursor;
  only_cursor.set_cursor(cursor);
  return {std::move(body), only_cursor.SerializeAsString()};
}

v1::FeedEvent FeedMessage::Parse() const {
  v1::FeedEvent event;
  TANDEM_CHECK(event.ParseFromString(*body + cursor_field), "we have serialized it ourselves");
  return event;
}

FeedItem::FeedItem(const journal::EventRow& row, Arena* arena)
    : row_(row),
      arena_(arena),
      stored_(Arena::CreateMessage<journal::v1::Event>(arena)),
      readable_(stored_->ParseFromString(row.body)) {}

std::shared_ptr<const std::string> FeedItem::Body() {
  if (body_ != nullptr) return body_;
  auto* event = Arena::CreateMessage<v1::FeedEvent>(arena_);
  event->set_tenant(row_.tenant.value);
  event->set_sequence(row_.sequence.value);
  codec::PutTime(stored_->time(), event->mutable_time());
  // Lent, not copied.
  event->unsafe_arena_set_allocated_incident(stored_->mutable_incident());
  event->mutable_entries()->Swap(stored_->mutable_entries());
  body_ = std::make_shared<const std::string>(event->SerializeAsString());
  event->unsafe_arena_release_incident();
  return body_;
}

std::shared_ptr<const std::string> FeedItem::BodyWithAlerts(AlertsView& alerts,
                                                            const Limits& limits) {
  if (with_alerts_ != nullptr) return with_alerts_;
  auto* event = Arena::CreateMessage<v1::FeedEvent>(arena_);
  std::size_t bytes = 0;
  for (int i = 0; i < std::min(stored_->alerts_size(), limits.alerts_max); ++i) {
    v1::IncidentAlert* alert = event->add_alerts();
    // An alert that cannot be read back comes without labels; its count is right all the same.
    alerts.Fill(row_.tenant, row_.sequence, stored_->alerts(i), alert).IgnoreError();
    bytes += alert->ByteSizeLong();
    if (bytes > limits.alert_bytes_max) {
      event->mutable_alerts()->RemoveLast();
      break;
    }
  }
  auto whole = std::make_shared<std::string>(*Body());
  event->AppendToString(whole.get());
  with_alerts_ = std::move(whole);
  return with_alerts_;
}

}  // namespace tandem::api
