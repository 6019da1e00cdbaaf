#include "services/runtime/remote_authenticator.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "router/base/status.h"
#include "router/rpc/grpc_status.h"
#include "router/rpc/server.h"
#include "router/rpc/token.h"
#include "services/runtime/logging.h"

namespace tandem::runtime {
namespace {

constexpr absl::Duration kKeep = absl::Seconds(1);
constexpr std::chrono::seconds kAskDeadline{2};
constexpr std::size_t kKnownMax = 10'000;  // tokens × ~300 B ≈ 3 MB; beyond it none is kept
constexpr std::size_t kTenantsMax = 10'000;
constexpr std::string_view kTenants = "tenants/";

void Prepare(grpc::ClientContext& context, std::string_view token) {
  context.set_deadline(std::chrono::system_clock::now() + kAskDeadline);
  context.AddMetadata(rpc::kAuthorizationKey, fmt::format("Bearer {}", token));
}

absl::StatusOr<rpc::Caller> CallerOf(const v1::WhoAmIResponse& response) {
  const v1::Principal& principal = response.principal();
  if (principal.role() < v1::VIEWER || principal.role() > v1::SERVICE) {
    return Error(absl::StatusCode::kUnauthenticated, "TOKEN_INVALID",
                 "the router names a role that this version does not know; update it");
  }
  rpc::Caller caller;
  caller.principal = principal.id();
  caller.side = static_cast<Side>(principal.side());
  caller.role = static_cast<rpc::Role>(principal.role());
  caller.token_id = response.token_id();
  for (const std::string& name : principal.tenants()) {
    if (name == "tenants/-") {
      caller.all_tenants = true;
    } else if (name.compare(0, kTenants.size(), kTenants) == 0) {
      caller.tenants.emplace_back(name.substr(kTenants.size()));
    }
  }
  std::sort(caller.tenants.begin(), caller.tenants.end());
  return caller;
}

}  // namespace

RemoteAuthenticator::RemoteAuthenticator(std::shared_ptr<grpc::Channel> router, Secret token,
                                         const Clock& clock)
    : stub_(v1::Admin::NewStub(std::move(router))), token_(std::move(token)), clock_(clock) {}

absl::StatusOr<rpc::Caller> RemoteAuthenticator::Authenticate(std::string_view token,
                                                              absl::Time now) const {
  TANDEM_RETURN_IF_ERROR(rpc::TokenIdOf(token).status());
  std::string digest = rpc::Sha256Hex(token);
  {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(digest);
    if (found != known_.end() && now < found->second.until) return found->second.answer;
  }
  absl::StatusOr<rpc::Caller> answer = Ask(token);
  const bool settled = answer.ok() || answer.status().code() == absl::StatusCode::kUnauthenticated;
  // From before the question: the answer may be as old as that.
  if (settled) Keep(std::move(digest), {answer, now + kKeep}, now);
  return answer;
}

bool RemoteAuthenticator::TenantExists(const TenantId& tenant) const {
  const absl::Time now = clock_.Now();
  {
    const std::lock_guard lock(mutex_);
    if (now < tenants_until_) return tenants_.count(tenant) != 0;
  }
  absl::StatusOr<std::set<TenantId>> tenants = AskTenants();
  if (!tenants.ok()) {
    const std::string error = MessageOf(tenants.status());
    Log(LogLevel::kWarn, "the router does not say which tenants there are", {{"error", error}});
    return false;
  }
  const bool exists = tenants->count(tenant) != 0;
  const std::lock_guard lock(mutex_);
  tenants_ = *std::move(tenants);
  tenants_until_ = now + kKeep;
  return exists;
}

absl::StatusOr<rpc::Caller> RemoteAuthenticator::Ask(std::string_view token) const {
  grpc::ClientContext context;
  Prepare(context, token);
  v1::WhoAmIResponse response;
  const absl::Status status = rpc::FromGrpc(stub_->WhoAmI(&context, {}, &response));
  if (status.ok()) return CallerOf(response);
  if (status.code() == absl::StatusCode::kUnauthenticated) return status;
  return AddRetry(Error(absl::StatusCode::kUnavailable, "ROUTER_UNREACHABLE",
                        "the router, which knows the callers, does not answer; try again"),
                  absl::Seconds(1));
}

absl::StatusOr<std::set<TenantId>> RemoteAuthenticator::AskTenants() const {
  std::set<TenantId> tenants;
  v1::ListTenantsRequest request;
  request.set_page_size(1000);
  do {
    grpc::ClientContext context;
    Prepare(context, token_.Reveal());
    v1::ListTenantsResponse response;
    TANDEM_RETURN_IF_ERROR(rpc::FromGrpc(stub_->ListTenants(&context, request, &response)));
    for (const v1::Tenant& tenant : response.tenants()) {
      if (tenant.name().compare(0, kTenants.size(), kTenants) == 0) {
        tenants.emplace(tenant.name().substr(kTenants.size()));
      }
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty() && tenants.size() < kTenantsMax);
  return tenants;
}

void RemoteAuthenticator::Keep(std::string digest, Known known, absl::Time now) const {
  const std::lock_guard lock(mutex_);
  if (known_.size() >= kKnownMax) {
    for (auto it = known_.begin(); it != known_.end();) {
      it = it->second.until <= now ? known_.erase(it) : std::next(it);
    }
  }
  if (known_.size() < kKnownMax) known_.insert_or_assign(std::move(digest), std::move(known));
}

}  // namespace tandem::runtime
