// The channel `webhook`: a signed POST of the incident to a URL, and what its answer means.
#pragma once

#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "router/base/clock.h"
#include "services/notifier/channel.h"
#include "services/notifier/channel/webhook/standard_webhooks.h"
#include "services/notifier/http_client.h"

namespace tandem::notifier {

// Name → the secrets that sign, newest first; more than one during a rotation. A name of the form
// `{tenant}/{name}` belongs to that tenant alone and comes before a bare name, which every tenant's
// playbook may use: give each tenant its own where tenants do not trust each other.
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

  // An unknown secret name, an ill-formed delivery id, or a body over 256 KiB. An empty secret name
  // sends unsigned, as the playbook says.
  std::optional<std::string> WhyImpossible(const v1::Delivery& delivery) const override;
  void Send(const v1::Delivery& delivery, Done done) override;

 private:
  // nullptr when there is none of that name.
  const std::vector<SigningSecret>* FindSecrets(const v1::Delivery& delivery) const;
  HttpRequest RequestFor(const v1::Delivery& delivery,
                         const std::vector<SigningSecret>& secrets) const;

  HttpPoster& http_;
  const Clock& clock_;
  const SecretBook secrets_;
};

}  // namespace tandem::notifier
