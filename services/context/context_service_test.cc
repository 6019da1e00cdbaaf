#include "services/context/context_service.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "router/base/status.h"
#include "router/rpc/grpc_status.h"
#include "services/context/testing.h"
#include "tandem/v1/context.grpc.pb.h"

namespace tandem::context {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

const absl::Time kNoon = absl::FromUnixSeconds(1'750'000'000);

// No call of a test takes longer, but one that hangs.
std::chrono::system_clock::time_point Soon() {
  return std::chrono::system_clock::now() + std::chrono::seconds(20);
}

// A client call with a token.
struct ClientCall : grpc::ClientContext {
  explicit ClientCall(const std::string& token) {
    AddMetadata("authorization", "Bearer " + token);
    set_deadline(Soon());
  }
};

class ContextServiceTest : public ::testing::Test {
 protected:
  void SetUp() override { Start(); }
  void TearDown() override { Stop(); }

  void Start(ContextService::Options options = {}) {
    registry_ = std::make_unique<rpc::StreamRegistry>(100);
    guard_ = std::make_unique<rpc::CallGuard>(rpc::CallGuard::Parts{
        .authenticator = &authenticator_, .clock = &clock_, .registry = registry_.get()});
    options.path = folder_.File("context.db");
    options.guard = guard_.get();
    auto opened = ContextService::Open(options);
    ASSERT_TRUE(opened.ok()) << opened.status();
    service_ = *std::move(opened);
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.SetMaxReceiveMessageSize(static_cast<int>(kImportBytesMax) + 64 * 1024);
    builder.RegisterService(service_->service());
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    // Small windows, so that a watcher that does not read holds up its stream soon.
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 64 * 1024);
    stub_ = v1::Context::NewStub(grpc::CreateCustomChannel(
        fmt::format("127.0.0.1:{}", port), grpc::InsecureChannelCredentials(), arguments));
  }

  void Stop() {
    if (server_ == nullptr) return;
    service_->Drain();
    registry_->EndAll(Error(absl::StatusCode::kUnavailable, "STOPPING", "the test is over"));
    server_->Shutdown(Soon());
    server_.reset();
    service_.reset();
  }

  void Restart(ContextService::Options options = {}) {
    Stop();
    Start(std::move(options));
  }

  static std::string Name(const std::string& key) { return "tenants/acme/entities/" + key; }

  // The version, or 0 with a failure.
  std::uint64_t Put(const std::string& key, const std::string& display_name) {
    ClientCall call("ann.acme");
    v1::PutEntityRequest request;
    request.mutable_entity()->set_name(Name(key));
    request.mutable_entity()->set_display_name(display_name);
    v1::Entity entity;
    const grpc::Status status = stub_->PutEntity(&call, request, &entity);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return entity.version();
  }

  absl::Status Import(const std::string& csv, v1::ImportEntitiesResponse* response) {
    ClientCall call("ann.acme");
    v1::ImportEntitiesRequest request;
    request.set_parent("tenants/acme");
    request.set_format(v1::ImportEntitiesRequest::CSV);
    request.set_content(csv);
    return rpc::FromGrpc(stub_->ImportEntities(&call, request, response));
  }

  // A watch of acme.
  class Watch {
   public:
    Watch(v1::Context::Stub& stub, std::uint64_t after) : call_("service") {
      v1::WatchContextRequest request;
      request.set_parent("tenants/acme");
      request.set_after_version(after);
      reader_ = stub.WatchContext(&call_, request);
    }
    ~Watch() { Cancel(); }

    // The next message but heartbeats: "s2:1!" the last part of a snapshot of version 2 with one
    // entity, "r3" a revision, "end" when there is none.
    std::string Next() {
      while (true) {
        v1::WatchContextResponse message;
        if (!reader_->Read(&message)) return "end";
        if (message.has_revision()) return fmt::format("r{}", message.revision().version());
        if (message.has_snapshot()) {
          return fmt::format("s{}:{}{}", message.snapshot().version(),
                             message.snapshot().entities_size(),
                             message.snapshot().last() ? "!" : "");
        }
      }
    }
    v1::WatchContextResponse NextMessage() {
      v1::WatchContextResponse message;
      EXPECT_TRUE(reader_->Read(&message));
      return message;
    }
    absl::Status Finish() { return rpc::FromGrpc(reader_->Finish()); }
    void Cancel() { call_.TryCancel(); }

   private:
    ClientCall call_;
    std::unique_ptr<grpc::ClientReader<v1::WatchContextResponse>> reader_;
  };

  TemporaryFolder folder_;
  ManualClock clock_{kNoon};
  FakeAuthenticator authenticator_;
  std::unique_ptr<rpc::StreamRegistry> registry_;
  std::unique_ptr<rpc::CallGuard> guard_;
  std::unique_ptr<ContextService> service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::Context::Stub> stub_;
};

TEST_F(ContextServiceTest, ServesPutGetListHistoryAndDelete) {
  EXPECT_EQ(Put("site/a", "A"), 1u);
  EXPECT_EQ(Put("site/a", "B"), 2u);
  {
    ClientCall call("ann.acme");
    v1::GetEntityRequest request;
    request.set_name(Name("site/a"));
    request.set_version(1);
    v1::Entity entity;
    ASSERT_TRUE(stub_->GetEntity(&call, request, &entity).ok());
    EXPECT_EQ(entity.display_name(), "A");
    EXPECT_EQ(entity.author().principal(), "ann");
  }
  {
    ClientCall call("ann.acme");
    v1::ListEntitiesResponse response;
    ASSERT_TRUE(stub_->ListEntities(&call, {}, &response).ok());
    EXPECT_EQ(response.entities_size(), 1);
    EXPECT_EQ(response.version(), 2u);
  }
  {
    ClientCall call("ann.acme");
    v1::DeleteEntityRequest request;
    request.set_name(Name("site/a"));
    v1::DeleteEntityResponse response;
    ASSERT_TRUE(stub_->DeleteEntity(&call, request, &response).ok());
    EXPECT_EQ(response.version(), 3u);
  }
  {
    ClientCall call("ann.acme");
    v1::ListHistoryRequest request;
    request.set_parent("tenants/acme");
    v1::ListHistoryResponse response;
    ASSERT_TRUE(stub_->ListHistory(&call, request, &response).ok());
    EXPECT_EQ(response.revisions_size(), 3);
  }
}

TEST_F(ContextServiceTest, ImportsAFileOrNamesItsBadRows) {
  v1::ImportEntitiesResponse response;
  std::string good = "kind,id,name\n";
  std::string bad = good;
  for (int i = 0; i < 5000; ++i) {
    good += fmt::format("device,d{},Device {}\n", i, i);
    bad += fmt::format("devise,d{},Device {}\n", i, i);
  }
  const absl::Status refused = Import(bad, &response);
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(refused), "IMPORT_INVALID");
  EXPECT_THAT(MessageOf(refused), StartsWith("5000 mistakes in the file, nothing was imported"));
  // As many as fit into a trailer.
  const auto fields = FieldsOf(refused);
  ASSERT_GE(fields.size(), 20u);
  EXPECT_EQ(fields[1].field, "row 3, column \"kind\"");
  EXPECT_THAT(fields[1].description, HasSubstr("nearest: \"device\""));

