// The secrets of the configuration, as the notifier signs with them and as the router knows their
// names.
#pragma once

#include <absl/status/statusor.h>

#include <mutex>
#include <set>
#include <string>

#include "router/base/ids.h"
#include "services/notifier/channel/webhook/webhook.h"
#include "services/runtime/config.h"

namespace tandem::tandemd {

// INVALID_ARGUMENT names the entry that is no secret.
absl::StatusOr<notifier::SecretBook> SecretBookOf(const runtime::Config& config);

// Which names a tenant's playbook may sign with. Thread-safe.
class SecretNames {
 public:
  void Set(const runtime::Config& config);
  bool Has(const TenantId& tenant, const std::string& name) const;

 private:
  mutable std::mutex mutex_;  // names_
  std::set<std::string> names_;
};

}  // namespace tandem::tandemd
