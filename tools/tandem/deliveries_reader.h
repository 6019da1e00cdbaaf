// The open deliveries of one incident, for those who may see them.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <vector>

#include "tandem/v1/deliveries.pb.h"
#include "tools/tandem/client.h"

namespace tandem::cli {

// Reads the snapshot that WatchDeliveries begins with and keeps those of `incident`.
// PERMISSION_DENIED for every role but `service`.
absl::StatusOr<std::vector<v1::Delivery>> ReadOpenDeliveries(Client& client,
                                                             const std::string& incident);

}  // namespace tandem::cli
