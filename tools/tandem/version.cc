#include "tools/tandem/version.h"

#include <fmt/format.h>
#include <google/protobuf/stubs/common.h>

#include <ostream>

#include "tools/tandem/failure.h"

namespace tandem::cli {
namespace {

absl::StatusOr<int> Show(Session& session) {
  const std::string grpc = grpc::Version();
  const std::string protobuf = google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION);
  if (session.options.json) {
    session.out() << fmt::format(
        "{{\"version\":\"{}\",\"grpc\":\"{}\",\"protobuf\":\"{}\",\"compiler\":\"{}\"}}\n",
        TANDEM_VERSION, grpc, protobuf, __VERSION__);
  } else {
    session.out() << fmt::format("tandem {} (gRPC {}, protobuf {}, {})\n", TANDEM_VERSION, grpc,
                                 protobuf, __VERSION__);
  }
  return kExitOk;
}

}  // namespace

void AddVersionCommand(const Command& root, Session& session) {
  root.Sub("version", "What this program is").Runs([&session] { return Show(session); });
}

}  // namespace tandem::cli
