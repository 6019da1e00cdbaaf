// Looks at the credentials of open calls again: a stream may live for weeks, and its token may be
// revoked or expire meanwhile, or its principal lose a role or a tenant.
//
// A look comes at once when somebody calls Wake (the installation has changed), and every
// `look_every` (a token has expired; a call was being opened at the moment of a change). A stream
// that has lost what it was admitted with ends with UNAUTHENTICATED (TOKEN_REVOKED, TOKEN_EXPIRED)
// or PERMISSION_DENIED (ROLE_INSUFFICIENT, TENANT_LOST). An authenticator that cannot tell for the
// moment ends nothing. Unary calls end by themselves and are left alone.
//
// Threads: one of its own (`credentials`), on which the authenticator is asked; Wake from any.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>

#include "router/base/clock.h"
#include "router/rpc/caller.h"
#include "router/rpc/stream_registry.h"

namespace tandem::rpc {

struct Call;

class CredentialWatch {
 public:
  struct Options {
    StreamRegistry* registry = nullptr;
    const Authenticator* authenticator = nullptr;
    const Clock* clock = nullptr;
    absl::Duration look_every = absl::Seconds(2);
  };

  // REQUIRES: registry, authenticator and clock are set and outlive the watch.
  explicit CredentialWatch(Options options);
  ~CredentialWatch() { Stop(); }
  CredentialWatch(const CredentialWatch&) = delete;
  CredentialWatch& operator=(const CredentialWatch&) = delete;

  // Looks soon. Returns at once.
  void Wake();

  // Ends the thread. Idempotent.
  void Stop();

  // OK while `call` may go on; otherwise what it ends with.
  static absl::Status Judge(const Call& call, const Authenticator& authenticator, absl::Time now);

 private:
  void Loop();

  const Options options_;
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  bool woken_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tandem::rpc
