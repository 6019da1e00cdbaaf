// A router that only takes alerts, for tests of senders: it keeps in memory what it took, and
// misbehaves as it is told.
//
// Thread-safe.
#pragma once

#include <grpcpp/server.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tandem/v1/alert_ingest.grpc.pb.h"

namespace tandem::client {

class FakeRouter {
 public:
  // What becomes of a batch.
  struct Verdict {
    bool take = true;
    std::vector<v1::Refusal> refusals;  // of single alerts, when it is taken
    // Not OK: the stream ends with it instead of a receipt, whether the batch was taken or not.
    grpc::Status status;
    // The whole connection is gone instead, as if the process had died.
    bool cut = false;
  };
  using Judge = std::function<Verdict(const v1::AlertBatch&)>;

  // Starts on a free port of 127.0.0.1. Without a judge everything is taken.
  explicit FakeRouter(Judge judge = nullptr);
  ~FakeRouter();

  std::string address() const;
  void SetJudge(Judge judge);
  // What a Hello is answered with instead of a welcome; OK: the welcome.
  void SetGreeting(grpc::Status greeting);
  // As if the process died: streams end, nobody listens. What was taken stays.
  void Stop();
  // Listens on the same port again.
  void Start();

  // The batches of a client that were taken, by number, in the order in which they came.
  std::vector<v1::AlertBatch> taken(const std::string& client_id) const;
  // Their alerts that were not refused, as AlertKey writes them.
  std::vector<std::string> keys(const std::string& client_id) const;
  // What Hello and metadata said last.
  v1::Hello last_hello() const;
  std::string last_token() const;
  int streams() const;
  // What the next welcomes say; 5 min at first.
  void SetResolveTimeout(std::chrono::milliseconds timeout);
  // From now on a receipt is sent when `batches` more have come on its stream, as over a slow link;
  // until then its sender has always something on its way. 0 at first.
  void WithholdReceipts(std::size_t batches);
  // Forgets a client, or pretends that it had come this far.
  void SetLastDurable(const std::string& client_id, std::uint64_t number);
  // Waits until so many streams have begun, refused ones too; false after 30 s.
  bool AwaitStreams(int streams) const;
  // Waits until `alerts` alerts of the client were taken; false after 30 s.
  bool AwaitAlerts(const std::string& client_id, std::size_t alerts) const;

 private:
  class Service;
  class Stream;
  struct Client {
    std::uint64_t last_durable = 0;
    std::vector<v1::AlertBatch> batches;
    std::vector<std::string> keys;
  };

  std::size_t withheld() const;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  Judge judge_;
  grpc::Status greeting_;
  std::map<std::string, Client> clients_;
  v1::Hello hello_;
  std::string token_;
  int streams_ = 0;
  std::chrono::milliseconds resolve_timeout_ = std::chrono::minutes(5);
  std::size_t withheld_ = 0;
  int port_ = 0;
  std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace tandem::client
