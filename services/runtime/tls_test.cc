#include "services/runtime/tls.h"

#include <gmock/gmock.h>
#include <grpc/support/log.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "router/base/clock.h"
#include "router/base/status.h"
#include "services/runtime/grpc_server.h"
#include "tests/support/identity.h"

namespace tandem::runtime {
namespace {

using ::testing::HasSubstr;

using tandem::testing::Identity;

struct TlsTest : ::testing::Test {
  TlsTest() {
    gpr_set_log_function([](gpr_log_func_args*) {});  // Every refused handshake is a line.
    std::string pattern = ::testing::TempDir() + "/tandem_tls_XXXXXX";
    folder = mkdtemp(pattern.data());
    Write("ca.pem", ca.cert());
    WriteIdentity(server_identity);
    Write("client.pem", client_identity.cert());
    Write("client.key", client_identity.key());
  }
  ~TlsTest() override { std::filesystem::remove_all(folder); }

  std::string Path(const std::string& name) const { return folder + "/" + name; }
  // Atomically, so that a watcher never reads half a file.
  std::string Write(const std::string& name, const std::string& content) const {
    std::ofstream(Path(name + ".new")) << content;
    std::filesystem::rename(Path(name + ".new"), Path(name));
    return Path(name);
  }
  void WriteIdentity(const Identity& identity) const {
    Write("server.key", identity.key());
    Write("server.pem", identity.cert());
  }

  TlsFiles Files() const { return {Path("server.pem"), Path("server.key"), "", false}; }
  absl::Status Check(const TlsFiles& files) const { return CheckTlsFiles(files, clock.Now()); }

  std::unique_ptr<GrpcServer> Serve(const TlsFiles& files) {
    auto credentials = ServerCredentials(files, clock.Now(), absl::Seconds(1));
    EXPECT_TRUE(credentials.ok()) << credentials.status();
    auto server = GrpcServer::Start({.listen = {"127.0.0.1", 0},
                                     .credentials = *credentials,
                                     .max_message = 1 << 20,
                                     .reflection = false,
                                     .registry = &registry},
                                    {});
    EXPECT_TRUE(server.ok()) << server.status();
    return *std::move(server);
  }

