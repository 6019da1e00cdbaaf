// The notifier's side of tandem.v1.Deliveries: a stream of open deliveries in, reports out.
//
// Everything, callbacks included, runs on the io thread; gRPC's own threads only hand over. The
// stream is opened again whenever it ends, with jittered backoff, until StopWatching.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/time/time.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <random>
#include <set>
#include <string>

#include "services/notifier/backoff.h"
#include "services/notifier/dispatcher.h"
#include "tandem/v1/deliveries.grpc.pb.h"

namespace tandem::notifier {

struct LinkOptions {
  // In-process or remote. For a remote one set keepalive (the stream has no deadline of its own)
  // and GRPC_ARG_MAX_RECONNECT_BACKOFF_MS (gRPC's default waits up to two minutes for a router).
  std::shared_ptr<grpc::Channel> channel;
  std::string worker_id = "notifier";  // at most 128 bytes
  // Sent as `authorization: Bearer …`; empty: none.
  std::string token = {};
  absl::Duration report_timeout = absl::Seconds(5);
  RetryPolicy reconnect = {.first = absl::Milliseconds(100),
                           .longest = absl::Seconds(5),
                           .shortest = absl::Milliseconds(20)};
  std::uint64_t seed = 0;
};

class DeliveryLink final : public DeliverySource, public DeliverySink {
 public:
  // What arrives.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void OnWatchStarted() = 0;
    virtual void OnEvent(const v1::DeliveryEvent& event) = 0;
    // The stream ended by itself; it is opened again after a pause.
    virtual void OnWatchEnded(const grpc::Status& status) = 0;
  };

  // `io` and `listener` outlive the link, and the link outlives the run of `io`: calls that gRPC
  // still holds keep `io` at work.
  DeliveryLink(boost::asio::io_context& io, const LinkOptions& options, Listener& listener);
  ~DeliveryLink() override;

  void Watch();
  void StopWatching();
  void WatchAgain() override;

  void Report(const v1::ReportDeliveryRequest& report, Done done) override;
  // Ends every report that is under way with CANCELLED.
  void CancelReports();

 private:
  class Stream;
  struct ReportCall;

  void OnStreamRead(bool first, const v1::DeliveryEvent& event);
  void OnStreamDone(const grpc::Status& status);
  void Authorize(grpc::ClientContext& context) const;

  boost::asio::io_context& io_;
  const LinkOptions options_;
  Listener& listener_;
  const std::unique_ptr<v1::Deliveries::Stub> stub_;
  boost::asio::steady_timer reconnect_;
  std::mt19937_64 dice_;
  std::uint32_t reconnects_ = 0;  // in a row, without an event in between
  bool watching_ = false;
  bool again_ = false;                             // opened again without a pause
  std::shared_ptr<Stream> stream_;                 // while one is open
  std::set<std::shared_ptr<ReportCall>> reports_;  // only cancelled all together
};

}  // namespace tandem::notifier
