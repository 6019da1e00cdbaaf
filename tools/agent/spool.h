// Where batches wait between Send() and the router's receipt: a queue of numbered batches.
//
// The number of a batch is given once and never again, whatever happens to the process. Two
// implementations keep one contract: FileSpool (survives the process) and MemorySpool.
//
// Not thread-safe: the client's thread owns it.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "router/base/ids.h"

namespace tandem::client {

// Number of a batch within its spool; rises, with gaps. On the wire it travels plus the spool's
// number base (see Spool::number_base).
using BatchNumber = StrongId<struct BatchTag>;

// What a batch costs beside its bytes, in the file and in the byte limit.
inline constexpr std::size_t kBatchOverheadBytes = 32;

struct NewBatch {
  std::string_view bytes;  // the field `alerts` of an AlertBatch, serialised
  std::uint32_t alerts = 0;
  absl::Time time;  // when it was cut; its age counts from here
};

struct BatchInfo {
  BatchNumber number;
  std::uint32_t alerts = 0;
  std::uint32_t bytes = 0;
  absl::Time time;
};

struct SpooledBatch {
  BatchInfo info;
  std::string bytes;
};

// A place of the spool that could not be read; what lay there is lost.
struct SpoolDamage {
  std::string file;
  std::uint64_t offset = 0;
  std::string problem;  // what was found there, what was expected
};

class Spool {
 public:
  virtual ~Spool() = default;

  // Keeps the batch and returns its number. RESOURCE_EXHAUSTED with reason DISK_FULL when there is
  // no room: nothing was kept, and trying again later is right. Any other error is final.
  virtual absl::StatusOr<BatchNumber> Append(const NewBatch& batch) = 0;

  // Makes durable what was appended. An error is final: fsync is never retried, all later calls of
  // Append and Sync return it, and whether the unsynced batches survive is unknown. Reading goes
  // on.
  virtual absl::Status Sync() = 0;

  // The oldest batch with a number above `number`, nullopt when there is none. A batch that cannot
  // be read any more is removed, reported by TakeDamages(), and skipped.
  virtual std::optional<SpooledBatch> ReadAfter(BatchNumber number) = 0;

  // Forgets batches up to and with `number`: they have their receipts, or are given up.
  virtual void RemoveThrough(BatchNumber number) = 0;

  virtual std::optional<BatchInfo> Oldest() const = 0;
  bool empty() const { return !Oldest(); }
  virtual std::uint64_t alerts() const = 0;
  // Bytes of the batches that are held, overhead included.
  virtual std::uint64_t bytes() const = 0;
  // The highest number that was ever given, 0 when none was.
  virtual BatchNumber last() const = 0;

  // What is added to a number on the wire. A new spool has none: the first Welcome says how far
  // this client id had come before, so that a spool that was lost does not begin with numbers
  // that the router already holds and would skip.
  virtual std::optional<std::uint64_t> number_base() const = 0;
  // Durable when it returns OK.
  virtual absl::Status SetNumberBase(std::uint64_t base) = 0;

  // Damages found since the last call.
  virtual std::vector<SpoolDamage> TakeDamages() = 0;
};

}  // namespace tandem::client