  const absl::Status taken = Import(good, &response);
  ASSERT_TRUE(taken.ok()) << taken;
  EXPECT_EQ(response.created(), 5000u);
  EXPECT_EQ(response.version(), 1u);
}

TEST_F(ContextServiceTest, WatchesSnapshotThenChangesAndResumesWithoutGapOrRepeat) {
  Put("site/a", "A");
  {
    Watch watch(*stub_, 0);
    EXPECT_EQ(watch.Next(), "s1:1!");
    Put("site/b", "B");
    EXPECT_EQ(watch.Next(), "r2");
    Put("site/c", "C");
    EXPECT_EQ(watch.Next(), "r3");
  }
  Put("site/d", "D");
  Put("site/e", "E");
  {
    Watch watch(*stub_, 3);
    EXPECT_EQ(watch.Next(), "r4");
    EXPECT_EQ(watch.Next(), "r5");
  }
  Restart();
  Watch watch(*stub_, 4);
  EXPECT_EQ(watch.Next(), "r5");
  Put("site/f", "F");
  EXPECT_EQ(watch.Next(), "r6");
}

TEST_F(ContextServiceTest, FeedsEveryWatcherEveryVersionWhileManyWrite) {
  std::vector<std::unique_ptr<Watch>> watches;
  watches.reserve(3);
  for (int i = 0; i < 3; ++i) watches.push_back(std::make_unique<Watch>(*stub_, 0));
  for (auto& watch : watches) EXPECT_EQ(watch->Next(), "s0:0!");
  constexpr int kWriters = 4;
  constexpr int kEach = 25;
  std::vector<std::thread> writers;
  writers.reserve(kWriters);
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; i < kEach; ++i) Put(fmt::format("site/{}", w), fmt::format("{}", i));
    });
  }
  for (auto& watch : watches) {
    for (int version = 1; version <= kWriters * kEach; ++version) {
      ASSERT_EQ(watch->Next(), fmt::format("r{}", version));
    }
  }
  for (std::thread& writer : writers) writer.join();
}

TEST_F(ContextServiceTest, SaysThatItLivesWhileNothingHappens) {
  Restart({.heartbeat_every = absl::Milliseconds(20)});
  Put("site/a", "A");
  Watch watch(*stub_, 1);
  for (int i = 0; i < 3; ++i) {
    const v1::WatchContextResponse message = watch.NextMessage();
    EXPECT_EQ(message.tenant(), "acme");
    EXPECT_EQ(message.heartbeat().version(), 1u);
  }
}

