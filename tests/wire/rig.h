// A router and a context service behind one gRPC server on a free port of loopback, wired as
// tandemd wires them, and calls to it by the name of the method: so that a table of calls can be
// written down as text.
//
// Time stands still at kNoon unless the test moves it. For tests only.
#pragma once

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "router/api/delivery_hub.h"
#include "router/api/directory.h"
#include "router/api/feed_hub.h"
#include "router/api/reader_pool.h"
#include "router/api/router_api.h"
#include "router/base/clock.h"
#include "router/base/status.h"
#include "router/engine/engine.h"
#include "router/rpc/credential_watch.h"
#include "router/rpc/grpc_status.h"
#include "router/rpc/server.h"
#include "services/context/context_service.h"
#include "services/runtime/grpc_server.h"
#include "tandem/v1/admin.pb.h"
#include "tandem/v1/alert_ingest.pb.h"
#include "tests/support/temporary_folder.h"

namespace tandem::wire {

// Far above what any wait takes on a busy machine: a test that meets it has failed.
inline constexpr std::chrono::seconds kPatience{60};

inline const absl::Time kNoon = absl::FromUnixSeconds(1'780'488'000);  // 2026-06-03T12:00:00Z

// The request id of every call here, so that two answers can be compared byte for byte.
inline constexpr char kRequestId[] = "wire-test";

// What came back: the first message of the answer, and how the call ended. A stream that has given
// its first message is left there, and counts as OK.
struct Reply {
  grpc::Status status;
  std::string body;

  absl::Status error() const { return rpc::FromGrpc(status); }
  std::string reason() const { return ReasonOf(error()); }
  // "INVALID_ARGUMENT NAME_INVALID [name: expected …]": for people who read a failed test.
  std::string Text() const;
};

// A context with token, request id and a deadline.
class Context {
 public:
  explicit Context(const std::string& token);
  grpc::ClientContext* operator->() { return &context_; }
  grpc::ClientContext* get() { return &context_; }

 private:
  grpc::ClientContext context_;
};

// `text`, which is text format, as the bytes of the request of `method`
// ("/tandem.v1.Incidents/GetIncident").
std::string RequestBytes(std::string_view method, const std::string& text);

// A playbook in which every alert opens an incident of its own.
std::string EachAlone(const std::string& tenant);

// Checks that an error travels as promised: google.rpc.Status with ErrorInfo first, the request id,
// and a field on every INVALID_ARGUMENT.
void ExpectWellFormed(const grpc::Status& status);

struct Who {
  std::string principal;
  v1::Role role = v1::VIEWER;
  std::vector<std::string> tenants;  // ids; "-" for all
  v1::Side side = v1::PROVIDER;
};

class Rig {
 public:
  // A new installation with the tenants `harbor` and `mill`, each with a playbook in which every
  // alert stands alone, and an administrator.
  Rig();
  ~Rig();

  // Any call, with bytes as they are.
  Reply CallBytes(std::string_view method, const std::string& token, const std::string& bytes);
  Reply Call(std::string_view method, const std::string& token, const std::string& text) {
    return CallBytes(method, token, RequestBytes(method, text));
  }
  // The same, but it must succeed.
  template <typename Response>
  Response Must(std::string_view method, const std::string& token, const std::string& text) {
    const Reply reply = Call(method, token, text);
    EXPECT_TRUE(reply.status.ok()) << method << " " << text << " → " << reply.Text();
    Response response;
    EXPECT_TRUE(response.ParseFromString(reply.body));
    return response;
  }

  // The secret of a new token of a principal that is made for it.
  std::string NewToken(const Who& who);
  // The public part of a secret.
  static std::string IdOf(const std::string& secret) { return secret.substr(0, 12); }

  const std::string& admin() const { return admin_; }
  std::shared_ptr<grpc::Channel> channel() const { return channel_; }
  ManualClock& clock() { return clock_; }
  engine::Engine& engine() { return *engine_; }
  rpc::CredentialWatch& credentials() { return *credentials_; }
  rpc::StreamRegistry& registry() { return registry_; }
  journal::Journal& journal() { return *journal_; }
  // Records of a tenant so far.
  std::uint64_t HeadOf(const std::string& tenant);
  // Everything that was ever stored, in one text.
  std::string WholeJournal();

 private:
  void Serve();
  void Bootstrap();

  tandem::testing::TemporaryFolder folder_;
  ManualClock clock_{kNoon};
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<api::FeedHub> feed_;
  std::unique_ptr<api::DeliveryHub> deliveries_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<api::ReaderPool> readers_;
  std::unique_ptr<api::Directory> directory_;
  rpc::StreamRegistry registry_{1000};
  std::unique_ptr<rpc::CallGuard> guard_;
  std::unique_ptr<rpc::CredentialWatch> credentials_;
  std::unique_ptr<api::RouterApi> api_;
  std::unique_ptr<context::ContextService> context_;
  std::vector<std::unique_ptr<grpc::Service>> services_;
  std::unique_ptr<runtime::GrpcServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::string admin_;
};

}  // namespace tandem::wire
