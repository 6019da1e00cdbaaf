#include "tests/wire/rig.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>
#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <future>
#include <utility>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "router/api/feed_service.h"
#include "router/api/ingest_service.h"
#include "router/api/services.h"
#include "router/base/check.h"
#include "router/context/limits.h"
#include "router/rpc/token.h"

namespace tandem::wire {
namespace {

const google::protobuf::MethodDescriptor* FindMethod(std::string_view method) {
  std::string name(method.substr(1));
  std::replace(name.begin(), name.end(), '/', '.');
  const auto* found = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(name);
  TANDEM_CHECK(found != nullptr, "the method is declared");
  return found;
}

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

std::string ToString(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

// Waits for what was just begun; whether it went well.
bool Next(grpc::CompletionQueue& queue) {
  void* tag = nullptr;
  bool ok = false;
  const auto deadline = std::chrono::system_clock::now() + kPatience;
  TANDEM_CHECK(queue.AsyncNext(&tag, &ok, deadline) == grpc::CompletionQueue::GOT_EVENT,
               "the server answers");
  return ok;
}

}  // namespace

std::string Reply::Text() const {
  if (status.ok()) return "OK";
  const absl::Status error = this->error();
  std::string text = fmt::format("{} {}", absl::StatusCodeToString(error.code()), ReasonOf(error));
  for (const FieldError& field : FieldsOf(error)) {
    text += fmt::format(" [{}: {}]", field.field, field.description);
  }
  return text + " " + status.error_message();
}

Context::Context(const std::string& token) {
  context_.set_deadline(std::chrono::system_clock::now() + kPatience);
  context_.AddMetadata(rpc::kRequestIdKey, kRequestId);
  if (!token.empty()) context_.AddMetadata(rpc::kAuthorizationKey, "Bearer " + token);
}

std::string RequestBytes(std::string_view method, const std::string& text) {
  const google::protobuf::Descriptor* type = FindMethod(method)->input_type();
  const std::unique_ptr<google::protobuf::Message> message(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, message.get())) << text;
  return message->SerializeAsString();
}

std::string EachAlone(const std::string& tenant) {
  return fmt::format(R"(playbook: 1
tenant: {}
contacts:
  desk: {{side: provider, webhook: {{url: "https://hooks.example/desk"}}}}
teams:
  noc: {{side: provider, contacts: [desk]}}
escalations:
  ladder: {{steps: [{{after: 0s, notify: [noc]}}]}}
rules:
  - name: all
    owner: noc
    handling: autonomous
    escalation: ladder
    group_by: ["..."]
    reason: Each alert stands alone.
)",
                     tenant);
}

void ExpectWellFormed(const grpc::Status& status) {
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_EQ(details.code(), static_cast<int>(status.error_code()));
  EXPECT_EQ(details.message(), status.error_message());
  EXPECT_NE(status.error_message(), "");
  google::rpc::ErrorInfo info;
  ASSERT_GE(details.details_size(), 2);
  ASSERT_TRUE(details.details(0).UnpackTo(&info));
  EXPECT_EQ(info.domain(), "tandem.v1");
  EXPECT_THAT(info.reason(), ::testing::MatchesRegex("[A-Z][A-Z0-9_]+"));
  EXPECT_EQ(rpc::RequestIdOf(status), kRequestId);
  if (status.error_code() == grpc::StatusCode::INVALID_ARGUMENT) {
    EXPECT_FALSE(FieldsOf(rpc::FromGrpc(status)).empty()) << status.error_message();
  }
  // A message is one line for a terminal, and never one that moves its cursor.
  for (const char c : status.error_message()) {
    EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F) << status.error_message();
  }
}

