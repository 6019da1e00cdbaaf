// The feed of the router as one endless sequence: connects again by itself and goes on behind the
// last event, so that nothing is missing and nothing comes twice.
//
// Used by one thread; the stream underneath belongs to gRPC's threads.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tandem/v1/feed.pb.h"
#include "tools/tandem/client.h"
#include "tools/tandem/pause.h"

namespace tandem::cli {

struct FeedOptions {
  v1::SubscribeRequest request;
  // Silence after which a stream counts as dead. The router sends a heartbeat every 15 s.
  absl::Duration silence_max = absl::Seconds(50);
  // Waits between attempts: doubles from the first to the last, each with up to a fifth more, so
  // that a thousand boards do not come back in one moment. RetryInfo of the router wins.
  absl::Duration first_wait = absl::Milliseconds(500);
  absl::Duration last_wait = absl::Seconds(30);
};

class FeedReader {
 public:
  // Waits between two attempts: told what ended the stream and how long to wait. kReaderGone ends
  // the sequence.
  using Wait = std::function<Paused(const absl::Status& why, absl::Duration span)>;

  // `client` outlives the reader.
  FeedReader(const Client& client, FeedOptions options, Wait wait);
  ~FeedReader();

  // The next event, heartbeats included; waits for it. An error is one that trying again does not
  // mend (UNAUTHENTICATED, PERMISSION_DENIED, NOT_FOUND, INVALID_ARGUMENT …), or any error before
  // the router has answered for the first time.
  absl::StatusOr<v1::FeedEvent> Next();

  // Behind the last event; "" before the first.
  const std::string& cursor() const { return options_.request.cursor(); }

 private:
  class Stream;

  void Take(const v1::FeedEvent& event);
  // OK after the wait, or `why` when trying again is of no use.
  absl::Status Recover(const absl::Status& why);

  const Client& client_;
  FeedOptions options_;
  Wait wait_;
  std::unique_ptr<Stream> stream_;
  bool answered_ = false;
  int failures_ = 0;  // since the last answer
};

}  // namespace tandem::cli
