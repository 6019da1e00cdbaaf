#include "services/runtime/grpc_server.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "router/base/clock.h"
#include "router/base/status.h"
#include "router/rpc/grpc_status.h"
#include "router/rpc/outbound.h"
#include "router/rpc/server.h"
#include "tandem/v1/admin.grpc.pb.h"
#include "tandem/v1/feed.grpc.pb.h"

namespace tandem::runtime {
namespace {

using ::testing::HasSubstr;

class Everyone final : public rpc::Authenticator {
 public:
  absl::StatusOr<rpc::Caller> Authenticate(std::string_view token, absl::Time) const override {
    rpc::Caller caller;
    caller.role = rpc::Role::kAdmin;
    caller.token_id = std::string(token);
    return caller;
  }
  bool TenantExists(const TenantId&) const override { return true; }
};

// A stream that says one thing and then stays open until it is ended.
class Subscription final : public grpc::ServerWriteReactor<v1::FeedEvent>,
                           public rpc::DrainableStream {
 public:
  static grpc::ServerWriteReactor<v1::FeedEvent>* Start(const rpc::CallGuard& guard,
                                                        rpc::Call call) {
    auto self = std::make_shared<Subscription>(guard, std::move(call));
    self->self_ = self;
    self->registration_ = *guard.registry().Add(std::weak_ptr<DrainableStream>(self));
    v1::FeedEvent event;
    event.set_cursor("c-1");
    self->outbound_.Push(std::move(event));
    return self.get();
  }
  Subscription(const rpc::CallGuard& guard, rpc::Call call)
      : guard_(guard), call_(std::move(call)) {}

  void End(absl::Status status) override { outbound_.End(guard_.Close(call_, status)); }
  const rpc::Call* call() const override { return &call_; }
  void OnWriteDone(bool ok) override { outbound_.OnWriteDone(ok); }
  void OnCancel() override { End(absl::CancelledError("gone")); }
  void OnDone() override {
    registration_.Release();
    const auto last = std::move(self_);
  }

 private:
  const rpc::CallGuard& guard_;
  const rpc::Call call_;
  rpc::Outbound<v1::FeedEvent, grpc::ServerWriteReactor<v1::FeedEvent>> outbound_{
      this, {.messages_max = 8, .bytes_max = 1 << 20}};
  rpc::StreamRegistry::Registration registration_;
  std::shared_ptr<Subscription> self_;
};

class FeedService final : public v1::Feed::CallbackService {
 public:
  explicit FeedService(const rpc::CallGuard& guard) : guard_(guard) {}
  grpc::ServerWriteReactor<v1::FeedEvent>* Subscribe(grpc::CallbackServerContext* context,
                                                     const v1::SubscribeRequest*) override {
    rpc::Call call = guard_.Open(context, "/tandem.v1.Feed/Subscribe");
    if (const absl::Status status = guard_.Admit(*context, call); !status.ok()) {
      return new rpc::Refused<grpc::ServerWriteReactor<v1::FeedEvent>>(guard_.Close(call, status));
    }
    return Subscription::Start(guard_, std::move(call));
  }

 private:
  const rpc::CallGuard& guard_;
};

class AdminService final : public v1::Admin::CallbackService {
 public:
  explicit AdminService(const rpc::CallGuard& guard) : guard_(guard) {}
  grpc::ServerUnaryReactor* WhoAmI(grpc::CallbackServerContext* context, const v1::WhoAmIRequest*,
                                   v1::WhoAmIResponse*) override {
    return rpc::ServeNow(context, guard_, "/tandem.v1.Admin/WhoAmI",
                         [](const rpc::Call&) { return absl::OkStatus(); });
  }
  // Never answers.
  grpc::ServerUnaryReactor* ListTokens(grpc::CallbackServerContext* context,
                                       const v1::ListTokensRequest*,
                                       v1::ListTokensResponse* response) override {
    return rpc::ServeLater(context, guard_, "/tandem.v1.Admin/ListTokens", response,
                           [&](const rpc::Call&, rpc::Done<v1::ListTokensResponse> done) {
                             hanging_ = std::move(done);
                             hangs_.set_value();
                           });
  }
  std::promise<void> hangs_;

