// What the context service does, in plain C++: requests in, answers or errors out.
//
// Who may call which method was judged before (router/rpc/access.h); which tenant a call may reach
// is judged here, first of all, so that another tenant's name answers as one that does not exist.
//
// Thread-safe. Every call may block on the disk, and an import on its reading: none of them belongs
// on a thread of gRPC.
#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <string_view>

#include "router/base/clock.h"
#include "router/context/import_file.h"
#include "router/rpc/caller.h"
#include "services/context/store.h"
#include "tandem/v1/context.pb.h"

namespace tandem::context {

class ContextApi {
 public:
  // Is told of each new version of a tenant, after it is durable, on the thread that made it.
  using OnChange = std::function<void(const TenantId& tenant, Version newest)>;

  // All outlive this.
  ContextApi(Store& store, const Clock& clock, const rpc::Authenticator& authenticator,
             OnChange on_change)
      : store_(store),
        clock_(clock),
        authenticator_(authenticator),
        on_change_(std::move(on_change)) {}

  // As proto/tandem/v1/context.proto says.
  absl::StatusOr<v1::Entity> PutEntity(const rpc::Caller& caller,
                                       const v1::PutEntityRequest& request);
  absl::StatusOr<v1::Entity> GetEntity(const rpc::Caller& caller,
                                       const v1::GetEntityRequest& request);
  absl::StatusOr<v1::ListEntitiesResponse> ListEntities(const rpc::Caller& caller,
                                                        const v1::ListEntitiesRequest& request);
  absl::StatusOr<v1::DeleteEntityResponse> DeleteEntity(const rpc::Caller& caller,
                                                        const v1::DeleteEntityRequest& request);
  absl::StatusOr<v1::ListHistoryResponse> ListHistory(const rpc::Caller& caller,
                                                      const v1::ListHistoryRequest& request);
  absl::StatusOr<v1::ImportEntitiesResponse> ImportEntities(
      const rpc::Caller& caller, const v1::ImportEntitiesRequest& request);

  // The tenant of a watch; what it sends is in watch.h.
  absl::StatusOr<TenantId> ResolveWatch(const rpc::Caller& caller,
                                        const v1::WatchContextRequest& request) const;

 private:
  // Of a name below a tenant, such as that of an entity.
  absl::StatusOr<TenantId> TenantOf(const rpc::Caller& caller, std::string_view name,
                                    std::string_view field) const;
  // Of a `parent`.
  absl::StatusOr<TenantId> Tenant(const rpc::Caller& caller, std::string_view name,
                                  std::string_view field) const;
  // Runs the change and tells of a new version.
  absl::StatusOr<Outcome> Change(const ChangeHeader& header,
                                 absl::FunctionRef<absl::Status(Edit&)> edit);
  absl::StatusOr<v1::Entity> Read(const TenantId& tenant, const EntityKey& key, Version at);

  Store& store_;
  const Clock& clock_;
  const rpc::Authenticator& authenticator_;
  const OnChange on_change_;
};

}  // namespace tandem::context
