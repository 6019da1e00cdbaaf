// A way to reach a contact: webhook first, others beside it. One object serves every delivery of
// its channel.
#pragma once

#include <absl/functional/any_invocable.h>

#include <optional>
#include <string>

#include "services/notifier/attempt.h"
#include "services/notifier/message.h"

namespace tandem::notifier {

// Used from the io thread only.
class DeliveryChannel {
 public:
  using Done = absl::AnyInvocable<void(AttemptResult)>;

  virtual ~DeliveryChannel() = default;

  // Why no attempt can ever succeed, as a sentence for people; nullopt when one may. Constant for a
  // message.
  virtual std::optional<std::string> WhyImpossible(const Message& message) const = 0;

  // What an operator has to give this process before an attempt can be made, as a sentence for
  // people; nullopt when nothing is missing. May change from call to call.
  virtual std::optional<std::string> WhyNotYet(const Message& message) const = 0;

  // One attempt. Every attempt of a delivery carries the same id and the same content. `done` is
  // called exactly once, never inside Send. REQUIRES: WhyImpossible and WhyNotYet are nullopt.
  virtual void Send(const Message& message, Done done) = 0;
};

}  // namespace tandem::notifier