 private:
  const rpc::CallGuard& guard_;
  rpc::Done<v1::ListTokensResponse> hanging_;
};

struct GrpcServerTest : testing::Test {
  GrpcServerTest() { server = *Start({"127.0.0.1", 0}); }

  absl::StatusOr<std::unique_ptr<GrpcServer>> Start(const Endpoint& listen) {
    return GrpcServer::Start({.listen = listen,
                              .credentials = grpc::InsecureServerCredentials(),
                              .max_message = 64 << 10,
                              .reflection = true,
                              .registry = &registry},
                             {{"tandem.v1.Feed", &feed}, {"tandem.v1.Admin", &admin}});
  }

  std::shared_ptr<grpc::Channel> Network() {
    return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(server->bound_port()),
                                     grpc::InsecureChannelCredentials(),
                                     ClientChannelArguments(1 << 20));
  }

  static void Prepare(grpc::ClientContext& context) {
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    context.AddMetadata(rpc::kAuthorizationKey, "Bearer x");
  }

  absl::Status WhoAmI(const std::shared_ptr<grpc::Channel>& channel) {
    grpc::ClientContext context;
    Prepare(context);
    v1::WhoAmIResponse response;
    return rpc::FromGrpc(v1::Admin::NewStub(channel)->WhoAmI(&context, {}, &response));
  }

  // The raw answer of grpc.health.v1.Health/Check: its field 1 is the status, 1 SERVING, 2 not.
  int Health(const std::string& service) {
    grpc::ByteBuffer answer;
    grpc::Slice slice("\x0a" + std::string(1, static_cast<char>(service.size())) + service);
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ClientContext context;
    Prepare(context);
    grpc::TemplatedGenericStub<grpc::ByteBuffer, grpc::ByteBuffer> stub(Network());
    std::promise<grpc::Status> done;
    stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", {}, &request, &answer,
                   [&](grpc::Status status) { done.set_value(std::move(status)); });
    if (!done.get_future().get().ok()) return -1;
    std::vector<grpc::Slice> slices;
    answer.Dump(&slices);
    return slices.empty() || slices[0].size() < 2 ? 0 : slices[0].begin()[1];
  }

  Everyone everyone;
  SystemClock clock;
  rpc::StreamRegistry registry{100};
  rpc::CallGuard guard{
      {.authenticator = &everyone, .clock = &clock, .registry = &registry, .observer = nullptr}};
  FeedService feed{guard};
  AdminService admin{guard};
  std::unique_ptr<GrpcServer> server;
};

TEST_F(GrpcServerTest, ServesOnItsPortAndInTheProcess) {
  EXPECT_NE(server->bound_port(), 0);
  EXPECT_TRUE(WhoAmI(Network()).ok());
  EXPECT_TRUE(WhoAmI(server->InProcessChannel()).ok());
}

TEST_F(GrpcServerTest, SharesItsPortWithNobody) {
  const auto second = Start({"127.0.0.1", server->bound_port()});

  EXPECT_EQ(ReasonOf(second.status()), "LISTEN_FAILED");
  EXPECT_THAT(MessageOf(second.status()), HasSubstr("grpc.listen"));
}

TEST_F(GrpcServerTest, IsNotServingUntilItIsToldSo) {
  EXPECT_EQ(Health(""), 2);
  EXPECT_EQ(Health("tandem.v1.Feed"), 2);
  server->SetServing(true);
  EXPECT_EQ(Health(""), 1);
  EXPECT_EQ(Health("tandem.v1.Feed"), 1);
  server->SetServing("tandem.v1.Feed", false);
  EXPECT_EQ(Health("tandem.v1.Feed"), 2);
  EXPECT_EQ(Health(""), 1);
  EXPECT_EQ(Health("tandem.v1.Nothing"), -1);
}

