// A receiver of webhooks that checks signatures, records what arrives, and misbehaves as told. For
// tests and for the demonstration; it listens on loopback unless told otherwise.
//
// Runs on a thread of its own, "receiver". The methods may be called from any thread.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "services/notifier/channel/webhook/standard_webhooks.h"

namespace tandem::testing {

// How to misbehave. The first requests are closed, the next ones fail, and the rest are answered as
// the other members say.
struct ReceiverManners {
  std::size_t close_before_reply_first = 0;  // read, record, close
  std::size_t fail_first = 0;                // answer 503
  bool hang = false;                         // read, record, never answer
  bool slow = false;                         // answer one byte each 200 ms
  bool big_reply = false;                    // 10 MiB of body
  bool redirect = false;                     // 302 to `redirect_to`
  std::string redirect_to = "http://169.254.169.254/latest/meta-data/";
  unsigned status = 200;
  std::string retry_after = {};  // with every answer that is not 2xx; empty: none
};

struct ReceivedWebhook {
  absl::Time time;
  std::string method;
  std::string path;
  std::string webhook_id;
  std::string idempotency_key;
  std::string user_agent;
  std::string content_type;
  bool signature_valid = false;
  std::string signature_problem;  // the reason when it is not valid
  std::string body;
};

struct ReceiverOptions {
  std::string bind = "127.0.0.1";
  std::uint16_t port = 0;                        // 0: a free one
  std::vector<notifier::SigningSecret> secrets;  // empty: no signature is valid
  std::string record_file;                       // a JSON line for each request; empty: none
  ReceiverManners manners;
  std::function<void(const ReceivedWebhook&)> on_request;  // on the receiver's thread; may be empty
};

class WebhookReceiver {
 public:
  // Listens already when it returns. UNAVAILABLE when the address or the file cannot be used.
  static absl::StatusOr<std::unique_ptr<WebhookReceiver>> Start(ReceiverOptions options);
  // Stops: closes every connection and joins.
  ~WebhookReceiver();

  std::uint16_t port() const;
  // `http://127.0.0.1:{port}{path}`.
  std::string Url(const std::string& path) const;

  // From the next request on.
  void SetManners(const ReceiverManners& manners);

  // Everything so far (at most the first 100,000), in order of arrival.
  std::vector<ReceivedWebhook> received() const;
  // Connections that were accepted.
  std::size_t connections() const;
  // Waits until `holds` of what was received, at most `timeout`; whether it did.
  bool WaitUntil(const std::function<bool(const std::vector<ReceivedWebhook>&)>& holds,
                 absl::Duration timeout = absl::Seconds(20)) const;

 private:
  class Impl;
  explicit WebhookReceiver(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tandem::testing
