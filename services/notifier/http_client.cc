#include "services/notifier/http_client.h"

#include <openssl/ssl.h>

#include <array>
#include <boost/asio/post.hpp>
#include <utility>

#include "router/base/status.h"
#include "services/notifier/http_call.h"

namespace tandem::notifier {
namespace {

namespace asio = boost::asio;

absl::Status SetUp(asio::ssl::context& tls, const std::string& ca_file) {
  SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
  // Wire format of ALPN: a length byte, then the name. (RFC 7301)
  constexpr std::array<unsigned char, 9> kHttp11 = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  SSL_CTX_set_alpn_protos(tls.native_handle(), kHttp11.data(), kHttp11.size());
  boost::system::error_code error;
  if (ca_file.empty()) {
    tls.set_default_verify_paths(error);
  } else {
    tls.load_verify_file(ca_file, error);
  }
  if (error) {
    return InvalidField("CA_FILE_UNREADABLE", "ca_file",
                        "expected a readable file with PEM certificates: " + ca_file);
  }
  return absl::OkStatus();
}

}  // namespace

HttpClient::HttpClient(asio::io_context& io, Resolver& resolver, HttpOptions options)
    : io_(io),
      resolver_(resolver),
      options_(std::move(options)),
      tls_(asio::ssl::context::tls_client),
      pool_(io, options_.pool) {}

HttpClient::~HttpClient() = default;

absl::StatusOr<std::unique_ptr<HttpClient>> HttpClient::Create(asio::io_context& io,
                                                               Resolver& resolver,
                                                               HttpOptions options) {
  std::unique_ptr<HttpClient> client(new HttpClient(io, resolver, std::move(options)));
  TANDEM_RETURN_IF_ERROR(SetUp(client->tls_, client->options_.ca_file));
  return client;
}

void HttpClient::Post(HttpRequest request, Done done) {
  auto call = std::make_shared<HttpCall>(*this, std::move(request), std::move(done));
  calls_.emplace(call.get(), call);
  asio::post(io_, [call, cancelled = cancelled_] { cancelled ? call->Cancel() : call->Start(); });
}

void HttpClient::CancelAll() {
  cancelled_ = true;
  // A call that ends takes itself out of calls_.
  std::vector<std::shared_ptr<HttpCall>> calls;
  for (const auto& [address, call] : calls_) calls.push_back(call);
  for (const auto& call : calls) call->Cancel();
  pool_.Clear();
}

}  // namespace tandem::notifier