TEST_F(GrpcServerTest, RefusesAMessageBeyondItsLimit) {
  grpc::ClientContext context;
  Prepare(context);
  v1::ListTokensRequest request;
  request.set_principal(std::string(100 << 10, 'x'));
  v1::ListTokensResponse response;
  const grpc::Status status =
      v1::Admin::NewStub(Network())->ListTokens(&context, request, &response);

  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("65536"));
}

TEST_F(GrpcServerTest, EndsStreamsOnADrain) {
  grpc::ClientContext context;
  Prepare(context);
  const auto reader = v1::Feed::NewStub(Network())->Subscribe(&context, {});
  v1::FeedEvent event;
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.cursor(), "c-1");
  server->Drain({absl::ZeroDuration(), absl::Seconds(60)});

  EXPECT_FALSE(reader->Read(&event));
  const absl::Status status = rpc::FromGrpc(reader->Finish());
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(status), "STOPPING");
}

TEST_F(GrpcServerTest, EndsTheStreamsOfARevokedToken) {
  grpc::ClientContext context;
  Prepare(context);
  const auto reader = v1::Feed::NewStub(Network())->Subscribe(&context, {});
  v1::FeedEvent event;
  ASSERT_TRUE(reader->Read(&event));
  registry.EndEach([](const auto& stream) {
    return stream.call()->caller.token_id == "x"
               ? Error(absl::StatusCode::kUnauthenticated, "TOKEN_REVOKED", "revoked")
               : absl::OkStatus();
  });

  EXPECT_FALSE(reader->Read(&event));
  EXPECT_EQ(ReasonOf(rpc::FromGrpc(reader->Finish())), "TOKEN_REVOKED");
}

TEST_F(GrpcServerTest, DrainsThoughACallHangs) {
  grpc::ClientContext context;
  Prepare(context);
  auto call = std::async(std::launch::async, [&] {
    v1::ListTokensResponse response;
    return v1::Admin::NewStub(Network())->ListTokens(&context, {}, &response);
  });
  admin.hangs_.get_future().wait();
  server->Drain({absl::ZeroDuration(), absl::Seconds(60)});

  EXPECT_EQ(ReasonOf(rpc::FromGrpc(call.get())), "STOPPING");
}

TEST_F(GrpcServerTest, DrainsThoughSomebodyWatchesItsHealth) {
  grpc::ClientContext context;
  Prepare(context);
  struct Watcher final : grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
    void OnReadDone(bool ok) override {
      if (ok && !std::exchange(seen, true)) first.set_value();
      if (ok) StartRead(&answer);
    }
    void OnDone(const grpc::Status&) override { done.set_value(); }
    grpc::ByteBuffer answer;
    bool seen = false;
    std::promise<void> first, done;
  } watcher;
  grpc::TemplatedGenericStub<grpc::ByteBuffer, grpc::ByteBuffer> stub(Network());
  grpc::Slice nothing("");
  grpc::ByteBuffer request(&nothing, 1);
  stub.PrepareBidiStreamingCall(&context, "/grpc.health.v1.Health/Watch", {}, &watcher);
  watcher.StartWriteLast(&request, {});
  watcher.StartRead(&watcher.answer);
  watcher.StartCall();
  watcher.first.get_future().wait();
  server->Drain({absl::ZeroDuration(), absl::Seconds(60)});

  watcher.done.get_future().wait();
}

TEST_F(GrpcServerTest, CutsItsLameduckShortWhenItIsTold) {
  EXPECT_FALSE(server->EndLameduck());
  std::thread draining([&] { server->Drain({absl::Hours(1), absl::Hours(2)}); });
  while (!server->EndLameduck()) std::this_thread::yield();
  draining.join();

  EXPECT_FALSE(server->EndLameduck());
  EXPECT_EQ(WhoAmI(Network()).code(), absl::StatusCode::kUnavailable);
}

TEST_F(GrpcServerTest, TakesNoCallAfterADrain) {
  const auto channel = Network();
  EXPECT_TRUE(WhoAmI(channel).ok());
  server->Drain({absl::Milliseconds(1), absl::Seconds(60)});
  server->Drain({absl::ZeroDuration(), absl::Seconds(60)});

  EXPECT_EQ(WhoAmI(channel).code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace tandem::runtime