Rig::Rig() : journal_(journal::NewMemoryJournal()) {
  auto feed = api::FeedHub::Start(journal_.get(), &clock_, {});
  TANDEM_CHECK(feed.ok(), "the feed starts");
  feed_ = *std::move(feed);
  deliveries_ = std::make_unique<api::DeliveryHub>(journal_.get());
  auto engine = engine::Engine::Start(
      journal_.get(), {.clock = &clock_, .sinks = {feed_.get(), deliveries_.get()}});
  TANDEM_CHECK(engine.ok(), "the engine starts");
  engine_ = *std::move(engine);
  auto readers = api::ReaderPool::Start(journal_.get(), {});
  TANDEM_CHECK(readers.ok(), "the readers start");
  readers_ = *std::move(readers);
  directory_ = std::make_unique<api::Directory>(engine_.get());
  guard_ = std::make_unique<rpc::CallGuard>(rpc::CallGuard::Parts{
      .authenticator = directory_.get(), .clock = &clock_, .registry = &registry_});
  credentials_ = std::make_unique<rpc::CredentialWatch>(
      rpc::CredentialWatch::Options{.registry = &registry_,
                                    .authenticator = directory_.get(),
                                    .clock = &clock_,
                                    .look_every = absl::Milliseconds(20)});
  api_ = std::make_unique<api::RouterApi>(
      api::RouterApi::Parts{.engine = engine_.get(),
                            .readers = readers_.get(),
                            .authenticator = directory_.get(),
                            .clock = &clock_,
                            .on_installation_changed = [this] { credentials_->Wake(); }});
  auto context =
      context::ContextService::Open({.path = folder_.File("context.db"), .guard = guard_.get()});
  TANDEM_CHECK(context.ok(), "the context service opens");
  context_ = *std::move(context);
  Serve();
  Bootstrap();
}

Rig::~Rig() {
  context_->Drain();
  server_->Drain({absl::ZeroDuration(), absl::Seconds(30)});
  credentials_->Stop();
  engine_->Stop();
  readers_->Stop();
  feed_->Stop();
}

void Rig::Serve() {
  std::vector<runtime::ServedService> served;
  const auto add = [&](std::unique_ptr<grpc::Service> service) {
    served.push_back({"", service.get()});
    services_.push_back(std::move(service));
  };
  add(std::make_unique<api::AlertIngestService>(engine_.get(), guard_.get(),
                                                api::AlertIngestService::Options{}));
  add(std::make_unique<api::IncidentsService>(api_.get(), guard_.get()));
  add(std::make_unique<api::PlaybooksService>(api_.get(), guard_.get()));
  add(std::make_unique<api::AdminService>(api_.get(), guard_.get()));
  add(std::make_unique<api::FeedService>(feed_.get(), engine_.get(), guard_.get()));
  add(std::make_unique<api::DeliveriesService>(api_.get(), deliveries_.get(), guard_.get()));
  served.push_back({"", context_->service()});
  auto server = runtime::GrpcServer::Start({.listen = {"127.0.0.1", 0},
                                            .credentials = grpc::InsecureServerCredentials(),
                                            .max_message = context::kImportBytesMax + (64 << 10),
                                            .registry = &registry_},
                                           std::move(served));
  TANDEM_CHECK(server.ok(), "the server listens");
  server_ = *std::move(server);
  grpc::ChannelArguments arguments;
  arguments.SetMaxSendMessageSize(-1);
  channel_ = grpc::CreateCustomChannel(fmt::format("127.0.0.1:{}", server_->bound_port()),
                                       grpc::InsecureChannelCredentials(), arguments);
}

