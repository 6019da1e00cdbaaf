// Sends what gRPC itself has to say into our log, its errors as warnings, the rest at debug. Called
// once, after SetUpLogging and before the first server or channel.
#pragma once

namespace tandem::runtime {

void SetUpGrpcLogging();

}  // namespace tandem::runtime
