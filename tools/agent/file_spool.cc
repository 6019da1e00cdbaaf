#include "tools/agent/file_spool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>

#include "router/base/check.h"
#include "router/base/status.h"

namespace tandem::client {
namespace {

constexpr std::string_view kSuffix = ".seg";
// More than any segment size that an agent is run with, so that the setting may change.
constexpr std::size_t kSegmentMaxBytes = 256u << 20;
constexpr std::size_t kNameDigits = 20;  // of the largest 64-bit number, so that names sort

// The first number of a segment by its file name, nullopt for any other file.
std::optional<std::uint64_t> FirstNumber(const std::string& name) {
  if (name.size() != kNameDigits + kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
  std::uint64_t first = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + kNameDigits, first);
  if (error != std::errc() || end != name.data() + kNameDigits) return std::nullopt;
  return first;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FileSpool>> FileSpool::Open(FileSpoolOptions options) {
  TANDEM_CHECK(options.clock != nullptr, "a spool needs a clock");
  TANDEM_CHECK(options.segment_bytes + 2 * kRecordMaxBytes <= kSegmentMaxBytes,
               "segment too large");
  if (::mkdir(options.directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return DiskError("make the spool directory", options.directory, errno);
  }
  std::unique_ptr<FileSpool> spool(new FileSpool(std::move(options)));
  TANDEM_RETURN_IF_ERROR(spool->Lock());
  TANDEM_RETURN_IF_ERROR(spool->LoadState());
  TANDEM_RETURN_IF_ERROR(spool->LoadSegments());
  spool->opened_ = true;
  return spool;
}

FileSpool::~FileSpool() {
  if (opened_) Close();
}

std::string FileSpool::PathOf(std::uint64_t segment) const {
  return fmt::format("{}/{:0{}}{}", options_.directory, segment, kNameDigits, kSuffix);
}

absl::Status FileSpool::Lock() {
  const std::string path = options_.directory + "/LOCK";
  TANDEM_ASSIGN_OR_RETURN(FileHandle lock, OpenFile(path, O_RDWR | O_CREAT));
  if (::flock(lock.fd(), LOCK_EX | LOCK_NB) != 0) {
    return Error(absl::StatusCode::kFailedPrecondition, "SPOOL_IN_USE",
                 fmt::format("another process uses the spool {}; give each agent its own",
                             options_.directory));
  }
  lock_ = std::move(lock);
  return absl::OkStatus();
}

absl::Status FileSpool::LoadState() {
  absl::StatusOr<std::string> text = ReadWholeFile(options_.directory + "/STATE", 4096);
  absl::StatusOr<SpoolState> state =
      text.ok() ? ReadSpoolState(*text) : absl::StatusOr<SpoolState>(text.status());
  if (state.ok() && state->client_id != options_.client_id) {
    return Error(absl::StatusCode::kFailedPrecondition, "SPOOL_OF_ANOTHER_CLIENT",
                 fmt::format("the spool {} belongs to the client id '{}', not '{}'; use that id or "
                             "another directory",
                             options_.directory, state->client_id, options_.client_id));
  }
  if (state.ok()) {
    state_ = *std::move(state);
  } else {
    if (state.status().code() != absl::StatusCode::kNotFound) {
      damages_.push_back({options_.directory + "/STATE", 0, MessageOf(state.status())});
    }
    state_ = SpoolState();
    state_.client_id = options_.client_id;
  }
  next_ = std::max<std::uint64_t>(state_.next_number, 1);
  return absl::OkStatus();
}

absl::Status FileSpool::LoadSegments() {
  std::vector<std::uint64_t> firsts;
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(options_.directory, error)) {
    if (const auto first = FirstNumber(file.path().filename().string())) firsts.push_back(*first);
  }
  if (error) return DiskError("list", options_.directory, error.value());
  std::sort(firsts.begin(), firsts.end());
  const bool state_was_lost = state_.next_number == 1 && !firsts.empty();
  for (const std::uint64_t first : firsts) {
    TANDEM_RETURN_IF_ERROR(LoadSegment(first, first == firsts.back()));
  }
  // Without STATE only the files say what was given, and the newest batches may be missing.
  if (state_was_lost) next_ += options_.reserve_numbers;
  return absl::OkStatus();
}

absl::Status FileSpool::LoadSegment(std::uint64_t first, bool newest) {
  const std::string path = PathOf(first);
  TANDEM_ASSIGN_OR_RETURN(const std::string file, ReadWholeFile(path, kSegmentMaxBytes));
  const SegmentScan scan = ScanSegment(file, BatchNumber(first));
  // Only the file that was being written can have a torn end.
  if (scan.end == SegmentEnd::kDamaged || (scan.end == SegmentEnd::kTorn && !newest)) {
    damages_.push_back({path, scan.good_bytes, scan.problem});
    // A second name keeps the bytes for whoever wants to look, after the first is deleted.
    if (::link(path.c_str(), (path + ".damaged").c_str()) != 0 && errno != EEXIST) {
      return DiskError("keep aside the damaged", path, errno);
    }
  } else if (scan.end == SegmentEnd::kTorn) {
    TANDEM_ASSIGN_OR_RETURN(const FileHandle handle, OpenFile(path, O_RDWR));
    if (::ftruncate(handle.fd(), static_cast<off_t>(scan.good_bytes)) != 0) {
      return DiskError("cut the torn end of", path, errno);
    }
  }
  next_ = std::max(next_, first);
  for (const SegmentScan::Record& record : scan.records) {
    entries_.push_back({record.info, first, record.offset});
    Count(record.info);
    next_ = std::max(next_, record.info.number.value + 1);
  }
  if (scan.records.empty()) {
    ::unlink(path.c_str());
  } else {
    segments_.push_back({first, scan.good_bytes});
  }
  return absl::OkStatus();
}

absl::Status FileSpool::SaveState(SpoolState state) {
  TANDEM_RETURN_IF_ERROR(ReplaceFile(options_.directory, "STATE", WriteSpoolState(state)));
  state_ = std::move(state);
  return absl::OkStatus();
}

absl::Status FileSpool::SetNumberBase(std::uint64_t base) {
  SpoolState state = state_;
  state.number_base = base;
  return SaveState(std::move(state));
}

absl::Status FileSpool::Reserve() {
  if (next_ < state_.next_number && active_) return absl::OkStatus();
  SpoolState state = state_;
  state.next_number = next_ + options_.reserve_numbers;
  return SaveState(std::move(state));
}

absl::Status FileSpool::StartSegment() {
  if (active_ && unsynced_) TANDEM_RETURN_IF_ERROR(Sync());
  const std::string path = PathOf(next_);
  TANDEM_ASSIGN_OR_RETURN(FileHandle file, OpenFile(path, O_RDWR | O_CREAT | O_TRUNC));
  absl::Status status =
      WriteAt(file, path, 0, SegmentHeader(BatchNumber(next_), options_.clock->Now()));
  if (status.ok()) status = SyncDirectory(options_.directory);
  if (!status.ok()) {
    ::unlink(path.c_str());
    return status;
  }
  active_ = std::move(file);
  segments_.push_back({next_, kSegmentHeaderBytes});
  return absl::OkStatus();
}

absl::Status FileSpool::WriteRecord(std::string_view record) {
  Segment& segment = segments_.back();
  const absl::Status status = WriteAt(active_, PathOf(segment.first), segment.size, record);
  if (status.ok()) {
    segment.size += record.size();
    unsynced_ = true;
  } else if (::ftruncate(active_.fd(), static_cast<off_t>(segment.size)) != 0) {
    return broken_ = DiskError("cut the unfinished end of", PathOf(segment.first), errno);
  }
  return status;
}

absl::StatusOr<BatchNumber> FileSpool::Append(const NewBatch& batch) {
  TANDEM_RETURN_IF_ERROR(broken_);
  TANDEM_RETURN_IF_ERROR(Reserve());
  if (!active_ || segments_.back().size >= options_.segment_bytes) {
    TANDEM_RETURN_IF_ERROR(StartSegment());
  }
  const BatchNumber number(next_);
  const std::uint64_t offset = segments_.back().size;
  TANDEM_RETURN_IF_ERROR(WriteRecord(RecordBytes(number, batch)));
  const BatchInfo info = {.number = number,
                          .alerts = batch.alerts,
                          .bytes = static_cast<std::uint32_t>(batch.bytes.size()),
                          .time = batch.time};
  entries_.push_back({info, segments_.back().first, offset});
  Count(info);
  ++next_;
  return number;
}

absl::Status FileSpool::Sync() {
  TANDEM_RETURN_IF_ERROR(broken_);
  if (!unsynced_) return absl::OkStatus();
  const absl::Status status = SyncFile(active_, PathOf(segments_.back().first));
  if (!status.ok()) return broken_ = status;
  unsynced_ = false;
  return absl::OkStatus();
}

absl::StatusOr<std::string> FileSpool::ReadBytes(const Entry& entry) {
  const std::string path = PathOf(entry.segment);
  if (!reading_ || reading_segment_ != entry.segment) {
    TANDEM_ASSIGN_OR_RETURN(reading_, OpenFile(path, O_RDONLY));
    reading_segment_ = entry.segment;
  }
  TANDEM_ASSIGN_OR_RETURN(std::string bytes, ReadAt(reading_, path, entry.offset,
                                                    kRecordHeaderBytes + entry.info.bytes));
  const ReadRecord record = RecordAt(bytes);
  if (!record.problem.empty() || record.info.number != entry.info.number) {
    return Error(absl::StatusCode::kDataLoss, "SPOOL_DAMAGED",
                 record.problem.empty() ? "another record lies here" : record.problem);
  }
  return bytes.substr(kRecordHeaderBytes);
}

std::optional<SpooledBatch> FileSpool::ReadAfter(BatchNumber number) {
  auto next = std::upper_bound(entries_.begin(), entries_.end(), number,
                               [](BatchNumber n, const Entry& e) { return n < e.info.number; });
  while (next != entries_.end()) {
    absl::StatusOr<std::string> bytes = ReadBytes(*next);
    if (bytes.ok()) return SpooledBatch{next->info, *std::move(bytes)};
    damages_.push_back({PathOf(next->segment), next->offset, MessageOf(bytes.status())});
    Uncount(next->info);
    next = entries_.erase(next);
  }
  return std::nullopt;
}

void FileSpool::RemoveThrough(BatchNumber number) {
  while (!entries_.empty() && entries_.front().info.number <= number) {
    Uncount(entries_.front().info);
    entries_.pop_front();
  }
  // A file is deleted when nothing in it waits; the one that is written to stays.
  const std::size_t written = active_ ? 1 : 0;
  const std::uint64_t needed = entries_.empty() ? UINT64_MAX : entries_.front().segment;
  while (segments_.size() > written && segments_.front().first < needed) {
    ::unlink(PathOf(segments_.front().first).c_str());
    segments_.pop_front();
  }
}

void FileSpool::Count(const BatchInfo& info) {
  bytes_ += info.bytes + kBatchOverheadBytes;
  alerts_ += info.alerts;
}

void FileSpool::Uncount(const BatchInfo& info) {
  bytes_ -= info.bytes + kBatchOverheadBytes;
  alerts_ -= info.alerts;
}

std::optional<BatchInfo> FileSpool::Oldest() const {
  if (entries_.empty()) return std::nullopt;
  return entries_.front().info;
}

std::vector<SpoolDamage> FileSpool::TakeDamages() { return std::exchange(damages_, {}); }

void FileSpool::Close() {
  // Failing here costs nothing but a gap in the numbers or a file that is read once more.
  if (unsynced_) (void)Sync();
  SpoolState state = state_;
  state.next_number = next_;
  if (!broken_.ok() || !SaveState(std::move(state)).ok()) return;
  active_ = FileHandle();
  if (entries_.empty()) RemoveThrough(BatchNumber(UINT64_MAX));
}

}  // namespace tandem::client
