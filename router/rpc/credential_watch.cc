#include "router/rpc/credential_watch.h"

#include <pthread.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "router/base/check.h"
#include "router/base/status.h"
#include "router/rpc/access.h"
#include "router/rpc/server.h"

namespace tandem::rpc {
namespace {

// Whether `now` has every tenant that `before` had.
bool KeepsTenants(const Caller& before, const Caller& now) {
  if (now.all_tenants) return true;
  if (before.all_tenants) return false;
  return std::includes(now.tenants.begin(), now.tenants.end(), before.tenants.begin(),
                       before.tenants.end());
}

absl::Status Compare(const Call& call, const absl::StatusOr<Caller>& caller) {
  if (!caller.ok()) {
    if (caller.status().code() != absl::StatusCode::kUnauthenticated) return absl::OkStatus();
    if (ReasonOf(caller.status()) != "TOKEN_INVALID") return caller.status();
    // It was valid when the call began, so it is not mistyped.
    return Error(absl::StatusCode::kUnauthenticated, "TOKEN_REVOKED",
                 "the token of this call was revoked; ask for a new one");
  }
  TANDEM_RETURN_IF_ERROR(CheckAccess(*caller, call.method.name()));
  if (KeepsTenants(call.caller, *caller)) return absl::OkStatus();
  return Error(absl::StatusCode::kPermissionDenied, "TENANT_LOST",
               "the caller has lost a tenant since this call began; call again for those that are "
               "left");
}

}  // namespace

CredentialWatch::CredentialWatch(Options options) : options_(options) {
  TANDEM_CHECK(options_.registry != nullptr && options_.authenticator != nullptr &&
                   options_.clock != nullptr,
               "a credential watch without its parts");
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "credentials");
    Loop();
  });
}

void CredentialWatch::Wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_one();
}

absl::Status CredentialWatch::Judge(const Call& call, const Authenticator& authenticator,
                                    absl::Time now) {
  return Compare(call, Identify(call.credential, authenticator, now));
}

void CredentialWatch::Loop() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, absl::ToChronoNanoseconds(options_.look_every),
                        [this] { return woken_ || stopping_; });
      if (stopping_) return;
      woken_ = false;
    }
    const absl::Time now = options_.clock->Now();
    // An agent has one credential and many streams: each is asked for once a look.
    std::map<Credential, absl::StatusOr<Caller>> answers;
    options_.registry->EndEach([&](const DrainableStream& stream) {
      const Call* call = stream.call();
      if (call == nullptr) return absl::OkStatus();
      auto known = answers.find(call->credential);
      if (known == answers.end()) {
        known =
            answers
                .emplace(call->credential, Identify(call->credential, *options_.authenticator, now))
                .first;
      }
      return Compare(*call, known->second);
    });
  }
}

void CredentialWatch::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

}  // namespace tandem::rpc
