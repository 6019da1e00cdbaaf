#include "services/context/stored_proto.h"

#include "router/base/status.h"
#include "router/context/content.h"

namespace tandem::context {
namespace {

void SetTime(absl::Time time, google::protobuf::Timestamp& out) {
  const std::int64_t micros = absl::ToUnixMicros(time);
  out.set_seconds(micros / 1'000'000);
  out.set_nanos(static_cast<std::int32_t>(micros % 1'000'000) * 1'000);
}

void SetAuthor(const Author& author, v1::Actor& out) {
  out.set_principal(author.principal);
  out.set_side(static_cast<v1::Side>(author.side));
}

}  // namespace

absl::StatusOr<v1::Entity> ToProto(const TenantId& tenant, const StoredEntity& stored) {
  TANDEM_ASSIGN_OR_RETURN(v1::Entity entity, UnpackContent(stored.content));
  entity.set_name(EntityName(tenant, stored.key));
  entity.set_version(stored.version.value);
  SetTime(stored.time, *entity.mutable_update_time());
  SetAuthor(stored.author, *entity.mutable_author());
  return entity;
}

absl::StatusOr<v1::ContextRevision> ToProto(const TenantId& tenant, const StoredRevision& stored) {
  v1::ContextRevision revision;
  revision.set_version(stored.version.value);
  SetTime(stored.time, *revision.mutable_time());
  SetAuthor(stored.author, *revision.mutable_author());
  revision.set_comment(stored.comment);
  revision.set_change_count(stored.change_count);
  for (const StoredRevision::Change& change : stored.changes) {
    v1::EntityChange& out = *revision.add_changes();
    out.set_name(EntityName(tenant, change.key));
    if (!change.content) continue;
    TANDEM_ASSIGN_OR_RETURN(*out.mutable_after(),
                            ToProto(tenant, StoredEntity{.key = change.key,
                                                         .version = stored.version,
                                                         .time = stored.time,
                                                         .author = stored.author,
                                                         .content = *change.content}));
  }
  return revision;
}

}  // namespace tandem::context
