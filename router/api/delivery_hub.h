// Open deliveries for the notifier: all that are open, then each change, after it is durable.
//
// Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
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
  std::mutex mutex_;  // guards the sinks, and holds commits back while one is added
  std::vector<std::shared_ptr<DeliverySink>> sinks_;
  // Ids of the deliveries that were handed out, so that the end of one can name it.
  std::map<std::pair<TenantId, DeliveryNumber>, std::string> ids_;
};

}  // namespace tandem::api
