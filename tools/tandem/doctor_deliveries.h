// What `tandem doctor` says about people who are not told: deliveries that were given up, are tried
// again or wait for an endpoint that fails, and open incidents whose escalation has nobody left.
//
// Everything but CheckDeliveries is pure.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tandem/v1/incidents.pb.h"
#include "tools/tandem/client.h"
#include "tools/tandem/doctor.h"
#include "tools/tandem/look.h"

namespace tandem::cli {

// A contact that has not got a message about an incident.
struct DeliveryTrouble {
  std::string incident;  // "acme/12"
  std::string contact;
  std::string reason;  // of the last failure
  absl::Time since;    // the first failure; without one: when it was planned or begun
  std::uint32_t failures = 0;
  bool given_up = false;                     // else it is open
  absl::Time failed = absl::InfinitePast();  // the last failure
  absl::Time next = absl::InfinitePast();    // what it announced: no attempt before
};

// The troubles that a timeline, oldest entry first, ends with; what is open and has not failed is
// one, too, without a failure. What succeeded or was cancelled in the end is none, nor is what was
// given up and whose contact was told of the incident later.
std::vector<DeliveryTrouble> TroublesIn(const std::string& incident,
                                        std::span<const v1::TimelineEntry> timeline);

// A line for each contact and reason of what was given up, then one for each contact for which
// something waits: how much, since when, why and until when. At most 10; one good line when there
// is none. What was planned within the last 20 seconds does not wait yet. `tenant`: "acme".
std::vector<Check> DeliveryChecks(std::string_view tenant,
                                  std::span<const DeliveryTrouble> troubles, const Look& look);

// Which of these open incidents have told everybody and nobody took over.
Check EscalationCheck(std::string_view tenant, std::span<const v1::Incident> open,
                      const Look& look);

// Both for one tenant ("tenants/acme"): of the newest 100 incidents that are not resolved, and of
// the newest 20 that were resolved within a day, whose last message may be stuck.
std::vector<Check> CheckDeliveries(Client& client, const Look& look, const std::string& tenant);

}  // namespace tandem::cli
