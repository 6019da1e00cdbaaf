// Cuts the stream of alerts into batches: by count, by bytes, or by the age of the oldest alert.
//
// Pure: time is an argument. Not thread-safe; the client guards it by its mutex.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/agent/spool.h"

namespace tandem::client {

struct CutterOptions {
  std::uint32_t batch_alerts = 64;
  std::size_t batch_bytes = 1u << 20;
  absl::Duration linger = absl::Milliseconds(5);
};

// Whether a batch has come to rest in the spool; shared by the batch and those who wait for it.
struct Stored {
  bool done = false;
  absl::Status status;
};

struct CutBatch {
  std::string bytes;  // elements of AlertBatch.alerts
  std::uint32_t alerts = 0;
  absl::Time first;  // when its oldest alert came
  std::shared_ptr<Stored> stored = std::make_shared<Stored>();
};

class Cutter {
 public:
  explicit Cutter(CutterOptions options) : options_(options) {}

  // Adds one serialised alert and returns the fate of the batch that it goes with.
  // REQUIRES: element.size() <= batch_bytes.
  std::shared_ptr<Stored> Add(std::string_view element, absl::Time now);

  // Ends the batch that is being filled, if there is one.
  void Cut();

  // The batches that are cut, the filling one included when its linger is over at `now`.
  std::vector<CutBatch> Take(absl::Time now);

  // When Take() has something to give: InfinitePast when at once, InfiniteFuture when nothing
  // waits.
  absl::Time due() const;
  // Batches that are cut and not taken.
  std::size_t waiting() const { return cut_.size(); }
  // Of all that was added and not taken, overhead of the batches included.
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t alerts() const { return alerts_; }

 private:
  const CutterOptions options_;
  CutBatch filling_;
  std::vector<CutBatch> cut_;
  std::uint64_t bytes_ = 0;
  std::uint64_t alerts_ = 0;
};

}  // namespace tandem::client
