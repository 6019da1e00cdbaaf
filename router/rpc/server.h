// The door of every RPC: who calls, may they, under which request id, until when; and on the way
// out the status for the wire and the count. Reactors hold logic only behind it.
//
// CallGuard is immutable and thread-safe; handlers run on gRPC's threads: validate, copy what is
// needed, post, return.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "router/base/clock.h"
#include "router/base/status.h"
#include "router/rpc/access.h"
#include "router/rpc/caller.h"
#include "router/rpc/stream_registry.h"
#include "router/rpc/trace_context.h"

namespace tandem::rpc {

// A unary call that names no deadline, or a later one, is treated as if it had named this one.
inline constexpr absl::Duration kUnaryDeadlineMax = absl::Seconds(30);

// Metadata, lower case as HTTP/2 wants it. The peer is believed only from our own process: a bridge
// (HTTP, Connect) says in it whom it speaks for.
inline constexpr char kAuthorizationKey[] = "authorization";
inline constexpr char kRequestIdKey[] = "x-request-id";
inline constexpr char kTraceparentKey[] = "traceparent";
inline constexpr char kPeerKey[] = "x-tandem-peer";

// One RPC as it arrived.
struct Call {
  Method method;
  Caller caller;               // set once admitted
  Credential credential = {};  // of the caller, once admitted; never logged
  std::string request_id;      // the caller's (1 to 128 printable ASCII bytes), or a new UUID
  std::optional<TraceContext> trace;
  std::string peer;     // "ipv4:192.0.2.7:51234"
  absl::Time received;  // by the guard's clock
  absl::Time deadline;  // the caller's; InfiniteFuture when it named none
};

// The deadline of a unary call: the caller's, at most kUnaryDeadlineMax from its arrival.
inline absl::Time UnaryDeadline(const Call& call) {
  return std::min(call.deadline, call.received + kUnaryDeadlineMax);
}

// Is told of each call. Thread-safe; must return at once.
class CallObserver {
 public:
  virtual ~CallObserver() = default;
  virtual void Started(Method method) = 0;
  virtual void Finished(const Call& call, const absl::Status& status, absl::Duration took) = 0;
};

class CallGuard {
 public:
  struct Parts {
    const Authenticator* authenticator = nullptr;
    const Clock* clock = nullptr;
    StreamRegistry* registry = nullptr;  // where open calls are to be found on a drain
    CallObserver* observer = nullptr;    // may stay null
  };

  // REQUIRES: all but the observer are set; all outlive the guard and every call under it.
  explicit CallGuard(Parts parts);

  // Every call begins here, before anything can be refused, and ends with one Close. Answers with
  // the request id as initial metadata.
  Call Open(grpc::CallbackServerContext* context, Method method) const;

  // Fills `call.caller`: by its token, or by its client certificate when it sends none.
  // UNAUTHENTICATED; PERMISSION_DENIED with reason ROLE_INSUFFICIENT, or CREDENTIALS_DIFFER when
  // token and certificate name two principals (a certificate of role `service` may bring the token
  // of whom it speaks for).
  absl::Status Admit(const grpc::CallbackServerContext& context, Call& call) const;

  // What goes on the wire at the end; counts it.
  grpc::Status Close(const Call& call, const absl::Status& status) const;

  StreamRegistry& registry() const { return *parts_.registry; }
  const Authenticator& authenticator() const { return *parts_.authenticator; }
  const Clock& clock() const { return *parts_.clock; }

