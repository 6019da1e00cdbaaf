// The client library for monitoring agents: hands alerts to the router, through whatever happens to
// the router, the network or this process.
//
//   tandem::client::ClientOptions options;
//   options.connection.address = "localhost:7443";
//   options.client_id = "plant-7/agent";
//   options.spool.directory = "/var/lib/agent/spool";
//   auto client = tandem::client::AlertClient::Start(std::move(options));
//   if (!client.ok()) …
//   absl::Status status = (*client)->Send(alert);
//   …
//   status = (*client)->Stop(absl::Seconds(10));
//
// At least once: an alert that Send took is sent until the router has said that it is durable, is
// refused by the router, or is given up by a limit of the spool, which is counted and told. The
// router recognises batches that come twice by client id and number.
//
// One thread, `tandem-client`, owns spool and stream. All functions may be called from any thread.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <memory>
#include <span>

#include "tandem/v1/alert_ingest.pb.h"
#include "tools/agent/client_options.h"

namespace tandem::client {

class Worker;

class AlertClient {
 public:
  // Opens the spool and starts to connect; does not wait for the router. INVALID_ARGUMENT names an
  // option that is wrong; FAILED_PRECONDITION when another process uses the spool.
  static absl::StatusOr<std::unique_ptr<AlertClient>> Start(ClientOptions options);

  // Stop(0) unless Stop was called.
  ~AlertClient();

  // Takes the alerts, in order; all or none. An alert without a start gets the present time as its
  // start, since it may reach the router much later. What OK means, says SpoolSettings::durable.
  //
  // INVALID_ARGUMENT (ALERT_TOO_LARGE) for an alert beyond 1 MiB; RESOURCE_EXHAUSTED (SPOOL_FULL
  // with a retry delay, DISK_FULL) when there is no room; FAILED_PRECONDITION (STOPPED) after Stop.
  // Any other error comes from the spool's disk, is final for this client, and leaves open
  // whether the alerts will be sent.
  //
  // While 64 batches wait for the spool's disk, Send waits with them, whatever the settings.
  absl::Status Send(std::span<const v1::Alert> alerts);
  absl::Status Send(const v1::Alert& alert);

  // Waits until all that Send took before has left the spool: confirmed, refused or given up.
  // DEADLINE_EXCEEDED when that takes longer; nothing is lost by it.
  absl::Status Flush(absl::Duration timeout);

  // Takes no more, flushes, and ends stream and thread. DEADLINE_EXCEEDED when something is left
  // after `timeout`, or at once when the router turned this client away; the message says how much,
  // and whether the spool keeps it. Once.
  absl::Status Stop(absl::Duration timeout);

  ClientStats stats() const;

 private:
  explicit AlertClient(std::unique_ptr<Worker> worker);
  std::unique_ptr<Worker> worker_;
};

}  // namespace tandem::client
