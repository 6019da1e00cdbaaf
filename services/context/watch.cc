#include "services/context/watch.h"

#include <utility>

#include "router/base/status.h"
#include "services/context/stored_proto.h"

namespace tandem::context {

v1::WatchContextResponse WatchReader::Message() const {
  v1::WatchContextResponse message;
  message.set_tenant(tenant_.value);
  return message;
}

v1::WatchContextResponse WatchReader::Heartbeat() const {
  v1::WatchContextResponse message = Message();
  message.mutable_heartbeat()->set_version(sent_.value);
  return message;
}

absl::StatusOr<std::vector<v1::WatchContextResponse>> WatchReader::Next() {
  if (snapshot_) return NextPart();
  TANDEM_ASSIGN_OR_RETURN(const RevisionPage page,
                          store_.After(tenant_, {.after = sent_, .limit = {.rows = kMessagesMax}}));
  const bool known = sent_ >= page.range.oldest && sent_ <= page.range.newest;
  // Version 0 asks for a snapshot even where every revision is still there.
  if (!known || (!begun_ && !sent_)) {
    begun_ = true;
    snapshot_ = Snapshot{.at = page.range.newest, .last = {}};
    return NextPart();
  }
  begun_ = true;
  std::vector<v1::WatchContextResponse> messages;
  for (const StoredRevision& revision : page.revisions) {
    if (revision.changes.size() < revision.change_count) {
      if (!messages.empty()) break;  // First what comes before it.
      snapshot_ = Snapshot{.at = page.range.newest, .last = {}};
      return NextPart();
    }
    messages.push_back(Message());
    TANDEM_ASSIGN_OR_RETURN(*messages.back().mutable_revision(), ToProto(tenant_, revision));
    sent_ = revision.version;
  }
  return messages;
}

absl::StatusOr<std::vector<v1::WatchContextResponse>> WatchReader::NextPart() {
  TANDEM_ASSIGN_OR_RETURN(const EntityPage page,
                          store_.List(tenant_, {.at = snapshot_->at,
                                                .after = snapshot_->last,
                                                .limit = {.rows = kSnapshotEntitiesMax}}));
  snapshot_->at = page.version;  // A tenant without any version may have got its first meanwhile.
  std::vector<v1::WatchContextResponse> messages(1, Message());
  v1::ContextSnapshot& part = *messages.front().mutable_snapshot();
  part.set_version(snapshot_->at.value);
  part.set_last(!page.more);
  for (const StoredEntity& entity : page.entities) {
    TANDEM_ASSIGN_OR_RETURN(*part.add_entities(), ToProto(tenant_, entity));
  }
  if (page.more) {
    snapshot_->last = page.entities.back().key;
  } else {
    sent_ = snapshot_->at;
    snapshot_.reset();
  }
  return messages;
}

}  // namespace tandem::context
