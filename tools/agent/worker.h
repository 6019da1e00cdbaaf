// The inside of AlertClient: one thread that owns spool and stream, and the counter at which the
// callers of Send leave their alerts.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "tools/agent/active_table.h"
#include "tools/agent/backoff.h"
#include "tools/agent/client_options.h"
#include "tools/agent/cutter.h"
#include "tools/agent/session.h"
#include "tools/agent/spool.h"
#include "tools/agent/stream.h"

namespace tandem::client {

class Worker {
 public:
  Worker(ClientOptions options, std::shared_ptr<grpc::Channel> channel,
         std::unique_ptr<Spool> spool);
  ~Worker();

  // As in AlertClient.
  absl::Status Send(std::span<const v1::Alert> alerts);
  absl::Status Flush(absl::Duration timeout);
  absl::Status Stop(absl::Duration timeout);
  ClientStats stats() const;

 private:
  // One turn of the thread: what it takes along when it lets go of the mutex.
  struct Turn {
    std::vector<CutBatch> batches;
    AlertStream::Arrivals arrivals;
    bool stopping = false;
  };
  using Lock = std::unique_lock<std::mutex>;

  // Callers.
  absl::Status MakeRoom(std::uint64_t bytes, Lock& lock);
  absl::Status AwaitStored(const std::vector<std::shared_ptr<Stored>>& stored, Lock& lock);
  std::uint64_t WaitingBytesLocked() const;
  std::uint64_t WaitingAlertsLocked() const;

  // The thread.
  void Run();
  Turn WaitForWork();
  absl::Time NextDueLocked() const;
  bool Resends() const;
  bool MayResendLocked() const;
  void ResendLocked(absl::Time now);
  std::uint64_t LeftAlertsLocked() const;
  void LearnInterval(const v1::Welcome& welcome);
  void Store(std::vector<CutBatch>& batches);
  void GiveUpOld();
  void HandleArrivals(AlertStream::Arrivals arrivals);
  void EndStream(const absl::Status& status);
  void CheckTimeouts();
  void Connect();
  void Pump();
  bool Publish(const Turn& turn);
  void CloseStream();
  void Break(const absl::Status& why);
  void ReportDamages();
  absl::Time WallNow() const;

  const ClientOptions options_;
  const SystemClock system_clock_;
  const std::shared_ptr<grpc::Channel> channel_;

  mutable Signal signal_;
  std::condition_variable progressed_;  // something left the counter, or the spool
  // Guarded by signal_.mutex:
  Cutter cutter_;
  ActiveTable active_;
  ClientStats stats_;
  std::uint64_t taken_alerts_ =
      0;  // that ever came to the cutter, and what the spool held at start
  // For each lot of repeats that waits: the value of taken_alerts_ behind it.
  std::deque<std::uint64_t> repeats_;
  std::uint64_t in_hand_bytes_ = 0;  // taken from the cutter, not yet seen in the spool's figures
  std::uint64_t in_hand_alerts_ = 0;
  std::uint64_t spooled_bytes_ = 0;
  std::uint64_t spooled_alerts_ = 0;
  bool stopping_ = false;
  bool stopped_ = false;
  absl::Time stop_by_ = absl::InfiniteFuture();

  // The thread's own. Times are of the steady clock.
  const std::unique_ptr<Spool> spool_;
  Session session_;
  Backoff backoff_;
  std::unique_ptr<AlertStream> stream_;
  bool stream_broken_ = false;  // cancelled, its end is awaited
  absl::Status why_broken_;
  bool turned_away_ = false;  // the last stream ended with a final refusal
  bool may_write_ = false;
  absl::Time connect_at_ = absl::InfinitePast();
  absl::Time answer_by_ = absl::InfiniteFuture();  // a welcome or receipt is awaited

  std::thread thread_;  // last: starts when all else is there
};

}  // namespace tandem::client
