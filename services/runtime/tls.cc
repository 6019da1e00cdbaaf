#include "services/runtime/tls.h"

#include <fmt/format.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <ctime>
#include <fstream>

#include "router/base/status.h"
#include "router/base/text.h"

namespace tandem::runtime {
namespace {

using grpc::experimental::FileWatcherCertificateProvider;

constexpr std::size_t kPemMax = 1 << 20;  // bytes; a bundle of the whole Web's roots has 220 KB

template <auto kFree>
struct Free {
  template <typename Object>
  void operator()(Object* object) const {
    kFree(object);
  }
};
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Buffer = std::unique_ptr<BIO, Free<BIO_free_all>>;

absl::Status Bad(const std::string& path, std::string_view what) {
  ERR_clear_error();
  return Error(absl::StatusCode::kInvalidArgument, "TLS_FILE_INVALID",
               fmt::format("{}: {}", Printable(path), what));
}

absl::StatusOr<Buffer> Open(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string pem(kPemMax + 1, '\0');
  in.read(pem.data(), static_cast<std::streamsize>(pem.size()));
  if (!in.is_open() || in.bad()) {
    return Error(absl::StatusCode::kNotFound, "TLS_FILE_UNREADABLE",
                 fmt::format("{}: cannot be read: is the path right, and may this user read it?",
                             Printable(path)));
  }
  if (static_cast<std::size_t>(in.gcount()) > kPemMax) return Bad(path, "is larger than 1 MiB");
  Buffer buffer(BIO_new(BIO_s_mem()));
  BIO_write(buffer.get(), pem.data(), static_cast<int>(in.gcount()));
  OPENSSL_cleanse(pem.data(), pem.size());
  return buffer;
}

absl::StatusOr<Certificate> ReadCertificate(const std::string& path) {
  TANDEM_ASSIGN_OR_RETURN(const Buffer buffer, Open(path));
  Certificate certificate(PEM_read_bio_X509(buffer.get(), nullptr, nullptr, nullptr));
  if (certificate == nullptr) return Bad(path, "holds no PEM certificate");
  return certificate;
}

absl::StatusOr<Key> ReadKey(const std::string& path) {
  TANDEM_ASSIGN_OR_RETURN(const Buffer buffer, Open(path));
  // A key under a passphrase is refused: nobody is there to be asked.
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  Key key(PEM_read_bio_PrivateKey(buffer.get(), nullptr, no_passphrase, nullptr));
  if (key == nullptr) return Bad(path, "holds no PEM private key, or one under a passphrase");
  return key;
}

absl::Time TimeOf(const ASN1_TIME* time) {
  std::tm civil{};
  ASN1_TIME_to_tm(time, &civil);
  return absl::FromTM(civil, absl::UTCTimeZone());
}

CertificateDates DatesOf(const Certificate& certificate) {
  return {TimeOf(X509_get0_notBefore(certificate.get())),
          TimeOf(X509_get0_notAfter(certificate.get()))};
}

absl::Status CheckDates(const std::string& path, const Certificate& certificate, absl::Time now) {
  const CertificateDates dates = DatesOf(certificate);
  if (now > dates.not_after) {
    return Bad(path, fmt::format("expired at {}; renew it", TimeText(dates.not_after)));
  }
  if (now < dates.not_before) {
    return Bad(path, fmt::format("is valid only from {}; is this machine's clock right?",
                                 TimeText(dates.not_before)));
  }
  return absl::OkStatus();
}

void FindPairErrors(const TlsFiles& files, absl::Time now, std::vector<TlsFinding>& findings) {
  using File = TlsFinding::File;
  const absl::StatusOr<Certificate> certificate = ReadCertificate(files.cert);
  const absl::StatusOr<Key> key = ReadKey(files.key);
  if (!certificate.ok()) findings.push_back({File::kCert, certificate.status()});
  if (!key.ok()) findings.push_back({File::kKey, key.status()});
  if (certificate.ok() && key.ok() && X509_check_private_key(certificate->get(), key->get()) != 1) {
    findings.push_back(
        {File::kKey, Bad(files.key, fmt::format("is not the key of the certificate in {}; was only "
                                                "one of the two renewed?",
                                                Printable(files.cert)))});
  }
  if (!certificate.ok()) return;
  const absl::Status dates = CheckDates(files.cert, *certificate, now);
  if (!dates.ok()) findings.push_back({File::kCert, dates});
}

unsigned Seconds(absl::Duration reload) {
  return static_cast<unsigned>(std::max<std::int64_t>(1, absl::ToInt64Seconds(reload)));
}

}  // namespace

absl::StatusOr<CertificateDates> ReadCertificateDates(const std::string& path) {
  TANDEM_ASSIGN_OR_RETURN(const Certificate certificate, ReadCertificate(path));
  return DatesOf(certificate);
}

std::vector<TlsFinding> FindTlsErrors(const TlsFiles& files, absl::Time now) {
  std::vector<TlsFinding> findings;
  if (files.on()) FindPairErrors(files, now, findings);
  if (!files.client_ca.empty()) {
    const absl::StatusOr<Certificate> ca = ReadCertificate(files.client_ca);
    if (!ca.ok()) findings.push_back({TlsFinding::File::kClientCa, ca.status()});
  }
  return findings;
}

absl::Status CheckTlsFiles(const TlsFiles& files, absl::Time now) {
  const std::vector<TlsFinding> findings = FindTlsErrors(files, now);
  return findings.empty() ? absl::OkStatus() : findings.front().status;
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> ServerCredentials(const TlsFiles& files,
                                                                           absl::Time now,
                                                                           absl::Duration reload) {
  if (!files.on()) return grpc::InsecureServerCredentials();
  TANDEM_RETURN_IF_ERROR(CheckTlsFiles(files, now));
  grpc::experimental::TlsServerCredentialsOptions options(
      std::make_shared<FileWatcherCertificateProvider>(files.key, files.cert, files.client_ca,
                                                       Seconds(reload)));
  options.watch_identity_key_cert_pairs();
  if (!files.client_ca.empty()) {
    options.watch_root_certs();
    options.set_cert_request_type(files.require_client_cert
                                      ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                      : GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return grpc::experimental::TlsServerCredentials(options);
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> PeerCredentials(
    const Config::Peers& peers, const Endpoint& address, absl::Time now, absl::Duration reload) {
  if (peers.insecure || (IsLoopback(address) && peers.ca.empty())) {
    return grpc::InsecureChannelCredentials();
  }
  TANDEM_RETURN_IF_ERROR(CheckTlsFiles(
      {.cert = peers.cert, .key = peers.key, .client_ca = peers.ca, .require_client_cert = false},
      now));
  grpc::experimental::TlsChannelCredentialsOptions options;
  if (!peers.ca.empty() || !peers.cert.empty()) {
    options.set_certificate_provider(std::make_shared<FileWatcherCertificateProvider>(
        peers.key, peers.cert, peers.ca, Seconds(reload)));
  }
  if (!peers.ca.empty()) options.watch_root_certs();
  if (!peers.cert.empty()) options.watch_identity_key_cert_pairs();
  return grpc::experimental::TlsCredentials(options);
}

}  // namespace tandem::runtime
