// The channel `webhook`: a signed POST of the incident to a URL, and what its answer means.
#pragma once

#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "router/base/clock.h"
#include "services/notifier/channel.h"
#include "services/notifier/channel/webhook/standard_webhooks.h"
#include "services/notifier/http_client.h"

namespace tandem::notifier {

// The secrets that sign, the newest first; more than one during a rotation. `{tenant}/{name}` is
// for the playbook of that tenant alone, `*/{name}` for every tenant's; a tenant's own comes first.
// Nothing else is found: no tenant signs with what was not given to it.
using SecretBook = std::map<std::string, std::vector<SigningSecret>>;

// What an answer, or its absence, means. Pure.
//
//   2xx                      delivered
//   408, 425, 429, 5xx       failed (Retry-After is honoured)
//   410                      gone
//   1xx, 3xx, other 4xx      refused; redirects are never followed
//   no connection, no answer failed
//   TLS not verified         refused
//   address refused          never
AttemptResult ResultOf(const HttpResult& http, absl::Time now);

// Used from the io thread only.
class WebhookChannel final : public DeliveryChannel {
 public:
  // `http` and `clock` outlive this.
  WebhookChannel(HttpPoster& http, const Clock& clock, SecretBook secrets);

  // An ill-formed secret name or delivery id, or a body over 256 KiB. An empty secret name sends
  // unsigned, as the playbook says.
  std::optional<std::string> WhyImpossible(const Message& message) const override;
  // A secret that was not given.
  std::optional<std::string> WhyNotYet(const Message& message) const override;
  void Send(const Message& message, Done done) override;

  // Signs with these from the next attempt on.
  void SetSecrets(SecretBook secrets) { secrets_ = std::move(secrets); }

 private:
  // nullptr when there is none of that name.
  const std::vector<SigningSecret>* FindSecrets(const v1::Delivery& delivery) const;
  HttpRequest RequestFor(const Message& message, const std::vector<SigningSecret>& secrets) const;

  HttpPoster& http_;
  const Clock& clock_;
  SecretBook secrets_;
};

}  // namespace tandem::notifier
