// Forgetting: versions that nobody may ask for any more, and requests that nobody may repeat.
#include <string>
#include <vector>

#include "router/base/status.h"
#include "services/context/store.h"

namespace tandem::context {
namespace {

constexpr char kTenants[] = "SELECT tenant FROM heads ORDER BY tenant";
// The newest version that was already there at the given time: the state at that time.
constexpr char kVersionAt[] = "SELECT max(version) FROM revisions WHERE tenant=? AND time<?";
constexpr char kDropReplaced[] =
    "DELETE FROM changes WHERE tenant=?1 AND version<=?2 AND EXISTS (SELECT 1 FROM changes newer "
    "WHERE newer.tenant=changes.tenant AND newer.kind=changes.kind AND newer.id=changes.id "
    "AND newer.version>changes.version AND newer.version<=?2)";
constexpr char kDropTombstones[] =
    "DELETE FROM changes WHERE tenant=? AND version<=? AND content IS NULL";
// A revision stays while an entity still shows it as its author.
constexpr char kDropRevisions[] =
    "DELETE FROM revisions WHERE tenant=? AND version<=? AND NOT EXISTS (SELECT 1 FROM changes c "
    "WHERE c.tenant=revisions.tenant AND c.version=revisions.version)";
constexpr char kRaiseOldest[] = "UPDATE heads SET oldest=max(oldest, ?2) WHERE tenant=?1";
constexpr char kForgetRequests[] = "DELETE FROM requests WHERE tenant=? AND time<=?";
constexpr char kCountForgotten[] = "UPDATE heads SET remembered=remembered-? WHERE tenant=?";

absl::StatusOr<std::vector<std::string>> Tenants(Connection& connection) {
  TANDEM_ASSIGN_OR_RETURN(Statement list, connection.Prepare(kTenants));
  std::vector<std::string> tenants;
  while (true) {
    TANDEM_ASSIGN_OR_RETURN(const bool row, list.Step());
    if (!row) return tenants;
    tenants.push_back(list.Bytes(0));
  }
}

absl::Status DropVersions(Connection& connection, const std::string& tenant, absl::Time before) {
  std::uint64_t oldest = 0;
  {
    TANDEM_ASSIGN_OR_RETURN(Statement find, connection.Prepare(kVersionAt));
    find.BindText(tenant).Bind(absl::ToUnixMicros(before));
    TANDEM_RETURN_IF_ERROR(find.Step().status());
    oldest = find.Unsigned(0);  // NULL reads as 0: nothing is that old
  }
  if (oldest == 0) return absl::OkStatus();
  for (const char* sql : {kDropReplaced, kDropTombstones, kDropRevisions, kRaiseOldest}) {
    TANDEM_ASSIGN_OR_RETURN(Statement statement, connection.Prepare(sql));
    TANDEM_RETURN_IF_ERROR(statement.BindText(tenant).Bind(oldest).Run());
  }
  return absl::OkStatus();
}

absl::Status ForgetRequests(Connection& connection, const std::string& tenant, absl::Time now) {
  TANDEM_ASSIGN_OR_RETURN(Statement forget, connection.Prepare(kForgetRequests));
  TANDEM_RETURN_IF_ERROR(
      forget.BindText(tenant).Bind(absl::ToUnixMicros(now - kRequestMemory)).Run());
  const std::int64_t forgotten = connection.Changes();
  TANDEM_ASSIGN_OR_RETURN(Statement count, connection.Prepare(kCountForgotten));
  return count.Bind(forgotten).BindText(tenant).Run();
}

}  // namespace

absl::Status Store::Prune(absl::Time history_before, absl::Time now) {
  TANDEM_ASSIGN_OR_RETURN(auto reader, TakeReader());
  const absl::StatusOr<std::vector<std::string>> tenants = Tenants(*reader);
  ReturnReader(std::move(reader));
  TANDEM_RETURN_IF_ERROR(tenants.status());
  // A transaction for each tenant, so that changes get in between.
  for (const std::string& tenant : *tenants) {
    std::lock_guard lock(write_mutex_);
    if (failed_) return absl::OkStatus();
    TANDEM_ASSIGN_OR_RETURN(Transaction transaction,
                            Transaction::Begin(*writer_, Transaction::Kind::kWrite));
    absl::Status done = DropVersions(*writer_, tenant, history_before);
    if (done.ok()) done = ForgetRequests(*writer_, tenant, now);
    if (done.ok()) done = transaction.Commit();
    if (!done.ok()) return NoteFailure(std::move(done));
  }
  return absl::OkStatus();
}

}  // namespace tandem::context
