// Tells systemd how this process is: READY=1, STOPPING=1, WATCHDOG=1, STATUS=….
//
// The datagram protocol of sd_notify(3), without its library. Does nothing when systemd did not
// ask. Safe from any thread.
#pragma once

#include <absl/time/time.h>

#include <optional>
#include <string_view>

namespace tandem::runtime {

// Sends `state` to $NOTIFY_SOCKET (a path, or `@name` in the abstract namespace). Whether it went
// out.
bool NotifySystemd(std::string_view state);

// How often WATCHDOG=1 is expected ($WATCHDOG_USEC, for this process or for any); nullopt: not at
// all.
std::optional<absl::Duration> SystemdWatchdog();

}  // namespace tandem::runtime
