#include "services/context/service.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "router/base/check.h"
#include "router/base/status.h"
#include "router/base/text.h"
#include "router/context/content.h"
#include "router/context/import_csv.h"
#include "router/context/import_yaml.h"
#include "router/context/validate.h"
#include "services/context/dangling.h"
#include "services/context/near_columns.h"
#include "services/context/page_token.h"
#include "services/context/stored_proto.h"
#include "services/context/update_mask.h"

namespace tandem::context {
namespace {

// SHA-256 of who asks what.
std::string RequestDigest(std::string_view method, const rpc::Caller& caller,
                          const google::protobuf::MessageLite& request) {
  std::string bytes = fmt::format("{} {} ", method, caller.principal);
  bytes += DeterministicBytes(request);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  TANDEM_CHECK(
      EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1,
      "SHA-256 is there");
  return {digest.begin(), digest.begin() + size};
}

// The parts that every change has. Checks comment and request_id.
template <typename Request>
absl::StatusOr<ChangeHeader> HeaderOf(std::string_view method, const rpc::Caller& caller,
                                      const TenantId& tenant, const Request& request,
                                      absl::Time now) {
  TANDEM_RETURN_IF_ERROR(CheckComment(request.comment()));
  TANDEM_RETURN_IF_ERROR(CheckRequestId(request.request_id()));
  ChangeHeader header{.tenant = tenant,
                      .author = {caller.principal, caller.side},
                      .comment = request.comment(),
                      .now = now,
                      .request_id = request.request_id()};
  if (!header.request_id.empty()) header.request_digest = RequestDigest(method, caller, request);
  return header;
}

absl::Status EntityNotFound(const TenantId& tenant, const EntityKey& key, std::string_view more) {
  return AddFact(Error(absl::StatusCode::kNotFound, "ENTITY_NOT_FOUND",
                       fmt::format("{} does not exist{}", EntityName(tenant, key), more)),
                 "entity", EntityName(tenant, key));
}

struct PageSizes {
  int when_zero = 0;
  int max = 0;
};
absl::StatusOr<std::size_t> PageSize(int asked, PageSizes sizes) {
  if (asked < 0) {
    return InvalidField(
        "PAGE_SIZE_INVALID", "page_size",
        fmt::format("is {}; expected 1 to {}, or 0 for {}", asked, sizes.max, sizes.when_zero));
  }
  return static_cast<std::size_t>(asked == 0 ? sizes.when_zero : std::min(asked, sizes.max));
}

absl::StatusOr<ImportedFile> ReadFile(const v1::ImportEntitiesRequest& request) {
  if (request.content().size() > kImportBytesMax) {
    return InvalidField(
        "IMPORT_TOO_LARGE", "content",
        fmt::format("has {} bytes; expected at most {}: import it in parts, without "
                    "replace_all",
                    request.content().size(), kImportBytesMax));
  }
  switch (request.format()) {
    case v1::ImportEntitiesRequest::YAML:
      return ReadYaml(request.content());
    case v1::ImportEntitiesRequest::CSV:
      return ReadCsv(request.content());
    default:
      return InvalidField(
          "FORMAT_INVALID", "format",
          fmt::format("is {}; expected YAML or CSV", static_cast<int>(request.format())));
  }
}

// What a format cannot say stays as it is.
absl::StatusOr<std::string> KeepUnsaid(Edit& edit, const ImportedEntity& imported) {
  TANDEM_ASSIGN_OR_RETURN(const auto before, edit.Find(imported.key));
  if (!before) return imported.content;
  TANDEM_ASSIGN_OR_RETURN(v1::Entity old, UnpackContent(*before));
  if (old.calendars().empty() && old.matchers().empty()) return imported.content;
  TANDEM_ASSIGN_OR_RETURN(v1::Entity entity, UnpackContent(imported.content));
  entity.mutable_calendars()->swap(*old.mutable_calendars());
  entity.mutable_matchers()->Swap(old.mutable_matchers());
  const std::vector<FieldError> problems = CheckEntity(entity);
  if (!problems.empty()) {
    return Refuse("IMPORT_INVALID", fmt::format("{}.", ToText(imported.key)), problems);
  }
  return PackContent(entity);
}

// Of more than kWarningsMax, only the number is told.
void AddWarning(const v1::ContextWarning& warning, v1::ImportEntitiesResponse& response) {
  const auto told = static_cast<std::size_t>(response.warnings_size());
  if (told < DanglingRelations::kWarningsMax) *response.add_warnings() = warning;
}

absl::Status LookAtColumns(Edit& edit, const ImportedFile& file,
                           v1::ImportEntitiesResponse& response) {
  TANDEM_ASSIGN_OR_RETURN(const auto warnings, NearColumns(edit, file.attribute_columns));
  for (const v1::ContextWarning& warning : warnings) AddWarning(warning, response);
  response.set_warning_count(static_cast<std::uint32_t>(warnings.size()));
  return absl::OkStatus();
}

// Once all of the file is in, for it may name what comes later in it.
absl::Status LookAtRelations(Edit& edit, const ImportedFile& file,
                             v1::ImportEntitiesResponse& response) {
  DanglingRelations dangling(edit);
  for (const ImportedEntity& entity : file.entities) {
    TANDEM_ASSIGN_OR_RETURN(const v1::Entity content, UnpackContent(entity.content));
    TANDEM_RETURN_IF_ERROR(dangling.Look(entity.key, content));
  }
  for (const v1::ContextWarning& warning : dangling.warnings()) AddWarning(warning, response);
  response.set_warning_count(response.warning_count() + dangling.count());
  return absl::OkStatus();
}

absl::Status Import(Edit& edit, const ImportedFile& file, bool replace_all) {
  for (const ImportedEntity& entity : file.entities) {
    if (file.states_all) {
      TANDEM_RETURN_IF_ERROR(edit.Put(entity.key, entity.content));
    } else {
      TANDEM_ASSIGN_OR_RETURN(const std::string content, KeepUnsaid(edit, entity));
      TANDEM_RETURN_IF_ERROR(edit.Put(entity.key, content));
    }
  }
  if (!replace_all) return absl::OkStatus();
  std::vector<EntityKey> named;
  for (const ImportedEntity& entity : file.entities) named.push_back(entity.key);
  std::sort(named.begin(), named.end());
  TANDEM_ASSIGN_OR_RETURN(const std::vector<EntityKey> keys, edit.Keys());
  for (const EntityKey& key : keys) {
    if (std::binary_search(named.begin(), named.end(), key)) continue;
    TANDEM_RETURN_IF_ERROR(edit.Delete(key));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TenantId> ContextApi::Tenant(const rpc::Caller& caller, std::string_view name,
                                            std::string_view field) const {
  return rpc::ResolveTenant(caller, authenticator_, name, field);
}

absl::StatusOr<TenantId> ContextApi::TenantOf(const rpc::Caller& caller, std::string_view name,
                                              std::string_view field) const {
  return rpc::ResolveTenantOf(caller, authenticator_, name, field);
}

absl::StatusOr<Outcome> ContextApi::Change(const ChangeHeader& header,
                                           absl::FunctionRef<absl::Status(Edit&)> edit) {
  TANDEM_ASSIGN_OR_RETURN(const Outcome outcome, store_.Change(header, edit));
  // A repeat may tell of an old version, and a change without effect of one that is known; the
  // watches ask the store what is new.
  if (!outcome.repeated && !header.check_only) on_change_(header.tenant, outcome.version);
  return outcome;
}

absl::StatusOr<v1::Entity> ContextApi::Read(const TenantId& tenant, const EntityKey& key,
                                            Version at) {
  TANDEM_ASSIGN_OR_RETURN(const auto found, store_.Find(tenant, key, at));
  if (found) return ToProto(tenant, *found);
  return EntityNotFound(tenant, key, at ? fmt::format(" in version {}", at.value) : "");
}

absl::StatusOr<v1::Entity> ContextApi::PutEntity(const rpc::Caller& caller,
                                                 const v1::PutEntityRequest& request) {
  const v1::Entity& entity = request.entity();
  TANDEM_ASSIGN_OR_RETURN(const TenantId tenant, TenantOf(caller, entity.name(), "entity.name"));
  TANDEM_ASSIGN_OR_RETURN(const EntityKey key, ParseEntityName(entity.name(), "entity.name"));
  TANDEM_ASSIGN_OR_RETURN(const UpdateMask mask, UpdateMask::Read(request.update_mask()));
  TANDEM_ASSIGN_OR_RETURN(const ChangeHeader header,
                          HeaderOf("PutEntity", caller, tenant, request, clock_.Now()));
  std::vector<v1::ContextWarning> warnings;
  const auto edit = [&](Edit& change) -> absl::Status {
    v1::Entity wanted = entity;
    if (!mask.all()) {
      TANDEM_ASSIGN_OR_RETURN(const auto before, change.Find(key));
      if (!before) {
        return EntityNotFound(tenant, key, "; to create it, send all of it without update_mask");
      }
      TANDEM_ASSIGN_OR_RETURN(wanted, UnpackContent(*before));
      mask.Apply(entity, wanted);
    }
    const std::vector<FieldError> problems = CheckEntity(wanted);
    if (!problems.empty()) return Refuse("ENTITY_INVALID", "entity.", problems);
    TANDEM_RETURN_IF_ERROR(change.Put(key, PackContent(wanted)));
    DanglingRelations dangling(change);
    TANDEM_RETURN_IF_ERROR(dangling.Look(key, wanted));
    warnings = dangling.warnings();
    return absl::OkStatus();
  };
  TANDEM_ASSIGN_OR_RETURN(const Outcome outcome, Change(header, edit));
  TANDEM_ASSIGN_OR_RETURN(v1::Entity after, Read(tenant, key, outcome.version));
  for (v1::ContextWarning& warning : warnings) *after.add_warnings() = std::move(warning);
  return after;
}

absl::StatusOr<v1::Entity> ContextApi::GetEntity(const rpc::Caller& caller,
                                                 const v1::GetEntityRequest& request) {
  TANDEM_ASSIGN_OR_RETURN(const TenantId tenant, TenantOf(caller, request.name(), "name"));
  TANDEM_ASSIGN_OR_RETURN(const EntityKey key, ParseEntityName(request.name(), "name"));
  return Read(tenant, key, Version(request.version()));
}

absl::StatusOr<v1::ListEntitiesResponse> ContextApi::ListEntities(
    const rpc::Caller& caller, const v1::ListEntitiesRequest& request) {
  TANDEM_ASSIGN_OR_RETURN(const TenantId tenant, Tenant(caller, request.parent(), "parent"));
  TANDEM_ASSIGN_OR_RETURN(const std::size_t rows,
                          PageSize(request.page_size(), {.when_zero = 100, .max = 1000}));
  Store::ListQuery query{.kind = ParseEntityKind(request.kind()), .limit = {.rows = rows}};
  if (!request.kind().empty() && !query.kind) {
    return InvalidField("KIND_INVALID", "kind", NoSuchKind(request.kind()));
  }
  const std::string bound = fmt::format("list {} {}", tenant.value, request.kind());
  TANDEM_ASSIGN_OR_RETURN(const auto position, ReadPageToken(bound, request.page_token()));
  // All pages show the version of the first.
  if (position) {
    query.at = position->version;
    query.after = position->last;
  }
  TANDEM_ASSIGN_OR_RETURN(const EntityPage page, store_.List(tenant, query));

  v1::ListEntitiesResponse response;
  response.set_version(page.version.value);
  for (const StoredEntity& entity : page.entities) {
    TANDEM_ASSIGN_OR_RETURN(*response.add_entities(), ToProto(tenant, entity));
  }
  if (page.more) {
    response.set_next_page_token(
        MakePageToken(bound, {.version = page.version, .last = page.entities.back().key}));
  }
  return response;
}

absl::StatusOr<v1::DeleteEntityResponse> ContextApi::DeleteEntity(
    const rpc::Caller& caller, const v1::DeleteEntityRequest& request) {
  TANDEM_ASSIGN_OR_RETURN(const TenantId tenant, TenantOf(caller, request.name(), "name"));
  TANDEM_ASSIGN_OR_RETURN(const EntityKey key, ParseEntityName(request.name(), "name"));
  TANDEM_ASSIGN_OR_RETURN(const ChangeHeader header,
                          HeaderOf("DeleteEntity", caller, tenant, request, clock_.Now()));
  v1::DeleteEntityResponse response;
  const auto edit = [&](Edit& change) -> absl::Status {
    TANDEM_ASSIGN_OR_RETURN(const auto before, change.Find(key));
    if (!before) return EntityNotFound(tenant, key, "");
    TANDEM_RETURN_IF_ERROR(change.Delete(key));
    DanglingRelations dangling(change);
    TANDEM_RETURN_IF_ERROR(dangling.LookForRelationsTo(key));
    for (const v1::ContextWarning& warning : dangling.warnings()) {
      *response.add_warnings() = warning;
    }
    response.set_warning_count(dangling.count());
    return absl::OkStatus();
  };
  TANDEM_ASSIGN_OR_RETURN(const Outcome outcome, Change(header, edit));
  response.set_version(outcome.version.value);
  return response;
}

absl::StatusOr<v1::ListHistoryResponse> ContextApi::ListHistory(
    const rpc::Caller& caller, const v1::ListHistoryRequest& request) {
  TANDEM_ASSIGN_OR_RETURN(const TenantId tenant, TenantOf(caller, request.parent(), "parent"));
  TANDEM_ASSIGN_OR_RETURN(const std::size_t rows,
                          PageSize(request.page_size(), {.when_zero = 50, .max = 500}));
  Store::HistoryQuery query{.limit = {.rows = rows}};
  if (std::count(request.parent().begin(), request.parent().end(), '/') > 1) {
    TANDEM_ASSIGN_OR_RETURN(query.entity, ParseEntityName(request.parent(), "parent"));
  }
  const std::string bound = fmt::format("history {} {}", tenant.value,
                                        query.entity ? ToText(*query.entity) : std::string());
  TANDEM_ASSIGN_OR_RETURN(const auto position, ReadPageToken(bound, request.page_token()));
  if (position) query.before = position->version;
  TANDEM_ASSIGN_OR_RETURN(const RevisionPage page, store_.History(tenant, query));
  if (query.entity && page.revisions.empty() && !position) {
    // It may be there and not have changed for as long as history is kept.
    TANDEM_RETURN_IF_ERROR(Read(tenant, *query.entity, Version()).status());
  }

  v1::ListHistoryResponse response;
  for (const StoredRevision& revision : page.revisions) {
    TANDEM_ASSIGN_OR_RETURN(*response.add_revisions(), ToProto(tenant, revision));
  }
  if (page.more) {
    response.set_next_page_token(
        MakePageToken(bound, {.version = page.revisions.back().version, .last = {}}));
  }
  return response;
}

absl::StatusOr<v1::ImportEntitiesResponse> ContextApi::ImportEntities(
    const rpc::Caller& caller, const v1::ImportEntitiesRequest& request) {
  TANDEM_ASSIGN_OR_RETURN(const TenantId tenant, Tenant(caller, request.parent(), "parent"));
  TANDEM_ASSIGN_OR_RETURN(ChangeHeader header,
                          HeaderOf("ImportEntities", caller, tenant, request, clock_.Now()));
  TANDEM_ASSIGN_OR_RETURN(const ImportedFile file, ReadFile(request));
  header.check_only = request.validate_only();
  if (header.check_only) header.request_id.clear();
  v1::ImportEntitiesResponse response;
  const auto edit = [&](Edit& change) -> absl::Status {
    TANDEM_RETURN_IF_ERROR(LookAtColumns(change, file, response));
    TANDEM_RETURN_IF_ERROR(Import(change, file, request.replace_all()));
    return LookAtRelations(change, file, response);
  };
  TANDEM_ASSIGN_OR_RETURN(const Outcome outcome, Change(header, edit));
  response.set_version(outcome.version.value);
  response.set_created(outcome.created);
  response.set_updated(outcome.updated);
  response.set_unchanged(outcome.unchanged);
  response.set_deleted(outcome.deleted);
  return response;
}

absl::StatusOr<TenantId> ContextApi::ResolveWatch(const rpc::Caller& caller,
                                                  const v1::WatchContextRequest& request) const {
  return Tenant(caller, request.parent(), "parent");
}

}  // namespace tandem::context
