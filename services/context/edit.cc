#include "services/context/edit.h"

#include "router/base/status.h"

namespace tandem::context {
namespace {

constexpr char kFindContent[] =
    "SELECT c.content, e.version FROM entities e JOIN changes c USING (tenant, kind, id, version) "
    "WHERE e.tenant=? AND e.kind=? AND e.id=?";
constexpr char kListKeys[] = "SELECT kind, id FROM entities WHERE tenant=? ORDER BY kind, id";
constexpr char kVisit[] =
    "SELECT e.kind, e.id, c.content FROM entities e JOIN changes c USING (tenant, kind, id, "
    "version) "
    "WHERE e.tenant=? AND instr(c.content, ?) > 0 ORDER BY e.kind, e.id";
constexpr char kInsertChange[] =
    "INSERT INTO changes (tenant, kind, id, version, content) VALUES (?, ?, ?, ?, ?)";
constexpr char kPutEntity[] =
    "INSERT INTO entities (tenant, kind, id, version) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (tenant, kind, id) DO UPDATE SET version = excluded.version";
constexpr char kDeleteEntity[] = "DELETE FROM entities WHERE tenant=? AND kind=? AND id=?";

Statement& BindKey(Statement& statement, const TenantId& tenant, const EntityKey& key) {
  return statement.BindText(tenant.value)
      .Bind(static_cast<std::uint32_t>(key.kind))
      .BindText(key.id);
}

}  // namespace

absl::StatusOr<std::optional<std::string>> Edit::Find(const EntityKey& key) {
  TANDEM_ASSIGN_OR_RETURN(Statement find, connection_.Prepare(kFindContent));
  TANDEM_ASSIGN_OR_RETURN(const bool row, BindKey(find, tenant_, key).Step());
  if (!row) return std::nullopt;
  return find.Bytes(0);
}

absl::StatusOr<Version> Edit::VersionOf(const EntityKey& key) {
  TANDEM_ASSIGN_OR_RETURN(Statement find, connection_.Prepare(kFindContent));
  TANDEM_ASSIGN_OR_RETURN(const bool row, BindKey(find, tenant_, key).Step());
  return row ? Version(find.Unsigned(1)) : Version();
}

absl::StatusOr<std::vector<EntityKey>> Edit::Keys() {
  TANDEM_ASSIGN_OR_RETURN(Statement list, connection_.Prepare(kListKeys));
  list.BindText(tenant_.value);
  std::vector<EntityKey> keys;
  while (true) {
    TANDEM_ASSIGN_OR_RETURN(const bool row, list.Step());
    if (!row) return keys;
    keys.push_back({static_cast<EntityKind>(list.Int(0)), list.Bytes(1)});
  }
}

absl::Status Edit::Visit(
    std::string_view bytes,
    absl::FunctionRef<absl::StatusOr<bool>(const EntityKey& key, std::string_view content)> see) {
  TANDEM_ASSIGN_OR_RETURN(Statement visit, connection_.Prepare(kVisit));
  visit.BindText(tenant_.value).BindBlob(bytes);
  while (true) {
    TANDEM_ASSIGN_OR_RETURN(const bool row, visit.Step());
    if (!row) return absl::OkStatus();
    const EntityKey key{static_cast<EntityKind>(visit.Int(0)), visit.Bytes(1)};
    TANDEM_ASSIGN_OR_RETURN(const bool more, see(key, visit.Bytes(2)));
    if (!more) return absl::OkStatus();
  }
}

absl::Status Edit::Put(const EntityKey& key, std::string_view content) {
  TANDEM_ASSIGN_OR_RETURN(const std::optional<std::string> before, Find(key));
  if (before == content) {
    ++outcome_.unchanged;
    return absl::OkStatus();
  }
  TANDEM_RETURN_IF_ERROR(Record(key, content));
  TANDEM_ASSIGN_OR_RETURN(Statement put, connection_.Prepare(kPutEntity));
  TANDEM_RETURN_IF_ERROR(BindKey(put, tenant_, key).Bind(version_.value).Run());
  ++(before ? outcome_.updated : outcome_.created);
  return absl::OkStatus();
}

absl::Status Edit::Delete(const EntityKey& key) {
  TANDEM_ASSIGN_OR_RETURN(const std::optional<std::string> before, Find(key));
  if (!before) return absl::OkStatus();
  TANDEM_RETURN_IF_ERROR(Record(key, std::nullopt));
  TANDEM_ASSIGN_OR_RETURN(Statement erase, connection_.Prepare(kDeleteEntity));
  TANDEM_RETURN_IF_ERROR(BindKey(erase, tenant_, key).Run());
  ++outcome_.deleted;
  return absl::OkStatus();
}

absl::Status Edit::Record(const EntityKey& key, const std::optional<std::string_view>& content) {
  TANDEM_ASSIGN_OR_RETURN(Statement insert, connection_.Prepare(kInsertChange));
  BindKey(insert, tenant_, key).Bind(version_.value);
  content ? insert.BindBlob(*content) : insert.BindNull();
  return insert.Run();
}

}  // namespace tandem::context
