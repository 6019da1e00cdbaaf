#include "tools/tandem/version.h"

#include <fmt/format.h>
#include <google/protobuf/stubs/common.h>

#include <ostream>

#include "tools/tandem/failure.h"

namespace tandem::cli {
namespace {

std::string ProtobufVersion() {
  return google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION);
}

#ifdef __clang__
constexpr char kCompiler[] = __VERSION__;  // "Clang 14.0.6"
#else
constexpr char kCompiler[] = "g++ " __VERSION__;
#endif

absl::StatusOr<int> Show(Session& session) {
  if (session.options.json) {
    session.out() << fmt::format(
        "{{\"version\":\"{}\",\"grpc\":\"{}\",\"protobuf\":\"{}\",\"compiler\":\"{}\"}}\n",
        TANDEM_VERSION, grpc::Version(), ProtobufVersion(), kCompiler);
  } else {
    session.out() << VersionText() << "\n";
  }
  return kExitOk;
}

}  // namespace

std::string VersionText() {
  return fmt::format("tandem {} (gRPC {}, protobuf {}, {})", TANDEM_VERSION, grpc::Version(),
                     ProtobufVersion(), kCompiler);
}

void AddVersionCommand(const Command& root, Session& session) {
  root.Sub("version", "What this program is").Runs([&session] { return Show(session); });
}

}  // namespace tandem::cli