// The first administrator comes as tandemd makes one; everything else through the front door.
void Rig::Bootstrap() {
  const rpc::NewToken token = rpc::MakeToken();
  admin_ = token.text;
  const std::vector<core::InstallationFact> wanted = {
      core::PrincipalPut{.id = "admin",
                         .display_name = "Administrator",
                         .side = Side::kProvider,
                         .role = core::PrincipalRole::kAdmin,
                         .all_tenants = true},
      core::TokenCreated{.id = token.id,
                         .secret_hash = token.sha256,
                         .principal = "admin",
                         .created = kNoon,
                         .expires = absl::InfiniteFuture()}};
  for (const core::InstallationFact& fact : wanted) {
    std::promise<absl::Status> done;
    engine_->Submit(
        {.tenant = core::kInstallation,
         .request = core::InstallationInput{{"tandem", Side::kUnspecified}, fact},
         .done = [&done](absl::StatusOr<engine::Reply> reply) { done.set_value(reply.status()); }});
    TANDEM_CHECK(done.get_future().get().ok(), "the administrator is made");
  }
  for (const std::string tenant : {"harbor", "mill"}) {
    Must<v1::Tenant>("/tandem.v1.Admin/CreateTenant", admin_,
                     fmt::format("tenant {{ name: 'tenants/{}' }}", tenant));
    v1::ActivatePlaybookRequest request;
    request.set_parent("tenants/" + tenant);
    request.set_source(EachAlone(tenant));
    request.set_comment("for the tests");
    const Reply reply =
        CallBytes("/tandem.v1.Playbooks/ActivatePlaybook", admin_, request.SerializeAsString());
    TANDEM_CHECK(reply.status.ok(), "the playbook goes live");
  }
}

Reply Rig::CallBytes(std::string_view method, const std::string& token, const std::string& bytes) {
  const bool streams = FindMethod(method)->server_streaming();
  Context context(token);
  grpc::CompletionQueue queue;
  grpc::GenericStub stub(channel_);
  const auto call = stub.PrepareCall(context.get(), std::string(method), &queue);
  call->StartCall(nullptr);
  Reply reply;
  grpc::ByteBuffer answer;
  if (Next(queue)) {
    call->Write(ToBuffer(bytes), nullptr);
    if (Next(queue)) {
      call->WritesDone(nullptr);
      Next(queue);
    }
    call->Read(&answer, nullptr);
    if (Next(queue)) {
      reply.body = ToString(answer);
      if (streams) context->TryCancel();
    }
  }
  call->Finish(&reply.status, nullptr);
  Next(queue);
  if (streams && !reply.body.empty()) reply.status = grpc::Status::OK;
  queue.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue.Next(&tag, &ok)) {
  }
  return reply;
}

std::string Rig::NewToken(const Who& who) {
  std::string tenants;
  for (const std::string& tenant : who.tenants) tenants += fmt::format("'tenants/{}',", tenant);
  if (!tenants.empty()) tenants.pop_back();
  Must<v1::Principal>(
      "/tandem.v1.Admin/PutPrincipal", admin_,
      fmt::format("principal {{ id: '{}' role: {} side: {} tenants: [{}] }}", who.principal,
                  v1::Role_Name(who.role), v1::Side_Name(who.side), tenants));
  return Must<v1::CreateTokenResponse>("/tandem.v1.Admin/CreateToken", admin_,
                                       fmt::format("principal: '{}'", who.principal))
      .secret();
}

std::uint64_t Rig::HeadOf(const std::string& tenant) {
  const auto reader = journal_->OpenReader();
  TANDEM_CHECK(reader.ok(), "a reader opens");
  const auto heads = (*reader)->ReadHeads();
  TANDEM_CHECK(heads.ok(), "the heads can be read");
  for (const journal::TenantHead& head : *heads) {
    if (head.tenant.value == tenant) return head.sequence.value;
  }
  return 0;
}

std::string Rig::WholeJournal() {
  const auto reader = journal_->OpenReader();
  TANDEM_CHECK(reader.ok(), "a reader opens");
  const auto heads = (*reader)->ReadHeads();
  TANDEM_CHECK(heads.ok(), "the heads can be read");
  std::string all;
  for (const journal::TenantHead& head : *heads) {
    TANDEM_CHECK((*reader)
                     ->ReadRecords(head.tenant, Sequence(1),
                                   [&](const journal::RecordRow& row) {
                                     all += row.body;
                                     return true;
                                   })
                     .ok(),
                 "the history can be read");
  }
  return all;
}

}  // namespace tandem::wire
