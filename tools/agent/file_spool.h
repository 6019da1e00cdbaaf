// A spool in a directory: append-only segment files, each record with length and checksum.
// SPOOL.md describes the bytes, and what is found after which kind of accident.
//
// Not thread-safe. One process owns a directory at a time; a lock file sees to it.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "router/base/clock.h"
#include "tools/agent/disk.h"
#include "tools/agent/segment.h"
#include "tools/agent/spool.h"
#include "tools/agent/spool_state.h"

namespace tandem::client {

struct FileSpoolOptions {
  std::string directory;  // made when it is missing, mode 0700; its parent must exist
  std::string client_id;
  const Clock* clock = nullptr;  // not owned; must outlive the spool
  // A segment is closed when it has this size. Beside the batches that wait, the disk holds at most
  // one segment of batches that have their receipts.
  std::uint64_t segment_bytes = 8u << 20;
  // Numbers are reserved in blocks, durably before the first of a block is used, so that not even a
  // power cut without fsync can make a number come twice: one fsync for so many batches.
  std::uint64_t reserve_numbers = 65536;
};

class FileSpool final : public Spool {
 public:
  // Opens and reads what an earlier process left. FAILED_PRECONDITION with reason SPOOL_IN_USE when
  // another process has it open, SPOOL_OF_ANOTHER_CLIENT when it belongs to another client id.
  // Damage does not fail the opening: what is whole is kept, the rest is in TakeDamages().
  static absl::StatusOr<std::unique_ptr<FileSpool>> Open(FileSpoolOptions options);

  // Closes cleanly: notes the next number, and deletes files that nothing waits in.
  ~FileSpool() override;

  absl::StatusOr<BatchNumber> Append(const NewBatch& batch) override;
  absl::Status Sync() override;
  std::optional<SpooledBatch> ReadAfter(BatchNumber number) override;
  void RemoveThrough(BatchNumber number) override;
  std::optional<BatchInfo> Oldest() const override;
  std::uint64_t alerts() const override { return alerts_; }
  std::uint64_t bytes() const override { return bytes_; }
  BatchNumber last() const override { return BatchNumber(next_ - 1); }
  std::optional<std::uint64_t> number_base() const override { return state_.number_base; }
  absl::Status SetNumberBase(std::uint64_t base) override;
  std::vector<SpoolDamage> TakeDamages() override;

 private:
  struct Entry {
    BatchInfo info;
    std::uint64_t segment = 0;  // the first number of its file
    std::uint64_t offset = 0;
  };
  struct Segment {
    std::uint64_t first = 0;
    std::uint64_t size = 0;
  };

  explicit FileSpool(FileSpoolOptions options) : options_(std::move(options)) {}

  std::string PathOf(std::uint64_t segment) const;
  absl::Status Lock();
  absl::Status LoadState();
  absl::Status LoadSegments();
  absl::Status LoadSegment(std::uint64_t first, bool newest);
  absl::Status SaveState(SpoolState state);
  absl::Status Reserve();
  absl::Status StartSegment();
  absl::Status WriteRecord(std::string_view record);
  absl::StatusOr<std::string> ReadBytes(const Entry& entry);
  void Count(const BatchInfo& info);
  void Uncount(const BatchInfo& info);
  void Close();

  const FileSpoolOptions options_;
  FileHandle lock_;
  SpoolState state_;  // as the file STATE has it
  std::uint64_t next_ = 1;
  std::deque<Entry> entries_;     // what waits, by number
  std::deque<Segment> segments_;  // by first number; appends go to the last while `active_` is open
  FileHandle active_;
  FileHandle reading_;  // the file that was read last
  std::uint64_t reading_segment_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t alerts_ = 0;
  bool unsynced_ = false;
  absl::Status broken_;  // the first final error
  bool opened_ = false;
  std::vector<SpoolDamage> damages_;
};

}  // namespace tandem::client
