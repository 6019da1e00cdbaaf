// A delivery as the notifier holds it, and the incidents that many of them are about.
//
// A storm plans several deliveries for each state of an incident; the state is held once, and the
// deliveries share it. Not thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "tandem/v1/deliveries.pb.h"

namespace tandem::notifier {

struct Message {
  v1::Delivery delivery;                         // without its incident
  std::shared_ptr<const v1::Incident> incident;  // never nullptr
};

class IncidentPool {
 public:
  // `delivery` with its incident apart: the one that is held already when it is in every field the
  // same. The message must not outlive the pool.
  Message Hold(const v1::Delivery& delivery);

  // Incidents of which a state is held.
  std::size_t size() const { return latest_.size(); }

 private:
  std::shared_ptr<const v1::Incident> Share(const v1::Incident& incident);

  // By name, which begins with the tenant: tenants share nothing. Each as it came last, as long as
  // anybody holds that.
  std::map<std::string, std::weak_ptr<const v1::Incident>> latest_;
};

}  // namespace tandem::notifier
