// The admin port: metrics and health over plain HTTP/1.1, for Prometheus, Kubernetes and people.
//
// GET or HEAD of /metrics, /-/healthy (200 while this thread runs), /-/ready (503 and one line
// until ready, and while draining) and /. Has no authentication and nothing that needs one: keep it
// off the network that users are on.
//
// One thread of its own, `tandem-admin`. Limits: 64 connections, the next is answered 503 and
// closed; 8 KiB of header (431), 1 KiB of body (413); 10 s for a request or an answer, 60 s idle.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "services/runtime/endpoint.h"
#include "services/runtime/readiness.h"

namespace tandem::runtime {

class AdminHttp {
 public:
  struct Parts {
    std::function<std::string()> metrics;  // Prometheus' text; called on the admin thread
    const Readiness* readiness = nullptr;
  };

  // Listens on `listen`; port 0 takes a free one. UNAVAILABLE with reason LISTEN_FAILED when the
  // address cannot be had. What `parts` refers to must outlive this.
  static absl::StatusOr<std::unique_ptr<AdminHttp>> Start(const Endpoint& listen, Parts parts);

  // Stops as Stop does.
  ~AdminHttp();

  std::uint16_t bound_port() const;

  // Closes every connection and joins the thread. A second time does nothing.
  void Stop();

 private:
  class Impl;
  explicit AdminHttp(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tandem::runtime
