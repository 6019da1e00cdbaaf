// The guard and its helpers against a real server in this process.
#include "router/rpc/server.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "router/base/status.h"
#include "router/rpc/grpc_status.h"
#include "tandem/v1/admin.grpc.pb.h"
#include "tandem/v1/feed.grpc.pb.h"

namespace tandem::rpc {
namespace {

using ::testing::ElementsAre;
using ::testing::MatchesRegex;

class Directory final : public Authenticator {
 public:
  absl::StatusOr<Caller> Authenticate(std::string_view token, absl::Time) const override {
    Caller caller;
    caller.principal = std::string(token);
    caller.token_id = "tdm_" + std::string(token);
    if (token == "admin") caller.role = Role::kAdmin;
    if (token == "viewer" || token == "admin") return caller;
    return Error(absl::StatusCode::kUnauthenticated, "TOKEN_INVALID", "unknown token");
  }
  bool TenantExists(const TenantId&) const override { return false; }
};

class Recorder final : public CallObserver {
 public:
  void Started(Method method) override { Add("started " + std::string(method.name())); }
  void Finished(const Call& call, const absl::Status& status, absl::Duration) override {
    Add("finished " + std::string(call.method.name()) + " " + ReasonOf(status));
  }
  std::vector<std::string> log() {
    const std::lock_guard lock(mutex_);
    return log_;
  }

 private:
  void Add(std::string line) {
    const std::lock_guard lock(mutex_);
    log_.push_back(std::move(line));
  }
  std::mutex mutex_;
  std::vector<std::string> log_;
};

// WhoAmI answers now; RevokeToken when the test says so; Subscribe refuses.
class Service final : public v1::Admin::CallbackService {
 public:
  explicit Service(const CallGuard& guard) : guard_(guard) {}

  grpc::ServerUnaryReactor* WhoAmI(grpc::CallbackServerContext* context, const v1::WhoAmIRequest*,
                                   v1::WhoAmIResponse* response) override {
    return ServeNow(context, guard_, "/tandem.v1.Admin/WhoAmI", [&](const Call& call) {
      response->mutable_principal()->set_id(call.caller.principal);
      response->mutable_principal()->set_display_name(call.trace ? call.trace->trace_id : "");
      response->set_token_id(call.peer);
      return absl::OkStatus();
    });
  }

  grpc::ServerUnaryReactor* ListTokens(grpc::CallbackServerContext* context,
                                       const v1::ListTokensRequest*,
                                       v1::ListTokensResponse* response) override {
    return ServeLater(
        context, guard_, "/tandem.v1.Admin/ListTokens", response,
        [&](const Call&, Done<v1::ListTokensResponse> done) { taken_.set_value(std::move(done)); });
  }

  std::promise<Done<v1::ListTokensResponse>> taken_;

 private:
  const CallGuard& guard_;
};

class FeedService final : public v1::Feed::CallbackService {
 public:
  explicit FeedService(const CallGuard& guard) : guard_(guard) {}
  grpc::ServerWriteReactor<v1::FeedEvent>* Subscribe(grpc::CallbackServerContext* context,
                                                     const v1::SubscribeRequest*) override {
    const Call call = guard_.Open(context, "/tandem.v1.Feed/Subscribe");
    return new Refused<grpc::ServerWriteReactor<v1::FeedEvent>>(
        guard_.Close(call, Error(absl::StatusCode::kUnavailable, "NOT_TODAY", "closed")));
  }

 private:
  const CallGuard& guard_;
};

struct ServerTest : testing::Test {
  ServerTest() {
    grpc::ServerBuilder builder;
    builder.RegisterService(&service);
    builder.RegisterService(&feed);
    server = builder.BuildAndStart();
    channel = server->InProcessChannel({});
    stub = v1::Admin::NewStub(channel);
  }

  static void Prepare(grpc::ClientContext& context, const std::string& authorization) {
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    if (!authorization.empty()) context.AddMetadata(kAuthorizationKey, authorization);
  }

