// The standard health service of gRPC (grpc.health.v1), which needs no token.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "tools/tandem/client.h"

namespace tandem::cli {

struct Health {
  enum class State { kUnknown, kServing, kNotServing };
  State state = State::kUnknown;
  // How long the call took, connecting included when it was the first.
  absl::Duration took;
  // Of the router's certificate, PEM; "" without TLS.
  std::string certificate;
};

// `service` "" asks for the whole process. NOT_FOUND for a service that the router does not know.
absl::StatusOr<Health> AskHealth(const Client& client, const std::string& service);

}  // namespace tandem::cli
