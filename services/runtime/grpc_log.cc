#include "services/runtime/grpc_log.h"

#include <grpc/support/log.h>

#include "services/runtime/logging.h"

namespace tandem::runtime {
namespace {

void Write(gpr_log_func_args* line) {
  // gRPC's "info" is what concerns its own makers.
  const LogLevel level =
      line->severity == GPR_LOG_SEVERITY_ERROR ? LogLevel::kWarn : LogLevel::kDebug;
  Log(level, line->message, {{"source", "grpc"}, {"file", line->file}, {"line", line->line}});
}

}  // namespace

void SetUpGrpcLogging() { gpr_set_log_function(Write); }

}  // namespace tandem::runtime
