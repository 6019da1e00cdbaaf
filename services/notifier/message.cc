#include "services/notifier/message.h"

namespace tandem::notifier {

Message IncidentPool::Hold(const v1::Delivery& delivery) {
  Message message{.delivery = delivery, .incident = Share(delivery.incident())};
  message.delivery.clear_incident();
  return message;
}

std::shared_ptr<const v1::Incident> IncidentPool::Share(const v1::Incident& incident) {
  const auto known = latest_.find(incident.name());
  if (known != latest_.end()) {
    auto held = known->second.lock();
    // An incident has no map fields: equal messages have equal bytes.
    if (held && held->SerializeAsString() == incident.SerializeAsString()) return held;
  }
  std::shared_ptr<const v1::Incident> made(new v1::Incident(incident),
                                           [this](const v1::Incident* gone) {
                                             // A later state of it may be held still.
                                             const auto last = latest_.find(gone->name());
                                             if (last != latest_.end() && last->second.expired())
                                               latest_.erase(last);
                                             delete gone;
                                           });
  latest_[incident.name()] = made;
  return made;
}

}  // namespace tandem::notifier
