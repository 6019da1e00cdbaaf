// A way to reach a contact: webhook first, others beside it. One object serves every delivery of
// its channel.
#pragma once

#include <absl/functional/any_invocable.h>

#include <optional>
#include <string>

#include "services/notifier/attempt.h"
#include "tandem/v1/deliveries.pb.h"

namespace tandem::notifier {

// Used from the io thread only.
class DeliveryChannel {
 public:
  using Done = absl::AnyInvocable<void(AttemptResult)>;

  virtual ~DeliveryChannel() = default;

  // Why no attempt at `delivery` can succeed, as a sentence for people; nullopt when one may.
  virtual std::optional<std::string> WhyImpossible(const v1::Delivery& delivery) const = 0;

  // One attempt. Every attempt of a delivery carries the same id and the same content. `done` is
  // called exactly once, never inside Send. REQUIRES: WhyImpossible(delivery) is nullopt.
  virtual void Send(const v1::Delivery& delivery, Done done) = 0;
};

}  // namespace tandem::notifier