  absl::Status WhoAmI(const std::string& authorization) {
    grpc::ClientContext context;
    Prepare(context, authorization);
    return FromGrpc(stub->WhoAmI(&context, {}, &who));
  }

  // Starts ListTokens in a thread of its own and waits until the handler has it.
  std::future<absl::Status> StartLater() {
    auto result = std::async(std::launch::async, [this] {
      Prepare(later_context, "Bearer admin");
      return FromGrpc(stub->ListTokens(&later_context, {}, &tokens));
    });
    done = service.taken_.get_future().get();
    return result;
  }

  Directory directory;
  ManualClock clock{absl::FromUnixSeconds(1'800'000'000)};
  StreamRegistry registry{10};
  Recorder recorder;
  CallGuard guard{
      {.authenticator = &directory, .clock = &clock, .registry = &registry, .observer = &recorder}};
  Service service{guard};
  FeedService feed{guard};
  std::unique_ptr<grpc::Server> server;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::Admin::Stub> stub;
  v1::WhoAmIResponse who;
  v1::ListTokensResponse tokens;
  grpc::ClientContext later_context;
  Done<v1::ListTokensResponse> done;
};

TEST_F(ServerTest, LetsAKnownCallerIn) {
  EXPECT_TRUE(WhoAmI("Bearer viewer").ok());
  EXPECT_EQ(who.principal().id(), "viewer");
  EXPECT_TRUE(WhoAmI("bEARER viewer").ok());
}

TEST_F(ServerTest, TellsAMissingAMalformedAndAnUnknownTokenApart) {
  EXPECT_EQ(ReasonOf(WhoAmI("")), "TOKEN_MISSING");
  EXPECT_EQ(ReasonOf(WhoAmI("Basic dXNlcg==")), "TOKEN_INVALID");
  EXPECT_EQ(ReasonOf(WhoAmI("Bearer ")), "TOKEN_INVALID");
  EXPECT_EQ(WhoAmI("Bearer nobody").code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(ServerTest, RefusesTwoTokens) {
  grpc::ClientContext context;
  Prepare(context, "Bearer viewer");
  context.AddMetadata(kAuthorizationKey, "Bearer admin");

  EXPECT_EQ(ReasonOf(FromGrpc(stub->WhoAmI(&context, {}, &who))), "TOKEN_INVALID");
}

TEST_F(ServerTest, RefusesACallerWhoseRoleIsTooLow) {
  grpc::ClientContext context;
  Prepare(context, "Bearer viewer");
  const absl::Status status = FromGrpc(stub->ListTokens(&context, {}, &tokens));

  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ReasonOf(status), "ROLE_INSUFFICIENT");
}

TEST_F(ServerTest, AnswersWithTheRequestIdOfTheCallerOrANewOne) {
  grpc::ClientContext named, unnamed;
  Prepare(named, "Bearer viewer");
  named.AddMetadata(kRequestIdKey, "r-42");
  Prepare(unnamed, "");
  EXPECT_TRUE(stub->WhoAmI(&named, {}, &who).ok());
  const grpc::Status refused = stub->WhoAmI(&unnamed, {}, &who);

  const auto id = [](const grpc::ClientContext& context) {
    const auto found = context.GetServerInitialMetadata().find(kRequestIdKey);
    return found == context.GetServerInitialMetadata().end()
               ? std::string()
               : std::string(found->second.data(), found->second.size());
  };
  EXPECT_EQ(id(named), "r-42");
  EXPECT_THAT(id(unnamed), MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-"
                                        "[0-9a-f]{12}"));
  EXPECT_EQ(RequestIdOf(refused), id(unnamed));
}

TEST_F(ServerTest, TakesTraceAndPeerFromItsOwnProcess) {
  grpc::ClientContext context;
  Prepare(context, "Bearer viewer");
  context.AddMetadata(kTraceparentKey, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  context.AddMetadata(kPeerKey, "ipv4:192.0.2.7:51234");
  EXPECT_TRUE(stub->WhoAmI(&context, {}, &who).ok());

  EXPECT_EQ(who.principal().display_name(), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(who.token_id(), "ipv4:192.0.2.7:51234");
}

TEST_F(ServerTest, DoesNotBelieveThePeerThatANetworkCallerClaims) {
  grpc::ServerBuilder builder;
  int port = 0;
  Service networked(guard);
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&networked);
  const auto listening = builder.BuildAndStart();
  const auto remote = v1::Admin::NewStub(
      grpc::CreateChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  Prepare(context, "Bearer viewer");
  context.AddMetadata(kPeerKey, "ipv4:192.0.2.7:51234");
  EXPECT_TRUE(remote->WhoAmI(&context, {}, &who).ok());

  EXPECT_THAT(who.token_id(), testing::StartsWith("ipv4:127.0.0.1:"));
}

TEST_F(ServerTest, TellsTheObserverOfEachCallWhateverBecameOfIt) {
  EXPECT_TRUE(WhoAmI("Bearer viewer").ok());
  EXPECT_FALSE(WhoAmI("").ok());

  EXPECT_THAT(recorder.log(),
              ElementsAre("started /tandem.v1.Admin/WhoAmI", "finished /tandem.v1.Admin/WhoAmI OK",
                          "started /tandem.v1.Admin/WhoAmI",
                          "finished /tandem.v1.Admin/WhoAmI TOKEN_MISSING"));
}

TEST_F(ServerTest, RefusesAStream) {
  grpc::ClientContext context;
  Prepare(context, "Bearer viewer");
  const auto reader = v1::Feed::NewStub(channel)->Subscribe(&context, {});
  v1::FeedEvent event;

  EXPECT_FALSE(reader->Read(&event));
  EXPECT_EQ(ReasonOf(FromGrpc(reader->Finish())), "NOT_TODAY");
}

TEST_F(ServerTest, AnswersLaterFromAnotherThread) {
  auto result = StartLater();
  v1::ListTokensResponse answer;
  answer.add_tokens()->set_id("tdm_1");
  std::thread([&] { done(answer); }).join();

  EXPECT_TRUE(result.get().ok());
  EXPECT_EQ(tokens.tokens(0).id(), "tdm_1");
}

TEST_F(ServerTest, CarriesALateErrorAndDropsASecondAnswer) {
  auto result = StartLater();
  done(Error(absl::StatusCode::kNotFound, "PRINCIPAL_NOT_FOUND", "no such principal"));
  done(v1::ListTokensResponse());

  EXPECT_EQ(ReasonOf(result.get()), "PRINCIPAL_NOT_FOUND");
}

TEST_F(ServerTest, SaysSoWhenTheAnswerIsLost) {
  auto result = StartLater();
  done = nullptr;
  service.taken_ = {};

  const absl::Status status = result.get();
  EXPECT_EQ(ReasonOf(status), "ANSWER_LOST");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
}

TEST_F(ServerTest, EndsAHangingCallOnADrainAndThenShutsDown) {
  auto result = StartLater();
  registry.EndAll(Error(absl::StatusCode::kUnavailable, "STOPPING", "the process stops"));

  EXPECT_EQ(ReasonOf(result.get()), "STOPPING");
  server->Shutdown();  // Would hang forever on a call that nobody has finished.
  EXPECT_EQ(registry.WaitUntilEmpty(absl::Seconds(60)), 0u);
  done(v1::ListTokensResponse());  // Too late: touches nothing that gRPC has freed.
}

TEST_F(ServerTest, LetsGoOfACallThatItsCallerHasCancelled) {
  auto result = StartLater();
  later_context.TryCancel();

  EXPECT_EQ(result.get().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(registry.WaitUntilEmpty(absl::Seconds(60)), 0u);
}

}  // namespace
}  // namespace tandem::rpc