  // One health check over a connection of its own; UNIMPLEMENTED and the like would be an answer
  // too. UNAVAILABLE: no handshake.
  grpc::Status Call(const GrpcServer& server,
                    const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    grpc::GenericStub stub(grpc::CreateCustomChannel(
        "127.0.0.1:" + std::to_string(server.bound_port()), credentials, arguments));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    grpc::Slice nothing("");
    const grpc::ByteBuffer request(&nothing, 1);
    grpc::CompletionQueue queue;
    grpc::ByteBuffer answer;
    grpc::Status status;
    const auto call =
        stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", request, &queue);
    call->StartCall();
    call->Finish(&answer, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    return status;
  }

  std::shared_ptr<grpc::ChannelCredentials> Trusting(const std::string& ca_pem) {
    return grpc::SslCredentials(
        {.pem_root_certs = ca_pem, .pem_private_key = "", .pem_cert_chain = ""});
  }

  std::string folder;
  SystemClock clock;
  rpc::StreamRegistry registry{10};
  Identity ca{{.name = "test ca"}};
  Identity server_identity{{.name = "localhost", .serial = 2}, &ca};
  Identity client_identity{{.name = "client", .serial = 3}, &ca};
};

TEST_F(TlsTest, AcceptsAMatchingPair) {
  EXPECT_TRUE(Check(Files()).ok()) << Check(Files());
  EXPECT_TRUE(Check({}).ok());
  const auto dates = ReadCertificateDates(Path("server.pem"));
  EXPECT_GT(dates->not_after, clock.Now());
  EXPECT_LT(dates->not_before, clock.Now());
}

TEST_F(TlsTest, NamesTheFileThatCannotBeRead) {
  TlsFiles files = Files();
  files.key = Path("nowhere.key");

  EXPECT_EQ(Check(files).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(MessageOf(Check(files)), Path("nowhere.key") +
                                         ": cannot be read: is the path right, and may this user "
                                         "read it?");
}

TEST_F(TlsTest, NamesAFileThatIsNoPem) {
  TlsFiles files = Files();
  files.cert = Path("server.key");
  EXPECT_EQ(MessageOf(Check(files)), Path("server.key") + ": holds no PEM certificate");
  files = Files();
  files.key = Path("server.pem");
  EXPECT_THAT(MessageOf(Check(files)), HasSubstr("holds no PEM private key"));
  files.key = Write("locked.key", server_identity.key_under_passphrase());
  EXPECT_THAT(MessageOf(Check(files)), HasSubstr("or one under a passphrase"));
}

TEST_F(TlsTest, RefusesAKeyOfAnotherCertificate) {
  TlsFiles files = Files();
  files.key = Path("client.key");

  EXPECT_EQ(MessageOf(Check(files)), Path("client.key") +
                                         ": is not the key of the certificate in " +
                                         Path("server.pem") + "; was only one of the two renewed?");
}

TEST_F(TlsTest, RefusesACertificateOutsideItsTime) {
  const Identity expired({.valid_from_s = -7200, .valid_until_s = -3600}, &ca);
  const Identity early({.valid_from_s = 3600, .valid_until_s = 7200}, &ca);
  WriteIdentity(expired);
  EXPECT_THAT(MessageOf(Check(Files())), HasSubstr("server.pem: expired at "));
  WriteIdentity(early);
  EXPECT_THAT(MessageOf(Check(Files())), HasSubstr("server.pem: is valid only from "));
}

TEST_F(TlsTest, ServesThoseWhoTrustItsAuthority) {
  const auto server = Serve(Files());

  EXPECT_NE(Call(*server, Trusting(ca.cert())).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Call(*server, Trusting(Identity({.name = "other ca"}).cert())).error_code(),
            grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Call(*server, grpc::InsecureChannelCredentials()).error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(TlsTest, CanDemandACertificateOfItsClients) {
  TlsFiles files = Files();
  files.client_ca = Path("ca.pem");
  files.require_client_cert = true;
  const auto server = Serve(files);
  Config::Peers with{.ca = Path("ca.pem"),
                     .cert = Path("client.pem"),
                     .key = Path("client.key"),
                     .insecure = false,
                     .token = Secret()};
  Config::Peers without = with;
  without.cert = without.key = "";
  const Endpoint address{"localhost", server->bound_port()};

  EXPECT_NE(Call(*server, *PeerCredentials(with, address, clock.Now())).error_code(),
            grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Call(*server, *PeerCredentials(without, address, clock.Now())).error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(TlsTest, TakesARenewedCertificateWithoutARestart) {
  const auto server = Serve(Files());
  const Identity new_ca({.name = "new ca"});
  const Identity renewed({.serial = 9}, &new_ca);
  EXPECT_EQ(Call(*server, Trusting(new_ca.cert())).error_code(), grpc::StatusCode::UNAVAILABLE);
  WriteIdentity(renewed);

  const absl::Time give_up = clock.Now() + absl::Seconds(60);
  while (Call(*server, Trusting(new_ca.cert())).error_code() == grpc::StatusCode::UNAVAILABLE) {
    ASSERT_LT(clock.Now(), give_up);
  }
}

TEST_F(TlsTest, CallsPlainlyOnlyThisMachineOrWhenToldTo) {
  const Config::Peers none;
  Config::Peers wrong;
  wrong.ca = Path("nowhere.pem");

  EXPECT_TRUE(PeerCredentials(none, {"127.0.0.1", 1}, clock.Now()).ok());
  EXPECT_FALSE(PeerCredentials(wrong, {"127.0.0.1", 1}, clock.Now()).ok());
  EXPECT_FALSE(PeerCredentials(wrong, {"router.example", 1}, clock.Now()).ok());
}

}  // namespace
}  // namespace tandem::runtime
