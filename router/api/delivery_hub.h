// Open deliveries for the notifier: all that are open, as fast as it takes them, then each change,
// after it is durable.
//
// Thread-safe; a thread of its own (`deliveries`) reads what is open for those who join, one after
// the other, while commits go on: there may be a hundred thousand and more.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "router/engine/engine.h"
#include "tandem/v1/deliveries.pb.h"

namespace tandem::api {

// Calls come from the hub's thread until everything that was open was sent, then from the engine's.
class DeliverySink {
 public:
  virtual ~DeliverySink() = default;
  // Whether it may see the deliveries of a tenant. Constant.
  virtual bool Wants(const TenantId& tenant) const = 0;
  // False when it takes nothing any more; it is then forgotten.
  virtual bool Send(v1::DeliveryEvent event) = 0;
  // False while so much waits that what is open must wait, too; the sink calls Poke once it has
  // room.
  virtual bool HasRoom() const = 0;
  virtual void CutOff(absl::Status status) = 0;
};

class DeliveryHub final : public engine::CommitSink {
 public:
  struct Options {
    // One who joins and makes no room for so long is cut off.
    absl::Duration patience = absl::Seconds(30);
    // Changes that wait for one who joins; above it he is cut off and gets all when he comes again.
    std::size_t missed_max = 100'000;
  };

  // `journal` outlives the hub.
  explicit DeliveryHub(journal::Journal* journal) : DeliveryHub(journal, Options()) {}
  DeliveryHub(journal::Journal* journal, Options options);
  ~DeliveryHub() override;

  void OnCommitted(const std::shared_ptr<const journal::Commit>& commit) override;

  // Sends everything that is open, then what changes. What changed in between may come twice, never
  // not at all.
  void Add(std::shared_ptr<DeliverySink> sink);
  void Remove(const DeliverySink* sink);

  // A sink has room.
  void Poke();

 private:
  // One for whom what is open is read: what commits bring meanwhile waits.
  struct Joining {
    std::shared_ptr<DeliverySink> sink;
    std::vector<v1::DeliveryEvent> missed;
    bool overrun = false;  // missed_max was reached
  };

  void Loop();
  absl::Status Join(Joining& joining);
  absl::Status AwaitRoom(const DeliverySink& sink);

  // What the sink missed, and that it has everything. False when it takes nothing any more.
  // REQUIRES: mutex_ is held.
  static bool CatchUp(Joining& joining);

  journal::Journal* const journal_;
  const Options options_;

  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::vector<std::shared_ptr<DeliverySink>> sinks_;
  std::list<Joining> joining_;  // the first is being served; only the thread takes out
  bool stopping_ = false;

  // Beside mutex_, because a sink may poke while the hub sends to it.
  std::mutex room_mutex_;
  std::condition_variable room_;
  std::atomic<bool> ends_ = false;

  std::thread thread_;
};

}  // namespace tandem::api