 private:
  Parts parts_;
};

// Serves a unary call that is answered before `handle` returns. `handle` is
// `absl::Status(const Call&)` and fills the response itself.
template <typename Handle>
grpc::ServerUnaryReactor* ServeNow(grpc::CallbackServerContext* context, const CallGuard& guard,
                                   Method method, Handle&& handle) {
  Call call = guard.Open(context, method);
  absl::Status status = guard.Admit(*context, call);
  if (status.ok()) status = handle(std::as_const(call));
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(guard.Close(call, status));
  return reactor;
}

// Takes the answer of a call that is served later: once, from any thread. A second answer, and one
// that comes after the call was cancelled or drained, is dropped. When every copy goes without an
// answer the caller gets UNAVAILABLE with reason ANSWER_LOST.
template <typename Response>
using Done = std::function<void(absl::StatusOr<Response>)>;

// The reactor of ServeLater; nobody else makes one. It lives until gRPC and every Done let go.
template <typename Response>
class PendingUnary final : public grpc::ServerUnaryReactor, public DrainableStream {
 public:
  PendingUnary(const CallGuard& guard, Call call, Response* response)
      : guard_(guard), call_(std::move(call)), response_(response) {}

  template <typename Handle>
  static grpc::ServerUnaryReactor* Start(const CallGuard& guard, Call call, absl::Status admitted,
                                         Response* response, Handle&& handle) {
    auto self = std::make_shared<PendingUnary>(guard, std::move(call), response);
    self->self_ = self;
    if (admitted.ok()) {
      auto registration = guard.registry().Add(std::weak_ptr<DrainableStream>(self));
      admitted = registration.status();
      if (admitted.ok()) self->registration_ = *std::move(registration);
    }
    if (!admitted.ok()) {
      self->End(std::move(admitted));
    } else {
      auto answer = std::make_shared<Answer>(self);
      handle(std::as_const(self->call_), Done<Response>([answer](absl::StatusOr<Response> result) {
               answer->pending->Settle(std::move(result));
             }));
    }
    return self.get();
  }

  void End(absl::Status status) override { Settle(std::move(status)); }
  const Call* call() const override { return nullptr; }

 private:
  struct Answer {
    explicit Answer(std::shared_ptr<PendingUnary> p) : pending(std::move(p)) {}
    ~Answer() {
      pending->End(AddRetry(Error(absl::StatusCode::kUnavailable, "ANSWER_LOST",
                                  "the process stops; whether the call took effect is not known"),
                            absl::Seconds(1)));
    }
    std::shared_ptr<PendingUnary> pending;
  };

  void Settle(absl::StatusOr<Response> result) {
    // Whoever comes first may touch the response: gRPC frees it soon after Finish.
    if (settled_.exchange(true)) return;
    const absl::Status status = result.status();
    if (status.ok()) *response_ = *std::move(result);
    Finish(guard_.Close(call_, status));
  }
  void OnCancel() override {
    End(Error(absl::StatusCode::kCancelled, "CALL_CANCELLED", "the caller has gone"));
  }
  void OnDone() override {
    registration_.Release();
    const auto last = std::move(self_);
  }

  const CallGuard& guard_;
  const Call call_;
  Response* const response_;
  std::atomic<bool> settled_ = false;
  StreamRegistry::Registration registration_;
  std::shared_ptr<PendingUnary> self_;  // until OnDone
};

// Serves a unary call that is answered later. `handle` is
// `void(const Call&, Done<Response>)`; it copies what it needs of the call and the request, for
// both end with the call, which a drain or the caller may do at any moment.
template <typename Response, typename Handle>
grpc::ServerUnaryReactor* ServeLater(grpc::CallbackServerContext* context, const CallGuard& guard,
                                     Method method, Response* response, Handle&& handle) {
  Call call = guard.Open(context, method);
  absl::Status admitted = guard.Admit(*context, call);
  return PendingUnary<Response>::Start(guard, std::move(call), std::move(admitted), response,
                                       std::forward<Handle>(handle));
}

// A stream's reactor that ends at once: `return new Refused<grpc::ServerWriteReactor<Event>>(…)`.
template <typename Reactor>
class Refused final : public Reactor {
 public:
  explicit Refused(grpc::Status status) { this->Finish(std::move(status)); }
  void OnDone() override { delete this; }
};

}  // namespace tandem::rpc
