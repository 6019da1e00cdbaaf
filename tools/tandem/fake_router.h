// A router for tests: a real gRPC server on a free port of this machine, whose answers the test
// sets.
//
// Handlers run on gRPC's threads; what they touch is behind one mutex. Not part of the program.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tandem/v1/admin.grpc.pb.h"
#include "tandem/v1/alert_ingest.grpc.pb.h"
#include "tandem/v1/feed.grpc.pb.h"
#include "tandem/v1/incidents.grpc.pb.h"
#include "tandem/v1/playbooks.grpc.pb.h"

namespace tandem::cli {

// What the tests look at afterwards.
struct Seen {
  std::vector<std::string> tokens;  // of every call
  std::vector<v1::PushAlertsRequest> pushes;
  std::vector<v1::ListIncidentsRequest> lists;
  std::vector<v1::AcknowledgeIncidentRequest> acknowledgements;
  std::vector<v1::SubscribeRequest> subscriptions;
  std::vector<v1::AlertBatch> batches;  // that were given a receipt
  int streams = 0;
};

class FakeRouter {
 public:
  FakeRouter();
  ~FakeRouter();

  // "127.0.0.1:43210".
  const std::string& address() const { return address_; }
  Seen seen() const;

  // The incidents that lists and reads know.
  std::vector<v1::Incident> incidents;
  // The versions that are listed, the newest activation first.
  std::vector<v1::Playbook> playbooks;
  // The feed: event i carries the cursor "c{i+1}". A stream ends with UNAVAILABLE after each
  // `cut_after` events, and is kept open when it has sent all.
  std::vector<v1::FeedEvent> events;
  std::size_t cut_after = 1'000'000;
  // StreamAlerts ends with UNAVAILABLE once, after so many receipts; 0: never.
  int break_stream_after = 0;
  // An alert whose label `severity` has this value is refused.
  std::string refused_severity = "refuse-me";

 private:
  class Services;

  std::unique_ptr<Services> services_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace tandem::cli
