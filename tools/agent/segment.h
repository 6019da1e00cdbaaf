// The bytes of a spool file; SPOOL.md describes them with a worked example.
//
// Pure: bytes in, bytes out. Safe to call from any thread.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tools/agent/spool.h"

namespace tandem::client {

inline constexpr std::size_t kSegmentHeaderBytes = 32;
inline constexpr std::size_t kRecordHeaderBytes = 32;
static_assert(kRecordHeaderBytes == kBatchOverheadBytes);

// No batch is larger; a length beyond it in a file is damage.
inline constexpr std::size_t kRecordMaxBytes = 4u << 20;

std::string SegmentHeader(BatchNumber first, absl::Time created);

// The record of a batch. REQUIRES: batch.bytes.size() <= kRecordMaxBytes.
std::string RecordBytes(BatchNumber number, const NewBatch& batch);

// The batch at the begin of `bytes`, or what is wrong there.
struct ReadRecord {
  BatchInfo info;
  std::string_view bytes;    // into the argument
  std::string problem;       // "" when the record is good
  bool reaches_end = false;  // it is bad, and the file ends within or right after it
};
ReadRecord RecordAt(std::string_view bytes);

enum class SegmentEnd {
  kClean,
  // The last write did not get to the disk whole: cut the file at `good_bytes`.
  kTorn,
  // Good or unknown bytes follow a bad record: what was whole has been altered.
  kDamaged,
};

struct SegmentScan {
  struct Record {
    BatchInfo info;
    std::uint64_t offset = 0;
  };
  std::vector<Record> records;   // in rising order of their numbers
  std::uint64_t good_bytes = 0;  // up to here all is well
  SegmentEnd end = SegmentEnd::kClean;
  std::string problem;  // what is wrong at `good_bytes`, "" when nothing is
};

// Reads a whole file. `first` is the number in the file's name.
SegmentScan ScanSegment(std::string_view file, BatchNumber first);

}  // namespace tandem::client
