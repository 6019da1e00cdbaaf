#include "services/notifier/channel/webhook/webhook.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "router/base/check.h"
#include "router/base/plant.h"
#include "router/base/text.h"
#include "services/notifier/backoff.h"
#include "services/notifier/channel/webhook/payload.h"

#ifndef TANDEM_VERSION
#error "TANDEM_VERSION is set by CMakeLists.txt"
#endif

namespace tandem::notifier {
namespace {

// An incident's strings are limited where they enter; this is what receivers can be expected to
// take.
constexpr std::size_t kBodyMax = 256 * 1024;
constexpr std::size_t kIdMax = 256;

bool IsWebhookId(std::string_view id) {
  return !id.empty() && id.size() <= kIdMax && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

AttemptEnd EndOfStatus(unsigned status) {
  if (status / 100 == 2) return AttemptEnd::kDelivered;
  if (status == 410) return AttemptEnd::kGone;
  if (status == 408 || status == 425 || status == 429 || status / 100 == 5) {
    return AttemptEnd::kFailed;
  }
  return AttemptEnd::kRefused;
}

AttemptEnd EndOf(const HttpResult& http) {
  switch (http.end) {
    case HttpEnd::kAnswered:
      return EndOfStatus(http.status);
    case HttpEnd::kRefused:
      return AttemptEnd::kNever;
    case HttpEnd::kTlsFailed:
      return AttemptEnd::kRefused;
    case HttpEnd::kCancelled:
      return AttemptEnd::kCancelled;
    case HttpEnd::kUnresolved:
    case HttpEnd::kUnconnected:
    case HttpEnd::kTimedOut:
      break;
    case HttpEnd::kBroken:
      if (IsPlanted(Plant::kTrustWhatWasSent)) return AttemptEnd::kDelivered;
      break;
  }
  return AttemptEnd::kFailed;
}

}  // namespace

AttemptResult ResultOf(const HttpResult& http, absl::Time now) {
  AttemptResult result{.end = EndOf(http), .detail = http.detail, .latency = http.latency};
  if (http.end == HttpEnd::kAnswered && http.status / 100 == 3) {
    result.detail += ": redirects are not followed";
  }
  if (!http.retry_after.empty()) result.retry_after = ParseRetryAfter(http.retry_after, now);
  return result;
}

WebhookChannel::WebhookChannel(HttpPoster& http, const Clock& clock, SecretBook secrets)
    : http_(http), clock_(clock), secrets_(std::move(secrets)) {}

std::optional<std::string> WebhookChannel::WhyImpossible(const Message& message) const {
  // A `/` in the playbook's own name must not reach into another tenant's secrets.
  if (message.delivery.secret_name().find('/') != std::string::npos) {
    return "the name of the signing secret has a `/`; a playbook names its own tenant's";
  }
  if (!IsWebhookId(message.delivery.delivery_id())) {
    return "the delivery id is not of letters, digits, `-` and `_`";
  }
  const std::size_t size = WebhookBody(message).size();
  if (size > kBodyMax) {
    return fmt::format("the message has {} bytes; at most {} are sent", size, kBodyMax);
  }
  return std::nullopt;
}

std::optional<std::string> WebhookChannel::WhyNotYet(const Message& message) const {
  if (FindSecrets(message.delivery) != nullptr) return std::nullopt;
  return fmt::format(
      "the notifier has no signing secret `{1}` for {0}: add {0}/{1} to "
      "notifier.secrets and send SIGHUP",
      Printable(message.delivery.tenant().substr(0, 64)),
      Printable(message.delivery.secret_name().substr(0, 64)));
}

void WebhookChannel::Send(const Message& message, Done done) {
  const auto* secrets = FindSecrets(message.delivery);
  TANDEM_CHECK(secrets != nullptr, "only what is ready is sent");
  http_.Post(RequestFor(message, *secrets),
             [this, done = std::move(done)](const HttpResult& http) mutable {
               done(ResultOf(http, clock_.Now()));
             });
}

const std::vector<SigningSecret>* WebhookChannel::FindSecrets(const v1::Delivery& delivery) const {
  static const std::vector<SigningSecret> kUnsigned;
  if (delivery.secret_name().empty()) return &kUnsigned;
  for (const std::string& owner : {delivery.tenant(), std::string("*")}) {
    const auto found = secrets_.find(owner + '/' + delivery.secret_name());
    if (found != secrets_.end() && !found->second.empty()) return &found->second;
  }
  return nullptr;
}

HttpRequest WebhookChannel::RequestFor(const Message& message,
                                       const std::vector<SigningSecret>& secrets) const {
  const v1::Delivery& delivery = message.delivery;
  const std::string timestamp = fmt::format("{}", absl::ToUnixSeconds(clock_.Now()));
  std::string id = delivery.delivery_id();
  if (IsPlanted(Plant::kNewIdPerAttempt))
    id += fmt::format("-{}", absl::ToUnixMicros(clock_.Now()));
  HttpRequest request{.owner = delivery.tenant(),
                      .url = delivery.address(),
                      .headers = {{"content-type", "application/json"},
                                  {"user-agent", "Tandem/" TANDEM_VERSION},
                                  {"idempotency-key", id},
                                  {"webhook-id", id},
                                  {"webhook-timestamp", timestamp}},
                      .body = WebhookBody(message)};
  if (!secrets.empty()) {
    request.headers.emplace_back(
        "webhook-signature",
        Sign(secrets, {.id = id, .timestamp = timestamp, .body = request.body}));
  }
  return request;
}

}  // namespace tandem::notifier
