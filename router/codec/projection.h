// What a decided record means to those who read: rows of incidents, events and deliveries.
//
// Pure. One Projection serves one commit; one thread at a time.
#pragma once

#include <google/protobuf/arena.h>

#include <map>
#include <string>
#include <utility>

#include "router/core/fact.h"
#include "router/core/state.h"
#include "router/journal/journal.h"
#include "tandem/v1/deliveries.pb.h"
#include "tandem/v1/incidents.pb.h"

namespace tandem::codec {

class Projection {
 public:
  explicit Projection(journal::Commit& out) : out_(out) {}

  // Adds the events and deliveries of the record that `state` has just taken. `facts` are its
  // facts. REQUIRES: nothing was applied to `state` since.
  void AddRecord(const core::TenantState& state, const core::Facts& facts);

  // Adds the rows of all incidents that changed, each once, as they are now.
  // REQUIRES: every state that was handed to AddRecord still lives.
  void Finish();

 private:
  journal::Commit& out_;
  google::protobuf::Arena arena_;  // for the messages of one group, which are freed together
  // The state that holds the incident. An incident that was forgotten since has its last row
  // already.
  std::map<std::pair<TenantId, IncidentNumber>, const core::TenantState*> changed_;
};

// An incident in the words of the public API.
// `sequence` is the record after which it is so.
void PutIncident(const TenantId& tenant, const core::Incident& incident, Sequence sequence,
                 v1::Incident* out);

// "tenants/{tenant}/incidents/{number}".
std::string IncidentName(const TenantId& tenant, IncidentNumber number);
// "dlv-{tenant}-{incident}-{number}", stable over all attempts.
std::string DeliveryId(const TenantId& tenant, IncidentNumber incident, DeliveryNumber delivery);
// The number of such an id; nullopt when it has another form or is of another tenant.
std::optional<DeliveryNumber> ParseDeliveryId(const TenantId& tenant, std::string_view id);

}  // namespace tandem::codec