TEST_F(ContextServiceTest, EndsWatchesWithUnavailableOnADrain) {
  Watch watch(*stub_, 0);
  EXPECT_EQ(watch.Next(), "s0:0!");
  service_->Drain();
  EXPECT_EQ(watch.Next(), "end");
  EXPECT_EQ(watch.Finish().code(), absl::StatusCode::kUnavailable);

  Watch late(*stub_, 0);
  EXPECT_EQ(late.Next(), "end");
  EXPECT_EQ(late.Finish().code(), absl::StatusCode::kUnavailable);
  v1::ImportEntitiesResponse response;
  EXPECT_EQ(Import("kind,id\n", &response).code(), absl::StatusCode::kUnavailable);
}

TEST_F(ContextServiceTest, EndsTheWatchOfARevokedToken) {
  Watch watch(*stub_, 0);
  EXPECT_EQ(watch.Next(), "s0:0!");
  registry_->EndEach([](const auto& stream) {
    return stream.call()->caller.token_id == "tdm_service"
               ? Error(absl::StatusCode::kUnauthenticated, "TOKEN_REVOKED", "revoked")
               : absl::OkStatus();
  });
  EXPECT_EQ(watch.Next(), "end");
  EXPECT_EQ(ReasonOf(watch.Finish()), "TOKEN_REVOKED");
}

TEST_F(ContextServiceTest, CutsOffAWatcherThatTakesNothing) {
  Restart({.heartbeat_every = absl::Milliseconds(20), .stuck_after = absl::Milliseconds(100)});
  v1::ImportEntitiesResponse response;
  std::string csv = "kind,id,note\n";
  const std::string note(2000, 'x');
  for (int i = 0; i < 2000; ++i) csv += fmt::format("device,d{},{}\n", i, note);
  ASSERT_TRUE(Import(csv, &response).ok());

  // 4 MB are far more than the connection holds, and nobody reads them.
  Watch watch(*stub_, 0);
  ASSERT_THAT(watch.Next(), StartsWith("s1:"));
  EXPECT_EQ(registry_->WaitUntilEmpty(absl::Seconds(20)), 0u);
  while (watch.Next() != "end") {
  }
  EXPECT_EQ(watch.Finish().code(), absl::StatusCode::kCancelled);
}

TEST_F(ContextServiceTest, SurvivesWatchersThatComeAndGo) {
  Restart({.heartbeat_every = absl::Milliseconds(5), .stuck_after = absl::Milliseconds(5)});
  for (int i = 0; i < 50; ++i) {
    Put("site/a", fmt::format("{}", i));
    Watch watch(*stub_, 0);
    if (i % 2 == 0) watch.Next();
  }
  EXPECT_EQ(registry_->WaitUntilEmpty(absl::Seconds(20)), 0u);
}

TEST_F(ContextServiceTest, RefusesMoreWatchesThanTheLimit) {
  Restart({.watches_max = 1});
  Watch watch(*stub_, 0);
  EXPECT_EQ(watch.Next(), "s0:0!");
  Watch second(*stub_, 0);
  EXPECT_EQ(second.Next(), "end");
  const absl::Status status = second.Finish();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(RetryOf(status).has_value());
}

TEST_F(ContextServiceTest, SaysWhenToRetryWhenItsQueueIsFull) {
  Restart({.import_queue_max = 0});
  v1::ImportEntitiesResponse response;
  const absl::Status status = Import("kind,id\nsite,a\n", &response);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(status), "QUEUE_FULL");
  EXPECT_EQ(RetryOf(status), absl::Seconds(1));
}

TEST_F(ContextServiceTest, LetsOnlyThoseInWhoMay) {
  const auto put = [&](const std::string& token) {
    ClientCall call(token);
    v1::PutEntityRequest request;
    request.mutable_entity()->set_name(Name("site/a"));
    v1::Entity entity;
    return rpc::FromGrpc(stub_->PutEntity(&call, request, &entity)).code();
  };
  EXPECT_EQ(put("nonsense"), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(put("service"), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(put("eve.other"), absl::StatusCode::kNotFound);
  EXPECT_EQ(put("ann.acme"), absl::StatusCode::kOk);

  ClientCall call("ann.acme");
  v1::WatchContextRequest request;
  request.set_parent("tenants/acme");
  EXPECT_EQ(stub_->WatchContext(&call, request)->Finish().error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(ContextServiceTest, AnswersForAnotherTenantByteForByteAsForNone) {
  Put("site/a", "A");
  // Message and details of what eve gets, with the name that she asked for written over.
  const auto answer = [&](const std::string& tenant) {
    ClientCall call("eve.other");
    call.AddMetadata("x-request-id", "1");
    v1::GetEntityRequest request;
    request.set_name(fmt::format("tenants/{}/entities/site/a", tenant));
    v1::Entity entity;
    const grpc::Status status = stub_->GetEntity(&call, request, &entity);
    std::string bytes = fmt::format("{} {} {}", static_cast<int>(status.error_code()),
                                    status.error_message(), status.error_details());
    for (std::size_t at; (at = bytes.find(tenant)) != std::string::npos;) {
      bytes.replace(at, tenant.size(), "****");
    }
    return bytes;
  };
  EXPECT_EQ(answer("acme"), answer("none"));
}

}  // namespace
}  // namespace tandem::context
