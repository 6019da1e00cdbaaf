// What parts of the process say of themselves, passed on to gRPC health and to /-/ready.
//
// A part that cannot do its work (a router whose disk is full) makes its own services NOT_SERVING,
// and the whole too, so that a balancer looks elsewhere; /-/healthy is not asked: a restart would
// not help. One thread at a time.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "services/runtime/readiness.h"

namespace tandem::runtime {

class Health {
 public:
  // As of GrpcServer::SetServing; service "" is the whole.
  using SetServing = std::function<void(const std::string& service, bool serving)>;

  // `readiness` outlives this.
  Health(Readiness* readiness, SetServing set_serving)
      : readiness_(readiness), set_serving_(std::move(set_serving)) {}

  struct Part {
    std::string name;                      // "journal"
    std::vector<std::string> services;     // "tandem.v1.AlertIngest"
    std::function<std::string()> why_not;  // "" while all is well, else one line for people
  };
  void Add(Part part);

  // Asks every part, and passes on and logs what is new.
  void Look();

 private:
  struct Watched {
    Part part;
    std::optional<std::string> last;
  };

  Readiness* const readiness_;
  const SetServing set_serving_;
  std::vector<Watched> watched_;
  std::optional<bool> all_well_;
};

}  // namespace tandem::runtime
