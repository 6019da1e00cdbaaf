// What the tests of this room share.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "router/base/check.h"
#include "router/base/status.h"
#include "router/rpc/caller.h"

namespace tandem::context {

// A folder that goes away with the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tandem-context-XXXXXX").string();
    TANDEM_CHECK(::mkdtemp(name.data()) != nullptr, "a temporary folder can be made");
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string File(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// Knows the tenants acme and other, and the tokens `{principal}.{tenant}` of their editors and
// `service`.
class FakeAuthenticator final : public rpc::Authenticator {
 public:
  static rpc::Caller Editor(std::string principal, std::string tenant) {
    return {.principal = std::move(principal),
            .side = Side::kCustomer,
            .role = rpc::Role::kEditor,
            .tenants = {TenantId(std::move(tenant))},
            .all_tenants = false,
            .token_id = "tdm_editor"};
  }
  static rpc::Caller Service() {
    return {.principal = "router",
            .side = Side::kUnspecified,
            .role = rpc::Role::kService,
            .tenants = {},
            .all_tenants = true,
            .token_id = "tdm_service"};
  }

  absl::StatusOr<rpc::Caller> Authenticate(std::string_view token, absl::Time) const override {
    if (token == "service") return Service();
    const std::size_t dot = token.find('.');
    if (dot == std::string_view::npos) {
      return Error(absl::StatusCode::kUnauthenticated, "TOKEN_INVALID", "no such token");
    }
    return Editor(std::string(token.substr(0, dot)), std::string(token.substr(dot + 1)));
  }
  bool TenantExists(const TenantId& tenant) const override {
    return tenant.value == "acme" || tenant.value == "other";
  }
};

}  // namespace tandem::context
