// The notifier of a process: one thread that takes open deliveries from the router, brings them to
// their contacts and reports what became of them.
//
// Thread "notifier" runs everything; "notifier-dns" (four of them) look up names. Restarts of the
// router are waited out. A restart of the worker begins unfinished deliveries again, with the same
// ids.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <memory>

#include "router/base/clock.h"
#include "services/notifier/channel/webhook/webhook.h"
#include "services/notifier/delivery_link.h"
#include "services/notifier/dispatcher.h"
#include "services/notifier/http_client.h"
#include "services/notifier/observer.h"

namespace tandem::notifier {

struct WorkerOptions {
  LinkOptions link = {};
  DispatcherOptions dispatch = {};
  HttpOptions http = {};
  SecretBook secrets = {};
  // How long Stop waits for attempts under way and for their reports.
  absl::Duration stop_timeout = absl::Seconds(5);
  // Both outlive the worker; nullptr: the machine's clock, and nobody.
  const Clock* clock = nullptr;
  NotifierObserver* observer = nullptr;
  Log log = {};
};

class DeliveryWorker {
 public:
  // Starts the thread. INVALID_ARGUMENT when the options cannot be used (CA_FILE_UNREADABLE,
  // CHANNEL_MISSING). A router that is not there yet is no error.
  static absl::StatusOr<std::unique_ptr<DeliveryWorker>> Start(WorkerOptions options);
  // Stops.
  ~DeliveryWorker();

  // Begins no more attempts, waits up to `stop_timeout` for those under way and their reports,
  // breaks off the rest and joins. What was broken off is begun again by the next worker. Call it
  // from one thread that is not the worker's own; again: nothing.
  void Stop();

  // Signs with these from the next attempt on, and tries at once what waits for one of them. From
  // any thread.
  void SetSecrets(SecretBook secrets);

 private:
  class Impl;
  explicit DeliveryWorker(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tandem::notifier
