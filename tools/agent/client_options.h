// What an AlertClient is told: where the router is, how much to keep, and whom to tell what.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "router/base/clock.h"
#include "tandem/v1/alert_ingest.pb.h"
#include "tools/agent/backoff.h"
#include "tools/agent/channel.h"

namespace tandem::client {

// What Send does when the spool has no room.
enum class Overflow {
  kRefuse,      // RESOURCE_EXHAUSTED with reason SPOOL_FULL; nothing of the call is kept
  kDropOldest,  // takes it, and gives up the oldest batches; see ClientEvents::dropped
  kBlock,       // waits until there is room
};

struct SpoolSettings {
  // Empty: batches are kept in memory and end with the process.
  std::string directory;
  // Alerts that wait for their receipts, with 32 bytes for each batch. The disk holds at most one
  // segment (8 MiB) and one batch more.
  std::uint64_t max_bytes = 256u << 20;
  // Older batches are given up: ClientEvents::dropped with reason TOO_OLD.
  absl::Duration max_age = absl::Hours(24);
  Overflow overflow = Overflow::kRefuse;
  // Send returns when the alerts would survive a power cut: it waits for the linger and one fsync,
  // which it shares with all others that wait. Otherwise they survive a crash of the process once
  // the linger is over, and a power cut when the operating system happened to write them.
  bool durable = true;
};

// A batch that goes to the router, or that it answered. Numbers are those of the wire.
struct BatchView {
  std::uint64_t number = 0;
  std::uint32_t alerts = 0;
  std::string_view bytes;  // ReadAlerts (wire.h) gives the alerts
};

struct BatchReceipt {
  BatchView batch;
  std::uint32_t accepted = 0;
  std::uint32_t refused = 0;
  // The router had taken it before: on another stream, whose receipt was lost. After a restart a
  // batch may be reported so although its receipt was reported before.
  bool already_durable = false;
};

struct RefusedAlert {
  v1::Alert alert;
  std::uint64_t batch = 0;
  std::string reason;       // Refusal.reason, such as LABEL_NAME_INVALID
  std::string field;        // below the alert: `labels[3].value`
  std::string description;  // what was wrong and what was expected
};

struct DroppedAlerts {
  // SPOOL_FULL (Overflow::kDropOldest), TOO_OLD, REFUSED_WHOLE (the router would not read the
  // batch), DISK_FULL or SPOOL_IO (a Send that did not wait could not be kept).
  std::string reason;
  std::string description;
  std::uint32_t alerts = 0;
};

// There is no stream; the next attempt comes after `retry_in`.
struct LostStream {
  absl::Status why;
  absl::Duration retry_in;
  // The router will not have this client, and asking again changes nothing until a person mends
  // it: a token that it does not know, a role that may not send, a tenant or client id that it does
  // not take. The client still asks again, but Stop waits for no receipt any more.
  bool turned_away = false;
};

// Told on the client's thread, one at a time. Must return soon, and must not call the client; the
// views end with the call.
struct ClientEvents {
  std::function<void(const BatchView&)> sending;  // before each time that a batch is written
  std::function<void(const BatchReceipt&)> receipt;
  std::function<void(const RefusedAlert&)> refused;
  std::function<void(const DroppedAlerts&)> dropped;
  // The router has said Welcome.
  std::function<void()> connected;
  std::function<void(const LostStream&)> disconnected;
  // Something that an operator should read: damage in the spool, a client id that two senders
  // share. The reason is ReasonOf(notice).
  std::function<void(const absl::Status& notice)> notice;
};

struct ClientOptions {
  Connection connection;
  std::string tenant;  // its id; may be empty when the credential has exactly one
  // The tenant may be made, or given to this credential, later: a router that does not know it is
  // asked again as after an outage, instead of having turned the client away.
  bool wait_for_tenant = false;
  std::string client_id;  // required; 1 to 128 bytes of [a-zA-Z0-9._:/-]; one sender at a time
  std::string agent_version = "tandem-client/1";

  SpoolSettings spool;
  // A batch ends with its 64th alert, at 1 MiB, or 5 ms after its first alert.
  std::uint32_t batch_alerts = 64;  // 1 to 512
  absl::Duration linger = absl::Milliseconds(5);
  // Batches that are on their way without a receipt; the router allows 64.
  std::uint32_t window = 32;

  BackoffOptions backoff;
  absl::Duration welcome_timeout = absl::Seconds(10);
  absl::Duration receipt_timeout = absl::Seconds(60);

  // Reports each firing alert again after this time until it gets an end; the router would end it
  // when its resolve timeout is over. nullopt: a third of the resolve timeout that the router's
  // Welcome says. Zero: never. Of `window`, repeats take at most half.
  std::optional<absl::Duration> resend_interval;
  // Firing alerts that are kept for that, about 1 KiB each. One beyond it is sent, but not again:
  // ClientStats::not_kept.
  std::size_t active_max = 100'000;

  // Not owned; nullptr: the machine's. Stamps alerts that have no start, and gives batches an age.
  const Clock* clock = nullptr;
  std::uint64_t seed = 0;  // for the jitter; 0: another one each time

  ClientEvents events;
};

struct ClientStats {
  std::uint64_t sent = 0;      // alerts that Send took
  std::uint64_t resent = 0;    // reports of firing alerts that the client added
  std::uint64_t accepted = 0;  // alerts that receipts confirm
  // Alerts of batches that the router turned out to hold already when a stream was resumed.
  std::uint64_t confirmed_on_resume = 0;
  std::map<std::string, std::uint64_t> refused;  // alerts, by reason
  std::map<std::string, std::uint64_t> dropped;  // alerts, by reason
  std::uint64_t batches = 0;                     // batches written to a stream, repeats included
  std::uint64_t receipts = 0;
  std::uint64_t connects = 0;  // streams that got as far as Welcome
  bool connected = false;
  std::uint64_t waiting_alerts = 0;  // without receipt, in the spool or before it
  std::uint64_t waiting_bytes = 0;
  std::uint64_t active = 0;    // firing alerts that are reported again
  std::uint64_t not_kept = 0;  // reports of firing alerts that found that table full
  absl::Status last_error;     // why the last stream ended; OK when none has
};

}  // namespace tandem::client
