// What became of one attempt to deliver, whatever the channel. Values.
#pragma once

#include <absl/time/time.h>

#include <optional>
#include <string>

namespace tandem::notifier {

enum class AttemptEnd {
  kDelivered,  // the contact has it
  kFailed,     // the endpoint is away or overloaded: worth another attempt
  kRefused,    // the endpoint is there and says no: worth a few, in case that was a mistake
  kGone,       // the endpoint does not exist any more, by its own word
  kNever,      // no attempt can succeed: a refused address
  kNotReady,   // no call was made: an operator has to give us something first, such as a secret
  kCancelled,  // broken off by us because the process stops; nothing is known
};

struct AttemptResult {
  AttemptEnd end = AttemptEnd::kFailed;
  std::string detail =
      {};  // for people: `HTTP 503`; at most 256 bytes, nothing of the answer's body
  std::optional<absl::Duration> retry_after = {};  // what the endpoint asked for
  absl::Duration latency = {};
};

}  // namespace tandem::notifier
