// The notifier of a walk-through: what is planned arrives at once, unless the contact is out, and
// then it is tried again with the notifier's own delays (router/base/retry.h), half of each ceiling
// in place of the dice. Order behind other messages of an endpoint and its circuit breaker are not
// played.
//
// It makes no judgement about incidents: reports go to the core as inputs. Serves one walk; one
// thread.
#pragma once

#include <absl/container/btree_map.h>
#include <absl/container/btree_set.h>
#include <absl/time/time.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "router/base/retry.h"
#include "router/core/fact.h"
#include "router/core/input.h"

namespace tandem::replay {

class ScriptedNotifier {
 public:
  // What reaches `contact` before `until` fails.
  void SetOut(const std::string& contact, absl::Time until);

  // Takes up what was planned and drops what was cancelled.
  void Take(const core::Facts& facts, absl::Time now);

  // When the next attempt is due; nullopt when nothing is open.
  std::optional<absl::Time> Next() const;

  // Makes it: two reports, that it is made and how it ended. REQUIRES: Next() is `now` or before.
  std::array<core::DeliveryReport, 2> Attempt(absl::Time now);

 private:
  struct Open {
    std::string contact;
    std::uint32_t attempts = 0;
    absl::Time first_seen;
    absl::Time next;
  };

  const RetryPolicy policy_ = {};
  absl::btree_map<std::string, absl::Time> out_;
  absl::btree_map<DeliveryNumber, Open> open_;
  absl::btree_set<std::pair<absl::Time, DeliveryNumber>> agenda_;
};

}  // namespace tandem::replay
