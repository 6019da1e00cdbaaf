#include "services/notifier/connection.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <cerrno>

#include "router/base/check.h"

namespace tandem::notifier {

namespace asio = boost::asio;

Connection::Connection(asio::io_context& io, asio::ssl::context& tls, const Url& url)
    : socket_(io) {
  if (!url.tls) return;
  tls_.emplace(socket_, tls);
  tls_->set_verify_mode(asio::ssl::verify_peer);
  SSL* ssl = tls_->native_handle();
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  bool ok = true;
  if (url.host_is_address) {
    ok = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), url.host.c_str()) == 1;
  } else {
    // RFC 6066 §3: server_name is for names only.
    ok = SSL_set1_host(ssl, url.host.c_str()) == 1 &&
         // What the macro SSL_set_tlsext_host_name does, without its old-style cast.
         SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                  const_cast<char*>(url.host.c_str())) == 1;
  }
  TANDEM_CHECK(ok, "a parsed host can be verified");
}

bool Connection::IdleAndAlive() {
  if (!socket_.is_open() || buffer_.size() != 0) return false;
  char byte = 0;
  const auto read = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return read < 0 && errno == EAGAIN;
}

void Connection::Close() {
  boost::system::error_code ignored;  // it is thrown away whatever close says
  socket_.close(ignored);
}

}  // namespace tandem::notifier
