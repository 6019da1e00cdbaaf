// What a subscriber of the feed is sent, serialized once for all who get it.
//
// A message is a v1::FeedEvent in two parts: the body, shared by everybody, and the cursor, which
// is each one's own. On the wire they stand one behind the other: protobuf reads concatenated
// messages as one (protobuf.dev/programming-guides/encoding).
#pragma once

#include <google/protobuf/arena.h>

#include <cstddef>
#include <memory>
#include <string>

#include "router/api/alerts_view.h"
#include "router/journal/journal.h"
#include "tandem/journal/v1/journal.pb.h"
#include "tandem/v1/feed.pb.h"

namespace tandem::api {

struct FeedMessage {
  std::shared_ptr<const std::string> body;
  std::string cursor_field;  // v1::FeedEvent.cursor with its tag

  std::size_t size() const { return body->size() + cursor_field.size(); }
  v1::FeedEvent Parse() const;
};

FeedMessage MakeMessage(std::shared_ptr<const std::string> body, const std::string& cursor);

// An event on its way to those who watch. One thread at a time.
class FeedItem {
 public:
  // Alerts in one event, by number and by bytes; what is above is left out.
  struct Limits {
    int alerts_max = 0;
    std::size_t alert_bytes_max = 0;
  };

  // `arena` and `row` outlive the item.
  FeedItem(const journal::EventRow& row, google::protobuf::Arena* arena);

  // False when the row cannot be read: then nobody can be told.
  bool is_readable() const { return readable_; }
  // REQUIRES: is_readable(), as all below.
  const v1::Incident& incident() const { return stored_->incident(); }
  // Made when first asked for.
  std::shared_ptr<const std::string> Body();
  std::shared_ptr<const std::string> BodyWithAlerts(AlertsView& alerts, const Limits& limits);

 private:
  const journal::EventRow& row_;
  google::protobuf::Arena* arena_;
  journal::v1::Event* stored_;
  bool readable_;
  std::shared_ptr<const std::string> body_;
  std::shared_ptr<const std::string> with_alerts_;
};

}  // namespace tandem::api
