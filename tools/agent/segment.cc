#include "tools/agent/segment.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

#include "router/base/check.h"

namespace tandem::client {
namespace {

constexpr std::string_view kSegmentMagic = "TNDSPL01";
constexpr std::uint32_t kRecordMagic = 0x4C415254;  // the bytes "TRAL"

void PutNumber(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

std::uint64_t Number(std::string_view bytes, std::size_t at, int width) {
  std::uint64_t value = 0;
  for (int i = width - 1; i >= 0; --i) {
    value = value << 8 | static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(i)]);
  }
  return value;
}

std::uint32_t Crc(std::string_view a, std::string_view b = {}) {
  uLong crc = crc32_z(0, reinterpret_cast<const Bytef*>(a.data()), a.size());
  if (!b.empty()) crc = crc32_z(crc, reinterpret_cast<const Bytef*>(b.data()), b.size());
  return static_cast<std::uint32_t>(crc);
}

bool AllZero(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == '\0'; });
}

// What is wrong with the file's header, "" when it is good.
std::string HeaderProblem(std::string_view file, BatchNumber first) {
  if (file.size() < kSegmentHeaderBytes) {
    return fmt::format("{} bytes where a header of {} was expected", file.size(),
                       kSegmentHeaderBytes);
  }
  if (file.substr(0, 8) != kSegmentMagic) return "not a spool file of format 01";
  if (Number(file, 24, 4) != Crc(file.substr(0, 24))) return "the header's checksum does not match";
  if (Number(file, 8, 8) != first.value) return "the header names another file";
  return "";
}

}  // namespace

std::string SegmentHeader(BatchNumber first, absl::Time created) {
  std::string out(kSegmentMagic);
  PutNumber(out, first.value, 8);
  PutNumber(out, static_cast<std::uint64_t>(absl::ToUnixMillis(created)), 8);
  PutNumber(out, Crc(out), 4);
  PutNumber(out, 0, 4);
  return out;
}

std::string RecordBytes(BatchNumber number, const NewBatch& batch) {
  TANDEM_CHECK(batch.bytes.size() <= kRecordMaxBytes, "a batch is cut before this");
  std::string out;
  out.reserve(kRecordHeaderBytes + batch.bytes.size());
  PutNumber(out, kRecordMagic, 4);
  PutNumber(out, batch.bytes.size(), 4);
  PutNumber(out, number.value, 8);
  PutNumber(out, static_cast<std::uint64_t>(absl::ToUnixMillis(batch.time)), 8);
  PutNumber(out, batch.alerts, 4);
  PutNumber(out, Crc(out, batch.bytes), 4);
  out.append(batch.bytes);
  return out;
}

ReadRecord RecordAt(std::string_view bytes) {
  ReadRecord record;
  if (bytes.size() < kRecordHeaderBytes) {
    record.problem = fmt::format("{} bytes where a record of at least {} was expected",
                                 bytes.size(), kRecordHeaderBytes);
    record.reaches_end = true;
    return record;
  }
  if (Number(bytes, 0, 4) != kRecordMagic) {
    record.problem = "no record begins here";
    record.reaches_end = AllZero(bytes);  // a file that grew before its bytes arrived
    return record;
  }
  const std::uint64_t length = Number(bytes, 4, 4);
  if (length > kRecordMaxBytes) {
    record.problem =
        fmt::format("a length of {} where at most {} was expected", length, kRecordMaxBytes);
    return record;
  }
  if (kRecordHeaderBytes + length > bytes.size()) {
    record.problem = "the file ends within the record";
    record.reaches_end = true;
    return record;
  }
  record.bytes = bytes.substr(kRecordHeaderBytes, length);
  if (Number(bytes, 28, 4) != Crc(bytes.substr(0, 28), record.bytes)) {
    record.problem = "the record's checksum does not match";
    record.reaches_end = AllZero(bytes.substr(kRecordHeaderBytes + length));
    return record;
  }
  record.info = {.number = BatchNumber(Number(bytes, 8, 8)),
                 .alerts = static_cast<std::uint32_t>(Number(bytes, 24, 4)),
                 .bytes = static_cast<std::uint32_t>(length),
                 .time = absl::FromUnixMillis(static_cast<std::int64_t>(Number(bytes, 16, 8)))};
  return record;
}

SegmentScan ScanSegment(std::string_view file, BatchNumber first) {
  SegmentScan scan;
  scan.problem = HeaderProblem(file, first);
  if (!scan.problem.empty()) {
    const bool unfinished = file.size() < kSegmentHeaderBytes || AllZero(file);
    scan.end = unfinished ? SegmentEnd::kTorn : SegmentEnd::kDamaged;
    return scan;
  }
  scan.good_bytes = kSegmentHeaderBytes;
  BatchNumber lowest = first;
  while (scan.good_bytes < file.size()) {
    ReadRecord record = RecordAt(file.substr(scan.good_bytes));
    if (record.problem.empty() && record.info.number < lowest) {
      record.problem = fmt::format("batch {} where {} or higher was expected",
                                   record.info.number.value, lowest.value);
    }
    if (!record.problem.empty()) {
      scan.problem = std::move(record.problem);
      scan.end = record.reaches_end ? SegmentEnd::kTorn : SegmentEnd::kDamaged;
      return scan;
    }
    scan.records.push_back({record.info, scan.good_bytes});
    scan.good_bytes += kRecordHeaderBytes + record.bytes.size();
    lowest = record.info.number.Next();
  }
  return scan;
}

}  // namespace tandem::client
