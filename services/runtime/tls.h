// Credentials for servers and channels, from PEM files. Files are checked before they are used, so
// that a mistake is named at the start and not at the first handshake; afterwards a changed
// certificate is taken within ten seconds, without a restart.
//
// Replace a certificate and its key together (rename a folder or a symbolic link): between two
// separate writes a handshake may meet a key that does not match.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <string>
#include <vector>

#include "services/runtime/config.h"

namespace tandem::runtime {

// How often the files are looked at.
inline constexpr absl::Duration kTlsReload = absl::Seconds(10);

// What a certificate file says about itself. NOT_FOUND when it cannot be read, INVALID_ARGUMENT
// when it holds no certificate.
struct CertificateDates {
  absl::Time not_before;
  absl::Time not_after;
};
absl::StatusOr<CertificateDates> ReadCertificateDates(const std::string& path);

// Everything that CheckTlsFiles would complain about, not only the first.
struct TlsFinding {
  enum class File { kCert, kKey, kClientCa } file;
  absl::Status status;
};
std::vector<TlsFinding> FindTlsErrors(const TlsFiles& files, absl::Time now);

// OK when the files can be read, the certificate is valid at `now` and the key is its key; files
// that are not given are not looked at. INVALID_ARGUMENT, or NOT_FOUND for a file that cannot be
// read, names the file, and never shows any of a key.
absl::Status CheckTlsFiles(const TlsFiles& files, absl::Time now);

// Without a certificate: insecure credentials (LoadConfig has refused those on a network).
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> ServerCredentials(
    const TlsFiles& files, absl::Time now, absl::Duration reload = kTlsReload);

// To call `address`. Plain for a loopback address without `peers.ca`, and with `peers.insecure`.
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> PeerCredentials(
    const Config::Peers& peers, const Endpoint& address, absl::Time now,
    absl::Duration reload = kTlsReload);

}  // namespace tandem::runtime
