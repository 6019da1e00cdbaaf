// A client certificate as credential, over real TLS.
#include <gmock/gmock.h>
#include <grpc/support/log.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <fstream>

#include "router/base/clock.h"
#include "router/base/status.h"
#include "router/rpc/grpc_status.h"
#include "router/rpc/server.h"
#include "services/runtime/grpc_server.h"
#include "services/runtime/tls.h"
#include "tandem/v1/admin.grpc.pb.h"
#include "tests/support/identity.h"
#include "tests/support/temporary_folder.h"

namespace tandem::runtime {
namespace {

using tandem::testing::Identity;

// Tokens are called as their principals are.
class Phonebook final : public rpc::Authenticator {
 public:
  absl::StatusOr<rpc::Caller> Authenticate(std::string_view token, absl::Time now) const override {
    return AuthenticateCertificate(token, now);
  }
  absl::StatusOr<rpc::Caller> AuthenticateCertificate(std::string_view principal,
                                                      absl::Time) const override {
    rpc::Caller caller;
    caller.principal = std::string(principal);
    if (principal == "agent-1") {
      caller.role = rpc::Role::kAgent;
    } else if (principal == "ann") {
      caller.role = rpc::Role::kViewer;
    } else if (principal == "bridge") {
      caller.role = rpc::Role::kService;
    } else {
      return Error(absl::StatusCode::kUnauthenticated, "CERTIFICATE_UNKNOWN", "who?");
    }
    return caller;
  }
  bool TenantExists(const TenantId&) const override { return true; }
};

class WhoAmIService final : public v1::Admin::CallbackService {
 public:
  explicit WhoAmIService(const rpc::CallGuard* guard) : guard_(guard) {}
  grpc::ServerUnaryReactor* WhoAmI(grpc::CallbackServerContext* context, const v1::WhoAmIRequest*,
                                   v1::WhoAmIResponse* response) override {
    return rpc::ServeNow(context, *guard_, "/tandem.v1.Admin/WhoAmI", [&](const rpc::Call& call) {
      response->mutable_principal()->set_id(call.caller.principal);
      return absl::OkStatus();
    });
  }

 private:
  const rpc::CallGuard* guard_;
};

struct CertificateCallerTest : ::testing::Test {
  CertificateCallerTest() {
    gpr_set_log_function([](gpr_log_func_args*) {});  // Every refused handshake is a line.
    const TlsFiles files{.cert = Write("server.pem", server_identity.cert()),
                         .key = Write("server.key", server_identity.key()),
                         .client_ca = Write("ca.pem", ca.cert())};
    auto started = GrpcServer::Start({.listen = {"127.0.0.1", 0},
                                      .credentials = *ServerCredentials(files, clock.Now()),
                                      .reflection = false,
                                      .registry = &registry},
                                     {{"tandem.v1.Admin", &service}});
    EXPECT_TRUE(started.ok()) << started.status();
    server = *std::move(started);
  }

  std::string Write(const std::string& name, const std::string& content) const {
    std::ofstream(folder.File(name)) << content;
    return folder.File(name);
  }

  // Who the server takes the caller for, or the reason why it does not.
  std::string WhoIs(const Identity* identity, const std::string& token = "") {
    grpc::SslCredentialsOptions options{.pem_root_certs = ca.cert()};
    if (identity != nullptr) {
      options.pem_private_key = identity->key();
      options.pem_cert_chain = identity->cert();
    }
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const auto stub = v1::Admin::NewStub(
        grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(server->bound_port()),
                                  grpc::SslCredentials(options), arguments));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    if (!token.empty()) context.AddMetadata(rpc::kAuthorizationKey, "Bearer " + token);
    v1::WhoAmIResponse response;
    const grpc::Status status = stub->WhoAmI(&context, {}, &response);
    if (status.ok()) return response.principal().id();
    return status.error_code() == grpc::StatusCode::UNAVAILABLE ? "no handshake"
                                                                : ReasonOf(rpc::FromGrpc(status));
  }

  tandem::testing::TemporaryFolder folder;
  SystemClock clock;
  rpc::StreamRegistry registry{10};
  Phonebook phonebook;
  rpc::CallGuard guard{{.authenticator = &phonebook, .clock = &clock, .registry = &registry}};
  WhoAmIService service{&guard};
  Identity ca{{.name = "test ca"}};
  Identity server_identity{{.serial = 2}, &ca};
  Identity agent{{.name = "ann", .serial = 3, .san = "URI:tandem://principals/agent-1"}, &ca};
  Identity bridge{{.serial = 4, .san = "URI:tandem://principals/bridge"}, &ca};
  Identity nameless{{.name = "agent-1", .serial = 5}, &ca};
  std::unique_ptr<GrpcServer> server;
};

TEST_F(CertificateCallerTest, NeedsNoTokenBesides) {
  EXPECT_EQ(WhoIs(&agent), "agent-1");
  EXPECT_EQ(WhoIs(&agent, "agent-1"), "agent-1");
}

TEST_F(CertificateCallerTest, OfAnotherPrincipalThanTheTokenIsRefused) {
  EXPECT_EQ(WhoIs(&agent, "ann"), "CREDENTIALS_DIFFER");
  EXPECT_EQ(WhoIs(&agent, "nobody"), "CERTIFICATE_UNKNOWN");
}

TEST_F(CertificateCallerTest, OfAServiceMayBringTheTokenOfWhomItSpeaksFor) {
  EXPECT_EQ(WhoIs(&bridge, "ann"), "ann");
}

TEST_F(CertificateCallerTest, WithoutAUriNamesNobody) {
  EXPECT_EQ(WhoIs(&nameless), "TOKEN_MISSING");
  EXPECT_EQ(WhoIs(nullptr), "TOKEN_MISSING");
  EXPECT_EQ(WhoIs(&nameless, "ann"), "ann");
}

TEST_F(CertificateCallerTest, OfAnUnknownPrincipalIsRefused) {
  const Identity stranger({.serial = 6, .san = "URI:tandem://principals/stranger"}, &ca);
  const Identity odd({.serial = 7, .san = "URI:tandem://tenants/plant"}, &ca);

  EXPECT_EQ(WhoIs(&stranger), "CERTIFICATE_UNKNOWN");
  EXPECT_EQ(WhoIs(&odd), "CERTIFICATE_INVALID");
}

TEST_F(CertificateCallerTest, OfAnotherAuthorityOrOutOfDateMeetsNoHandler) {
  const Identity other_ca({.name = "test ca"});
  const Identity forged({.serial = 3, .san = "URI:tandem://principals/agent-1"}, &other_ca);
  const Identity self_made({.san = "URI:tandem://principals/agent-1"});
  const Identity expired({.serial = 8,
                          .valid_from_s = -7200,
                          .valid_until_s = -3600,
                          .san = "URI:tandem://principals/agent-1"},
                         &ca);

  EXPECT_EQ(WhoIs(&forged), "no handshake");
  EXPECT_EQ(WhoIs(&self_made), "no handshake");
  EXPECT_EQ(WhoIs(&expired), "no handshake");
}

}  // namespace
}  // namespace tandem::runtime
