#include <absl/time/time.h>

#include "router/base/status.h"
#include "router/codec/convert.h"
#include "router/codec/record.h"

namespace tandem::codec {
namespace {

struct ChangeEncoder {
  stored::Installation* to;

  void operator()(const core::TenantCreated& fact) const {
    auto* out = to->mutable_tenant_created();
    out->set_tenant(fact.tenant.value);
    out->set_display_name(fact.display_name);
    out->set_created(absl::ToUnixMicros(fact.created));
  }
  void operator()(const core::PrincipalPut& fact) const {
    auto* out = to->mutable_principal_put();
    out->set_id(fact.id);
    out->set_display_name(fact.display_name);
    out->set_side(static_cast<std::uint32_t>(fact.side));
    out->set_role(static_cast<std::uint32_t>(fact.role));
    out->set_all_tenants(fact.all_tenants);
    for (const TenantId& tenant : fact.tenants) out->add_tenants(tenant.value);
  }
  void operator()(const core::TokenCreated& fact) const {
    auto* out = to->mutable_token_created();
    out->set_id(fact.id);
    out->set_secret_hash(fact.secret_hash);
    out->set_principal(fact.principal);
    out->set_created(absl::ToUnixMicros(fact.created));
    if (fact.expires != absl::InfiniteFuture()) out->set_expires(absl::ToUnixMicros(fact.expires));
  }
  void operator()(const core::TokenRevoked& fact) const {
    to->mutable_token_revoked()->set_id(fact.id);
  }
};

}  // namespace

std::string EncodeInstallation(const core::InstallationInput& input) {
  stored::Record record;
  record.set_core_version(kCoreVersion);
  Put(input.actor, record.mutable_installation()->mutable_actor());
  std::visit(ChangeEncoder{record.mutable_installation()}, input.wanted);
  record.mutable_installation()->set_request_id(input.request_id);
  return record.SerializeAsString();
}

absl::StatusOr<core::InstallationInput> DecodeInstallation(std::string_view body) {
  stored::Record record;
  if (!record.ParseFromArray(body.data(), static_cast<int>(body.size())) ||
      !record.has_installation()) {
    return Error(absl::StatusCode::kDataLoss, "RECORD_MALFORMED",
                 "the record is no change of the installation");
  }
  const stored::Installation& from = record.installation();
  core::InstallationInput input{.actor = Get(from.actor()), .request_id = from.request_id()};
  switch (from.change_case()) {
    case stored::Installation::kTenantCreated: {
      const auto& f = from.tenant_created();
      input.wanted = core::TenantCreated{TenantId(f.tenant()), f.display_name(),
                                         absl::FromUnixMicros(f.created())};
      return input;
    }
    case stored::Installation::kPrincipalPut: {
      const auto& f = from.principal_put();
      core::PrincipalPut put{.id = f.id(),
                             .display_name = f.display_name(),
                             .side = static_cast<Side>(f.side()),
                             .role = static_cast<core::PrincipalRole>(f.role()),
                             .all_tenants = f.all_tenants()};
      for (const std::string& tenant : f.tenants()) put.tenants.emplace_back(tenant);
      input.wanted = std::move(put);
      return input;
    }
    case stored::Installation::kTokenCreated: {
      const auto& f = from.token_created();
      input.wanted = core::TokenCreated{
          .id = f.id(),
          .secret_hash = f.secret_hash(),
          .principal = f.principal(),
          .created = absl::FromUnixMicros(f.created()),
          .expires = f.has_expires() ? absl::FromUnixMicros(f.expires()) : absl::InfiniteFuture()};
      return input;
    }
    case stored::Installation::kTokenRevoked:
      input.wanted = core::TokenRevoked{from.token_revoked().id()};
      return input;
    default:
      return Error(absl::StatusCode::kUnimplemented, "INPUT_UNKNOWN",
                   "the journal holds a change of the installation that this release does not "
                   "know: a newer release has written it; start that one");
  }
}

}  // namespace tandem::codec
