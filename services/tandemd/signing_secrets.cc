#include "services/tandemd/signing_secrets.h"

#include <fmt/format.h>

#include <utility>

#include "router/base/status.h"

namespace tandem::tandemd {

absl::StatusOr<notifier::SecretBook> SecretBookOf(const runtime::Config& config) {
  notifier::SecretBook book;
  for (const auto& [name, secrets] : config.notifier.secrets) {
    for (const runtime::Secret& secret : secrets) {
      auto parsed = notifier::SigningSecret::Parse(secret.Reveal());
      if (!parsed.ok()) {
        return Annotate(parsed.status(), fmt::format("notifier.secrets.{}", name));
      }
      book[name].push_back(*std::move(parsed));
    }
  }
  return book;
}

void SecretNames::Set(const runtime::Config& config) {
  std::set<std::string> names;
  for (const auto& [name, secrets] : config.notifier.secrets) names.insert(name);
  const std::lock_guard lock(mutex_);
  names_ = std::move(names);
}

bool SecretNames::Has(const TenantId& tenant, const std::string& name) const {
  const std::lock_guard lock(mutex_);
  return names_.contains(tenant.value + '/' + name) || names_.contains("*/" + name);
}

}  // namespace tandem::tandemd
