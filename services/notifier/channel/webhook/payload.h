// The body of a webhook: `{"type":…,"timestamp":…,"data":{…}}`, the convention of Standard
// Webhooks.
//
// Pure. Equal messages give equal bytes: nothing in the body depends on the attempt.
#pragma once

#include <string>

#include "services/notifier/message.h"

namespace tandem::notifier {

// Members stand in a fixed order; text that is not UTF-8 has U+FFFD in place of the bad bytes.
// Times are RFC 3339 in UTC; members for times that are not set are left out.
//
//   {"type":"incident.opened","timestamp":"2026-01-01T12:00:00Z","data":{
//     "delivery_id":"dlv-acme-7-1","tenant":"acme","team":"noc","side":"provider","contact":"hook",
//     "step":1,"incident":{"name":"tenants/acme/incidents/7","number":7,"state":"open",
//     "severity":"critical","title":"…","owner":{"team":"noc","side":"provider"},
//     "handling":"needs_input","rule":"…","playbook_digest":"…","group_labels":{"site":"plant-7"},
//     "open_time":"…","firing_alerts":3,"total_alerts":4,"reopen_count":0}}}
std::string WebhookBody(const Message& message);

}  // namespace tandem::notifier
