// Open deliveries for the notifier: all that are open, then each change, after it is durable.
//
// Thread-safe.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "router/engine/engine.h"
#include "tandem/v1/deliveries.pb.h"

namespace tandem::api {

class DeliverySink {
 public:
  virtual ~DeliverySink() = default;
  // Whether it may see the deliveries of a tenant. Constant.
  virtual bool Wants(const TenantId& tenant) const = 0;
  // False when it takes nothing any more; it is then forgotten.
  virtual bool Send(v1::DeliveryEvent event) = 0;
};

class DeliveryHub final : public engine::CommitSink {
 public:
  // `journal` outlives the hub.
  explicit DeliveryHub(journal::Journal* journal) : journal_(journal) {}

  void OnCommitted(const std::shared_ptr<const journal::Commit>& commit) override;

  // Sends everything that is open, then what changes. What changed in between may come twice, never
  // not at all.
  absl::Status Add(std::shared_ptr<DeliverySink> sink);
  void Remove(const DeliverySink* sink);

 private:
  journal::Journal* journal_;
  // One that reads what is open while commits go on: what they bring waits for it.
  struct Joining {
    struct Missed {
      journal::DeliveryRow row;
      std::optional<v1::DeliveryEvent> event;  // nullopt: not known when it was committed
    };
    std::shared_ptr<DeliverySink> sink;
    std::vector<Missed> missed;
  };

  // REQUIRES for both: mutex_ is held.
  // What the change of a delivery is to those who watch; nullopt when they need not hear of it.
  std::optional<v1::DeliveryEvent> EventOf(const journal::DeliveryRow& row);
  // What the sink missed, and that it has everything. False when it takes nothing any more.
  bool CatchUp(Joining& joining);

  std::mutex mutex_;  // guards all below
  std::vector<std::shared_ptr<DeliverySink>> sinks_;
  std::list<Joining> joining_;
  // Ids of the deliveries that were handed out, so that the end of one can name it.
  std::map<std::pair<TenantId, DeliveryNumber>, std::string> ids_;
};

}  // namespace tandem::api
